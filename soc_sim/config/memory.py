"""Memories outside the accelerator: DRAM with banks and rows, simple memories, and an ideal one for bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, BytesPerSecond, Delay, Description, Milliamperes, Picoseconds, Volts, no_multiple

Cycles = Annotated[int, Field(ge=0)]


class DramTiming(Description):
    """JEDEC timing in cycles of the command clock (nRCD is tRCD / tCK)."""

    tck_ps: Picoseconds
    """Period of the command clock."""
    nCL: Cycles
    """Read command to first data beat."""
    nCWL: Cycles
    """Write command to first data beat."""
    nRCD: Cycles
    """Activate to read or write."""
    nRP: Cycles
    """Precharge to activate."""
    nRAS: Cycles
    """Activate to precharge."""
    nWR: Cycles
    """End of write data to precharge."""
    nRTP: Cycles
    """Read to precharge."""
    nWTR: Cycles
    """End of write data to read, same bank group."""
    nRFC: Cycles
    """All-bank refresh to the next command."""
    nREFI: PositiveInt
    """Mean interval of refreshes."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A row that closes before it can be read, refreshes that leave no time."""
        if self.nRAS < self.nRCD:
            yield "nRAS", f"{self.nRAS} is less than nRCD, {self.nRCD}: a row would close before it can be accessed"
        if self.nREFI <= self.nRFC:
            yield "nREFI", f"{self.nREFI} is not more than nRFC, {self.nRFC}: refreshing would leave no time"


class DramCurrents(Description):
    """Currents of one device, from which the energy of commands follows (Micron's power calculation)."""

    devices: PositiveInt
    """Devices of a rank."""
    vdd_v: Volts
    """Core supply."""
    idd0_ma: Milliamperes
    """Activate-precharge cycling."""
    idd2n_ma: Milliamperes
    """Precharged standby."""
    idd3n_ma: Milliamperes
    """Active standby."""
    idd4r_ma: Milliamperes
    """Burst read."""
    idd4w_ma: Milliamperes
    """Burst write."""
    idd5_ma: Milliamperes
    """All-bank refresh."""


class Dram(Description):
    """Channels of banks with open rows behind a controller that serves chunks in order of arrival."""

    kind: Literal["dram"]
    name: str
    channels: PositiveInt = 1
    """Independent channels; addresses alternate between them."""
    channel_interleave_bytes: Bytes = 4096
    """Contiguous bytes on one channel before the next takes over."""
    banks: PositiveInt
    """Banks of a channel, bank groups included."""
    rows: PositiveInt
    """Rows of a bank."""
    row_bytes: Bytes
    """Bytes of an open row of a channel (all its devices)."""
    bus_bits: Literal[8, 16, 32, 64, 128]
    """Data pins of a channel."""
    burst_length: Literal[4, 8, 16, 32]
    """Data beats of one access."""
    timing: DramTiming
    queue_depth: PositiveInt = 64
    """Bus requests a channel's controller holds; others wait in the interconnect."""
    controller_latency_ps: Delay = 0
    """Fixed time of the controller and PHY on the way in and out together."""
    currents: DramCurrents | None = None
    """None where no trustworthy currents are published: energy is then unknown."""
    io_pj_per_bit: Annotated[float, Field(ge=0)] | None = None
    """Energy of the interface for each bit moved."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Rows and interleaving that cut a burst in two."""
        yield from no_multiple("row", self.row_bytes, "a burst", self.burst_bytes)
        yield from no_multiple("channel_interleave", self.channel_interleave_bytes, "a burst", self.burst_bytes)

    @property
    def burst_bytes(self) -> int:
        """Bytes of one access."""
        return self.bus_bits * self.burst_length // 8

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all channels."""
        return self.channels * self.banks * self.rows * self.row_bytes


class SimpleMemory(Description):
    """A memory of fixed latency and bandwidth: on-chip SRAM, flash, PSRAM, MRAM."""

    kind: Literal["simple_memory"]
    name: str
    technology: Literal["sram", "flash", "psram", "mram", "dram"]
    capacity_bytes: Bytes
    read_bandwidth_bytes_per_s: BytesPerSecond
    write_bandwidth_bytes_per_s: BytesPerSecond | None = None
    """None: read-only during inference."""
    read_latency_ps: Delay = 0
    """From a request to its first byte."""
    write_latency_ps: Delay = 0
    """From the last byte to the response."""
    burst_bytes: Bytes = 8
    """Smallest access; shorter ones cost as much."""
    max_outstanding: PositiveInt = 64
    """Bus requests the memory holds; others wait in the interconnect."""
    read_pj_per_byte: Annotated[float, Field(ge=0)] | None = None
    """None: unknown."""
    write_pj_per_byte: Annotated[float, Field(ge=0)] | None = None
    """None: unknown."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """An access larger than the memory, a write latency of a memory that cannot be written."""
        if self.burst_bytes > self.capacity_bytes:
            yield "burst", "one access is larger than the whole memory"
        if self.write_bandwidth_bytes_per_s is None and self.write_latency_ps:
            yield "write_latency", "has no effect without write_bandwidth"


class IdealMemory(Description):
    """Answers at once, at any rate: what remains is the rest of the system."""

    kind: Literal["ideal_memory"]
    name: str = "ideal"
    capacity_bytes: Bytes = 2**40


Memory = Annotated[Dram | SimpleMemory | IdealMemory, Field(discriminator="kind")]
