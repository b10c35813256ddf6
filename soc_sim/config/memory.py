"""Memories outside the accelerator: DRAM with banks and rows, simple memories, and an ideal one for bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import (
    Bytes,
    BytesPerSecond,
    Delay,
    Description,
    Hertz,
    Milliamperes,
    Milliwatts,
    Picoseconds,
    SquareMillimetres,
    Volts,
    no_multiple,
)
from soc_sim.units import PS_PER_S

Cycles = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]

MAPPING_PARTS = ("ro", "ra", "ba", "bg", "co", "ch")
"""Row, rank, bank in its group, bank group, column, channel."""


class PublishedEnergy(Description):
    """What somebody else publishes for this kind of memory, everything included."""

    pj_per_bit: Annotated[float, Field(ge=0)]
    """Energy of a bit moved, in pJ."""
    source: str
    """Who says so."""


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
    nCCD_S: PositiveInt
    """Column command to column command of the same kind, other bank group."""
    nCCD_L: PositiveInt
    """Column command to column command of the same kind, same bank group."""
    nRRD_S: PositiveInt
    """Activate to activate, other bank group."""
    nRRD_L: PositiveInt
    """Activate to activate, same bank group."""
    nFAW: PositiveInt
    """Window in which a rank takes at most four activates."""
    nWR: Cycles
    """End of write data to precharge."""
    nRTP: Cycles
    """Read to precharge."""
    nWTR_S: Cycles
    """End of write data to read, other bank group."""
    nWTR_L: Cycles
    """End of write data to read, same bank group."""
    nPPD: PositiveInt = 1
    """Precharge to precharge, other bank of the rank; 1: no limit but that of the command bus (LPDDR4: 4)."""
    nRTW: PositiveInt | None = None
    """Read to write; None: CL + BL/2 + 2 - CWL, which leaves two idle cycles on the bus."""
    nRTRS: Cycles = 2
    """Idle cycles of the bus when another rank takes over."""
    nRFC: Cycles
    """All-bank refresh to the next command."""
    nREFI: PositiveInt
    """Mean interval of refreshes of a whole rank."""
    nRFC_PB: PositiveInt | None = None
    """Refresh of one bank to the next command there; needed for refresh per_bank."""
    nXP: PositiveInt | None = None
    """Exit from power-down to the next command; needed for power_down_after_cycles."""
    nXS: PositiveInt | None = None
    """Exit from self-refresh to the next command; needed for self_refresh_after_cycles."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A row that closes before it can be read, refreshes that leave no time."""
        if self.nRAS < self.nRCD:
            yield "nRAS", f"{self.nRAS} is less than nRCD, {self.nRCD}: a row would close before it can be accessed"
        if self.nPPD > self.nRAS:
            yield "nPPD", f"{self.nPPD} is more than nRAS, {self.nRAS}: longer than a row stays open"
        if self.nREFI <= self.nRFC:
            yield "nREFI", f"{self.nREFI} is not more than nRFC, {self.nRFC}: refreshing would leave no time"
        for name in ("nCCD", "nRRD", "nWTR"):
            short, long = getattr(self, f"{name}_S"), getattr(self, f"{name}_L")
            if long < short:
                yield f"{name}_L", f"{long} is less than {name}_S, {short}: the same bank group would be faster"


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
    idd2p_ma: Milliamperes | None = None
    """Power-down with all banks closed; None: unknown, counted as precharged standby."""
    idd3p_ma: Milliamperes | None = None
    """Power-down with a bank open; None: unknown, counted as active standby."""
    idd6_ma: Milliamperes | None = None
    """Self-refresh; None: unknown, counted as precharged standby."""


_OF_FR_FCFS = (
    "drain_above",
    "drain_below",
    "page_policy",
    "power_down_after_cycles",
    "self_refresh_after_cycles",
    "age_limit_cycles",
)
"""Settings of the controller that another scheduling does not know."""


