"""What a run did, as far as energy depends on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """Bytes that passed the port of a buffer, the array's side and the DMA's together, all cores together."""

    read_bytes: int = 0
    written_bytes: int = 0


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
    """All-bank refreshes."""
    active_ps: int = 0
    """Time with at least one bank open, summed over channels."""


@dataclass(frozen=True)
class Counts:
    """Actions of a run or of a part of it; sums over all cores."""

    elapsed_ps: int
    """Duration: what leaks and what stands by does so this long."""
    macs: int = 0
    """Multiply-accumulates that PEs performed."""
    register_bytes: int = 0
    """Bytes latched in PE registers and read from there: operands passed on, partial sums updated."""
    weights_buffer: Traffic = Traffic()
    inputs_buffer: Traffic = Traffic()
    outputs_buffer: Traffic = Traffic()
    interconnect_bytes: int = 0
    """Bytes that crossed the interconnect, in either direction."""
    host_operations: int = 0
    dram: MemoryCounts = MemoryCounts()
    weight_memory: MemoryCounts = MemoryCounts()
