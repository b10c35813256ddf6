"""What a run did, as far as energy depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Traffic:
    """Bytes that passed the port of a buffer, the array's side and the DMA's together, all cores together."""

    read_bytes: int = 0
    written_bytes: int = 0
    metadata_bytes: int = 0
    """Of ``read_bytes``: what says where the zeros are."""


@dataclass(frozen=True)
class MemoryCounts:
    """What a memory did, all its channels together; commands and open time are those of a DRAM, else zero."""

    read_bytes: int = 0
    written_bytes: int = 0
    activates: int = 0
    """Rows opened; each is closed again once."""
    read_bursts: int = 0
    write_bursts: int = 0
    refreshes: int = 0
    """Refreshes, of all banks or of one as the controller does."""
    active_ps: int = 0
    """Time with at least one bank open, summed over channels and ranks."""
    active_power_down_ps: int = 0
    """Of this: powered down."""
    precharged_power_down_ps: int = 0
    """Powered down with all banks closed."""
    self_refresh_ps: int = 0
    phases: tuple[MemoryPhase, ...] = ()
    """The same by voltage, where its clock has operating points."""


@dataclass(frozen=True)
class MemoryPhase:
    """A time in which a memory had one clock and one voltage."""

    voltage_v: float | None
    """None: that of its description."""
    elapsed_ps: int
    counts: MemoryCounts


@dataclass(frozen=True)
class Counts:
    """Actions of a run or of a part of it; sums over all cores."""

    elapsed_ps: int
    """Duration: what leaks and what stands by does so this long."""
    macs: int = 0
    """Multiply-accumulates that PEs performed, gated ones included."""
    macs_gated: int = 0
    """Of these: the weight was an injected zero."""
    idle_pe_cycles: int = 0
    """Cycles of PEs that were clocked and had no operands: fill, drain, and stalls where the clock goes on."""
    register_read_bytes: int = 0
    """Read from PE registers."""
    register_write_bytes: int = 0
    """Latched in PE registers."""
    pe_to_pe_bytes: int = 0
    """Of these: came over the wire from a neighbour."""
    decompressed_bytes: int = 0
    """Words that passed the decompression unit of a sparse layer, injected zeros included; or expanded bytes, where
    weights are expanded when they are loaded."""
    weights_buffer: Traffic = Traffic()
    inputs_buffer: Traffic = Traffic()
    outputs_buffer: Traffic = Traffic()
    interconnect_bytes: int = 0
    """Bytes that crossed the interconnect, in either direction."""
    host_operations: Mapping[str, int] = field(default_factory=dict)
    """Kind of operation → how many."""
    array_ps: Mapping[str, int] | None = None
    """Power state of the PEs → time in it, summed over cores; None: powered all the time."""
    transitions: Mapping[str, int] = field(default_factory=dict)
    """Clock domain → changes of its frequency."""
    dram: MemoryCounts = MemoryCounts()
    weight_memory: MemoryCounts = MemoryCounts()
    system_sram: MemoryCounts = MemoryCounts()