class DramController(Description):
    """How a channel's controller orders bursts."""

    scheduling: Literal["fr_fcfs", "round_robin"] = "fr_fcfs"
    """First ready, first come among all bursts that wait; or queues of the banks in turn, first ready in each of them
    (bank_queue, row_hit_cap, drain_idle_above, dual_command say how; writes are drained when their queue is full)."""
    read_queue: PositiveInt = 32
    """Bursts to read among which it chooses."""
    write_queue: PositiveInt = 32
    """Bursts to write among which it chooses."""
    bank_queue: Annotated[int, Field(ge=0)] = 0
    """Bursts of each bank that wait behind these queues and leave room in them; needed for round_robin."""
    drain_above: Share = 0.8
    """Share of the write queue above which it turns to writes; it also does when no read waits."""
    drain_below: Share = 0.2
    """Share of the write queue below which it turns back to waiting reads."""
    drain_idle_above: Annotated[int, Field(ge=0)] = 0
    """With round_robin: bursts to write above which they are drained while no bank has anything to do."""
    dual_command: bool = False
    """With round_robin: a row and a column command may go out in one cycle, as HBM has a bus for each (JESD235)."""
    page_policy: Literal["open", "closed", "adaptive"] = "open"
    """Rows stay open until another is wanted; or close with the last access that waits for them: always, or where
    another row of the bank is waited for."""
    refresh: Literal["all_bank", "per_bank"] = "all_bank"
    """All banks of a rank at once, or one after another, as many in the same time."""
    power_down_after_cycles: PositiveInt | None = None
    """Time after the last data at which a channel with nothing to do powers down; None: never."""
    self_refresh_after_cycles: PositiveInt | None = None
    """Time after the last data at which it refreshes itself instead; None: never."""
    row_hit_cap: PositiveInt | None = None
    """Accesses to an open row after which an older request to its bank comes first; None: no cap."""
    age_limit_cycles: PositiveInt | None = None
    """Waiting time after which a request comes before younger hits in its bank; None: no limit."""
    priority_cycles: PositiveInt = 1024
    """Time by which a request counts as older for each step of its initiator's priority: more it never overtakes."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Thresholds that cross, a deeper sleep that comes first."""
        down, by_itself = self.power_down_after_cycles, self.self_refresh_after_cycles
        if down is not None and by_itself is not None and by_itself <= down:
            yield "self_refresh_after_cycles", f"{by_itself} is not more than power_down_after_cycles, {down}"
        if self.drain_below > self.drain_above:
            yield "drain_below", f"{self.drain_below} is more than drain_above, {self.drain_above}"
        if self.scheduling == "round_robin":
            if not self.bank_queue:
                yield "bank_queue", "0 leaves no queue of a bank to take a turn; scheduling round_robin needs 1 or more"
            for name in _OF_FR_FCFS:
                if getattr(self, name) != type(self).model_fields[name].default:
                    yield name, "is not known to scheduling round_robin; leave it out, or set scheduling to fr_fcfs"


class AddressHash(Description):
    """One bit of an address that is flipped by others before the address is taken apart (XOR)."""

    bit: Annotated[int, Field(ge=0)]
    """Number of the bit, 0 the lowest."""
    flipped_by: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)]
    """Numbers of the bits whose parity flips it."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A bit that flips itself would always be zero."""
        if self.bit in self.flipped_by:
            yield "flipped_by", f"bit {self.bit} cannot flip itself"


