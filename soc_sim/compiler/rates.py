"""How fast an idle SoC moves data, derived from its description: the constants of the cost model.

A DMA channel moves at the least of three rates: what the memory sustains (its peak less the time of refresh), the
interconnect's data path, and its own window (bytes it may have under way over the latency of an idle memory).
Contention and row misses are left out: the simulation shows what they cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from soc_sim.config.memory import Dram, Memory, SimpleMemory
from soc_sim.config.soc import MemoryName, Soc

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
    """All rates of an SoC, in ps; by the name of a memory where they depend on it."""

    array_cycle_ps: float
    dispatch_ps: float
    """Of one instruction."""
    descriptor_ps: float
    """Of one region."""
    memories: Mapping[MemoryName, MemoryRate]
    """Each memory alone; a buffer is reached by the DMA's own data path."""
    fabric_ps_per_byte: float
    """A data path of the interconnect."""
    load_ps_per_byte: Mapping[MemoryName, float]
    store_ps_per_byte: Mapping[MemoryName, float]
    """What one DMA channel reaches."""
    request_ps: Mapping[MemoryName, float]
    """What a DMA channel takes for each request at least: its window holds so many, however short they are."""
    latency_ps: Mapping[MemoryName, float]
    """From the request to the first data of an idle memory, interconnect included."""
    expand_ps_per_byte: float
    """Of a byte that a DMA channel's decompressor hands on; 0: there is none."""
    host_cycle_ps: float
    host_ps_per_byte: Mapping[MemoryName, float]


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
    dma, host = soc.dma, soc.host
    fabric_cycle = PS_PER_S / soc.interconnect.clock_hz
    fabric = 0.0 if soc.interconnect.kind == "ideal" else fabric_cycle / soc.interconnect.width_bytes
    memories = {name: memory_rate(memory) for name, memory in soc.memories.items()}
    latency = {
        name: rate.latency_ps + soc.interconnect.latency_cycles * fabric_cycle for name, rate in memories.items()
    }

    def channel(name: MemoryName, per_byte: float, burst_bytes: int, outstanding: int) -> float:
        round_trip = latency[name] + burst_bytes * max(per_byte, fabric)
        return max(per_byte, fabric, round_trip / (burst_bytes * outstanding))

    def by_dma(name: MemoryName, per_byte: float) -> float:
        return channel(name, per_byte, dma.burst_bytes, dma.max_outstanding)

    def window(name: MemoryName, rate: MemoryRate) -> float:
        # A transfer is up to half of the requests under way, and makes room once all of it has been served.
        access = rate.burst_bytes * max(rate.read_ps_per_byte, fabric)
        return (latency[name] + max(1, dma.max_outstanding // 2) * access) / dma.max_outstanding

    local = PS_PER_S / dma.clock_hz / soc.local_width_bytes if soc.local_width_bytes else 0.0
    on_chip: dict[MemoryName, float] = {"inputs_buffer": local, "weights_buffer": 0.0}
    no_time: dict[MemoryName, float] = dict.fromkeys(on_chip, 0.0)
    return Rates(
        array_cycle_ps=PS_PER_S / soc.array.clock_hz,
        dispatch_ps=soc.controller.dispatch_cycles * PS_PER_S / soc.controller.clock_hz,
        descriptor_ps=dma.descriptor_cycles * PS_PER_S / dma.clock_hz,
        memories=memories,
        fabric_ps_per_byte=fabric,
        load_ps_per_byte={name: by_dma(name, rate.read_ps_per_byte) for name, rate in memories.items()} | no_time,
        store_ps_per_byte={name: by_dma(name, rate.write_ps_per_byte) for name, rate in memories.items()} | on_chip,
        request_ps={name: window(name, rate) for name, rate in memories.items()} | no_time,
        latency_ps=latency | no_time,
        expand_ps_per_byte=PS_PER_S / dma.clock_hz / dma.decompression.bytes_per_cycle if dma.decompression else 0.0,
        host_cycle_ps=PS_PER_S / host.clock_hz,
        host_ps_per_byte={
            name: channel(name, rate.read_ps_per_byte, host.burst_bytes, host.max_outstanding)
            for name, rate in memories.items()
        },
    )


def host_ps(
    soc: Soc, rates: Rates, reads: Mapping[MemoryName, int], writes: Mapping[MemoryName, int], cycles: int
) -> int:
    """Expected time of a host layer that moves so many bytes: reading, computing and writing overlap."""
    compute = soc.host.start_cycles + cycles
    moved = latency = 0.0
    for name in {*reads, *writes}:
        rate, read, write = rates.memories[name], reads.get(name, 0), writes.get(name, 0)
        shared = read * rate.read_ps_per_byte + write * rate.write_ps_per_byte
        moved = max(moved, shared, max(read, write) * rates.host_ps_per_byte[name])
        latency = max(latency, rates.latency_ps[name])
    return math.ceil(max(compute * rates.host_cycle_ps, moved) + latency)
