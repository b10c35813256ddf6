"""How fast an idle SoC moves data, derived from its description: the constants of the cost model.

A DMA channel moves at the least of three rates: what the memory sustains (its peak less the time of refresh), the
interconnect's data path, and its own window (bytes it may have under way over the latency of an idle memory).
Contention and row misses are left out: the simulation shows what they cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from soc_sim.config.memory import Dram, Memory, SimpleMemory
from soc_sim.config.soc import Soc

PS_PER_S = 1e12


@dataclass(frozen=True, slots=True)
class MemoryRate:
    """A memory on its own; times in ps."""

    read_ps_per_byte: float
    write_ps_per_byte: float
    latency_ps: float
    """Of a read that finds its row closed, to the first data."""
    burst_bytes: int
    """Smallest access."""
    turnaround_ps: float
    """Idle time of the data bus from a read to a write and back."""


@dataclass(frozen=True, slots=True)
class Rates:
    """All rates of an SoC, in ps."""

    array_cycle_ps: float
    dispatch_ps: float
    """Of one instruction."""
    descriptor_ps: float
    """Of one region."""
    dram: MemoryRate
    weights: MemoryRate
    """The memory of the weights; the same as ``dram`` where there is only one."""
    fabric_ps_per_byte: float
    """A data path of the interconnect."""
    dram_load_ps_per_byte: float
    weight_load_ps_per_byte: float
    store_ps_per_byte: float
    """What one DMA channel reaches."""
    request_ps: float
    """What a DMA channel takes for each request at least: its window holds so many, however short they are."""
    load_latency_ps: float
    """From the request to the first data of an idle main memory, interconnect included."""
    weight_latency_ps: float
    host_cycle_ps: float
    host_ps_per_byte: float


def memory_rate(memory: Memory) -> MemoryRate:
    """Peak rate and idle latency of a memory."""
    if isinstance(memory, Dram):
        timing = memory.timing
        # Two data beats per command clock.
        refresh = 1 - timing.nRFC / timing.nREFI
        per_byte = memory.burst_length / 2 * timing.tck_ps / memory.burst_bytes / memory.channels / refresh
        latency = (timing.nRCD + timing.nCL) * timing.tck_ps + memory.controller_latency_ps
        # Write to read: tWTR and the read's CL. Read to write: two cycles, as the read's data delay the write's.
        turnaround = (timing.nWTR_L + timing.nCL + 2) * timing.tck_ps
        return MemoryRate(per_byte, per_byte, latency, memory.burst_bytes, turnaround)
    if isinstance(memory, SimpleMemory):
        read = PS_PER_S / memory.read_bandwidth_bytes_per_s
        write = PS_PER_S / (memory.write_bandwidth_bytes_per_s or memory.read_bandwidth_bytes_per_s)
        return MemoryRate(read, write, memory.read_latency_ps, memory.burst_bytes, 0.0)
    return MemoryRate(0.0, 0.0, 0.0, 1, 0.0)


def rates_of(soc: Soc) -> Rates:
    """The rates of ``soc``."""
    dram = memory_rate(soc.dram)
    weights = memory_rate(soc.weight_memory) if soc.weight_memory else dram
    fabric_cycle = PS_PER_S / soc.interconnect.clock_hz
    fabric = fabric_cycle / soc.interconnect.width_bytes

    def latency(memory: MemoryRate) -> float:
        return memory.latency_ps + soc.interconnect.latency_cycles * fabric_cycle

    def channel(memory: MemoryRate, per_byte: float, burst_bytes: int, outstanding: int) -> float:
        round_trip = latency(memory) + burst_bytes * max(per_byte, fabric)
        return max(per_byte, fabric, round_trip / (burst_bytes * outstanding))

    dma, host = soc.dma, soc.host
    return Rates(
        array_cycle_ps=PS_PER_S / soc.array.clock_hz,
        dispatch_ps=soc.controller.dispatch_cycles * PS_PER_S / soc.controller.clock_hz,
        descriptor_ps=dma.descriptor_cycles * PS_PER_S / dma.clock_hz,
        dram=dram,
        weights=weights,
        fabric_ps_per_byte=fabric,
        dram_load_ps_per_byte=channel(dram, dram.read_ps_per_byte, dma.burst_bytes, dma.max_outstanding),
        weight_load_ps_per_byte=channel(weights, weights.read_ps_per_byte, dma.burst_bytes, dma.max_outstanding),
        store_ps_per_byte=channel(dram, dram.write_ps_per_byte, dma.burst_bytes, dma.max_outstanding),
        request_ps=latency(dram) / dma.max_outstanding,
        load_latency_ps=latency(dram),
        weight_latency_ps=latency(weights),
        host_cycle_ps=PS_PER_S / host.clock_hz,
        host_ps_per_byte=channel(dram, dram.read_ps_per_byte, host.burst_bytes, host.max_outstanding),
    )


def host_ps(soc: Soc, rates: Rates, read_bytes: int, write_bytes: int, operations: int) -> int:
    """Expected time of a host layer: reading, computing and writing overlap."""
    compute = soc.host.start_cycles + math.ceil(operations / soc.host.lanes)
    shared = read_bytes * rates.dram.read_ps_per_byte + write_bytes * rates.dram.write_ps_per_byte
    moved = max(shared, max(read_bytes, write_bytes) * rates.host_ps_per_byte)
    return math.ceil(max(compute * rates.host_cycle_ps, moved) + rates.load_latency_ps)