class Dram(Description):
    """Channels of ranks of banks with open rows, each channel behind a controller that reorders commands."""

    kind: Literal["dram"]
    name: str
    channels: PositiveInt = 1
    """Independent channels; addresses alternate between them."""
    channel_interleave_bytes: Bytes = 4096
    """Contiguous bytes on one channel before the next takes over."""
    ranks: PositiveInt = 1
    """Ranks of a channel."""
    banks: PositiveInt
    """Banks of a rank, bank groups included."""
    bank_groups: PositiveInt = 1
    """Bank groups of a rank."""
    rows: PositiveInt
    """Rows of a bank."""
    row_bytes: Bytes
    """Bytes of an open row of a channel (all its devices)."""
    bus_bits: Literal[8, 16, 32, 64, 128]
    """Data pins of a channel."""
    burst_length: Literal[4, 8, 16, 32]
    """Data beats of one access."""
    mapping: str = "rorababgco"
    """Order of row, rank, bank, bank group and column in an address, highest first; a part that is left out is the
    highest. With ``ch`` the channels are part of it, else they alternate as ``channel_interleave`` says."""
    hash_banks: bool = False
    """XOR the bank's number with the lowest bits of the row's."""
    address_hash: Annotated[tuple[AddressHash, ...], Field(strict=False)] = ()
    """XOR of address bits, in this order, before ``mapping`` takes the address apart."""
    timing: DramTiming
    controller: DramController = Field(default_factory=DramController)
    queue_depth: PositiveInt = 64
    """Bus requests a channel's controller holds; others wait in the interconnect."""
    controller_latency_ps: Delay = 0
    """Fixed time of the controller and PHY on the way in and out together."""
    currents: DramCurrents | None = None
    """None where no trustworthy currents are published: energy is then unknown."""
    io_pj_per_bit: Annotated[float, Field(ge=0)] | None = None
    """Energy of the interface for each bit moved."""
    published: Annotated[tuple[PublishedEnergy, ...], Field(strict=False)] = ()
    """What others give for such a memory: the range of its energy."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Rows and interleaving that cut a burst in two."""
        yield from no_multiple("row", self.row_bytes, "a burst", self.burst_bytes)
        yield from no_multiple("channel_interleave", self.channel_interleave_bytes, "a burst", self.burst_bytes)
        if self.banks % self.bank_groups:
            yield "banks", f"{self.banks} cannot be divided into {self.bank_groups} bank groups of equal size"
        needs = {
            "nRFC_PB": ("refresh per_bank", self.controller.refresh == "per_bank"),
            "nXP": ("power_down_after_cycles", self.controller.power_down_after_cycles is not None),
            "nXS": ("self_refresh_after_cycles", self.controller.self_refresh_after_cycles is not None),
        }
        for name, (setting, wanted) in needs.items():
            if wanted and getattr(self.timing, name) is None:
                yield "controller", f"{setting} needs timing.{name}"
        bits = [bit for each in self.address_hash for bit in (each.bit, *each.flipped_by)]
        if bits and self.capacity_bytes & (self.capacity_bytes - 1):
            yield "address_hash", f"needs a capacity that is a power of two, not {self.capacity_bytes} bytes"
        for bit in sorted(set(bits)):
            if not self.burst_bytes <= 2**bit < self.capacity_bytes:
                allowed = f"{(self.burst_bytes - 1).bit_length()} to {self.capacity_bytes.bit_length() - 2}"
                yield "address_hash", f"bit {bit} is out of range; allowed: {allowed}"
        if self.hash_banks and self.banks & (self.banks - 1):
            yield "hash_banks", f"needs a number of banks that is a power of two, not {self.banks}"
        parts = [self.mapping[start : start + 2] for start in range(0, len(self.mapping), 2)]
        if set(parts) - set(MAPPING_PARTS) or len(set(parts)) < len(parts):
            yield "mapping", f"'{self.mapping}' is no order; allowed: each of {', '.join(MAPPING_PARTS)} at most once"

    def tck_ps_at(self, clock_hz: int) -> int:
        """Period of a command clock of this frequency, in whole picoseconds as `timing.tck` is."""
        return max(1, round(PS_PER_S / clock_hz))

    @property
    def burst_cycles(self) -> int:
        """Cycles of the command clock that one access occupies the bus: two beats a cycle."""
        return self.burst_length // 2

    @property
    def burst_bytes(self) -> int:
        """Bytes of one access."""
        return self.bus_bits * self.burst_length // 8

    @property
    def peak_bytes_per_s(self) -> float:
        """All data pins of all channels at double data rate."""
        return self.channels * self.burst_bytes * PS_PER_S / (self.burst_cycles * self.timing.tck_ps)

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all channels."""
        return self.channels * self.ranks * self.banks * self.rows * self.row_bytes


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
    """Energy of a byte read, in pJ; from a datasheet: supply · read current / bandwidth. None: unknown."""
    write_pj_per_byte: Annotated[float, Field(ge=0)] | None = None
    """Energy of a byte written, in pJ. None: unknown."""
    leakage_mw: Milliwatts | None = None
    """Leakage or standby power of the whole memory. None: unknown, and left out with a warning."""
    area_mm2: SquareMillimetres | None = None
    """Area of the whole memory, where it is on the chip. None: unknown."""
    published: Annotated[tuple[PublishedEnergy, ...], Field(strict=False)] = ()
    """What others give for such a memory: the range of its energy."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """An access larger than the memory, a write latency of a memory that cannot be written."""
        if self.burst_bytes > self.capacity_bytes:
            yield "burst", "one access is larger than the whole memory"
        if self.write_bandwidth_bytes_per_s is None and self.write_latency_ps:
            yield "write_latency", "has no effect without write_bandwidth"


class SystemSram(Description):
    """On-chip SRAM that cores and host share, between main memory and the buffers; one access a cycle."""

    kind: Literal["system_sram"] = "system_sram"
    name: str = "system_sram"
    capacity_bytes: Bytes
    """What the compiler may place there, for example 2 MiB."""
    width_bytes: Bytes
    """Bytes of one access, also the smallest."""
    clock_hz: Hertz
    """Accesses a second, reads and writes together."""
    latency_cycles: Annotated[int, Field(ge=0)] = 2
    """From a request to its first byte."""
    max_outstanding: PositiveInt = 64
    """Bus requests it holds; others wait in the interconnect."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """An access larger than the memory."""
        if self.width_bytes > self.capacity_bytes:
            yield "width", "one access is wider than the whole memory"

    @property
    def as_memory(self) -> SimpleMemory:
        """The same as a memory of fixed latency and bandwidth (its energy is that of the shared table of SRAMs)."""
        bandwidth = self.width_bytes * self.clock_hz
        # Validated already, under other names.
        return SimpleMemory.model_construct(
            kind="simple_memory",
            name=self.name,
            technology="sram",
            capacity_bytes=self.capacity_bytes,
            read_bandwidth_bytes_per_s=bandwidth,
            write_bandwidth_bytes_per_s=bandwidth,
            read_latency_ps=self.latency_cycles * PS_PER_S // self.clock_hz,
            burst_bytes=self.width_bytes,
            max_outstanding=self.max_outstanding,
        )


class IdealMemory(Description):
    """Answers at once, at any rate: what remains is the rest of the system."""

    kind: Literal["ideal_memory"]
    name: str = "ideal"
    capacity_bytes: Bytes = 2**40


Memory = Annotated[Dram | SimpleMemory | IdealMemory, Field(discriminator="kind")]
