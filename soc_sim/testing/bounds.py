"""Bounds of a run that need no simulation: what no schedule can beat, and what the worst one would take.

Both follow from the program and the description alone, so they check the simulator independently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Region, Store, VectorOp
from soc_sim.config.core import BufferName
from soc_sim.config.memory import Dram, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.kernel import chunks
from soc_sim.units import PS_PER_S


def lower_bound_ps(soc: Soc, program: Program) -> float:
    """The largest of: MACs at peak, bytes at peak rate (each memory and path), and the longest chain of dependencies.

    In the chain every instruction takes the time of an empty system without latencies.
    """
    peak_macs_per_s = soc.array.rows * soc.array.cols * soc.cores * soc.array.clock_hz
    macs = sum(compute.counts.macs for compute in program.instructions if isinstance(compute, Compute))
    bounds = [macs * PS_PER_S / peak_macs_per_s]
    moved: dict[tuple[str, str], float] = {}
    for instruction in program.instructions:
        _add_moved(moved, soc, instruction)
    bounds += moved.values()
    ends: list[float] = []
    for instruction in program.instructions:
        start = max((ends[index] for index in instruction.depends), default=0.0)
        ends.append(start + _least_ps(soc, instruction))
    return max((*bounds, *ends))


def layer_bounds_ps(soc: Soc, program: Program) -> list[float]:
    """Layer → what it takes at least from its first instruction to its last: its roofline and its longest chain.

    The roofline is the larger of tiles on the busiest core and bytes at the peak rate of each memory and data path; the
    chain follows the dependencies within the layer.
    """
    bounds = [0.0] * len(program.layers)
    moved: list[dict[tuple[str, str], float]] = [{} for _ in program.layers]
    computed: dict[tuple[int, int], float] = {}
    ends: dict[int, float] = {}
    for instruction in program.instructions:
        layer = instruction.layer
        _add_moved(moved[layer], soc, instruction)
        if isinstance(instruction, Compute):
            tile = (layer, instruction.core)
            computed[tile] = computed.get(tile, 0.0) + _least_ps(soc, instruction)
        within = [index for index in instruction.depends if program.instructions[index].layer == layer]
        start = max((ends[index] for index in within), default=0.0)
        ends[instruction.index] = start + _least_ps(soc, instruction)
        bounds[layer] = max(bounds[layer], ends[instruction.index])
    for (layer, _), span in computed.items():
        bounds[layer] = max(bounds[layer], span)
    return [max(bound, *spans.values(), 0.0) for bound, spans in zip(bounds, moved, strict=True)]


def upper_bound_ps(soc: Soc, program: Program) -> float:
    """Everything one after another: each transfer pays the whole latency, each row is opened anew, nothing overlaps."""
    clocks = {clock: PS_PER_S / clock for clock in (soc.controller.clock_hz, soc.dma.clock_hz, soc.host.clock_hz)}
    total = 0.0
    for instruction in program.instructions:
        total += (soc.controller.dispatch_cycles + 1) * clocks[soc.controller.clock_hz]
        match instruction:
            case Compute(counts=counts):
                moved: dict[BufferName, int] = {
                    "weights": counts.weight_bytes,
                    "inputs": counts.input_bytes,
                    "outputs": counts.output_read_bytes + counts.output_write_bytes,
                }
                pads = soc.buffers.pads.values()
                port_cycles = max(
                    sum(moved[name] for name in pad) / soc.buffers.of(pad[0]).ports / soc.port_width_bytes(pad[0])
                    for pad in pads
                )
                # At worst all accesses of the array, and the DMA, meet at a bank in every cycle.
                met = max(1 if soc.buffers.of(pad[0]).banks == 1 else 2 + len(pad) for pad in pads)
                cycles = counts.cycles * met + counts.decompression_stall_cycles
                total += (max(cycles, port_cycles) + 2) * PS_PER_S / soc.array.clock_hz
            case VectorOp():
                # One cycle is rounded up a block.
                blocks = 1 + sum(region.size_bytes for region in _regions(instruction)) / soc.host.block_bytes
                host_cycles = soc.host.start_cycles + _host_cycles(soc, instruction) + 2 * blocks + 2
                total += host_cycles * clocks[soc.host.clock_hz]
                total += sum(_serial_ps(soc, region, host=True) for region in _regions(instruction))
            case Load() | Store():
                if isinstance(instruction, Load) and instruction.expands:
                    total += _expand_ps(soc, instruction.written_bytes) + _expand_latency_ps(soc, instruction)
                # What the DMA moves can take a buffer's ports from the array, byte for byte.
                setup = (soc.dma.descriptor_cycles + 1) * clocks[soc.dma.clock_hz]
                total += sum(setup + 2 * _serial_ps(soc, region, host=False) for region in _regions(instruction))
    return total


def _host_cycles(soc: Soc, operator: VectorOp) -> float:
    return operator.operations / soc.host.lanes if operator.cycles is None else operator.cycles


def _regions(instruction: Instruction) -> list[Region]:
    return [region for _, regions in _moves(instruction) for region in regions]


def _add_moved(moved: dict[tuple[str, str], float], soc: Soc, instruction: Instruction) -> None:
    """Adds the least time of an instruction's bytes at each memory, and on each data path that they share."""
    for write, regions in _moves(instruction):
        direction = "write" if write else "read"
        for region in regions:
            path: tuple[str, str] = (
                (soc.interconnect.kind, "") if soc.interconnect.kind == "bus" else (region.memory, direction)
            )
            spans: dict[tuple[str, str], float]
            if region.memory == "inputs_buffer":
                spans = {(region.memory, direction): _ps_per_byte(soc, region)}
            else:
                spans = {(region.memory, ""): _memory_ps_per_byte(soc, region), path: _fabric_ps_per_byte(soc)}
            for key, span in spans.items():
                moved[key] = moved.get(key, 0.0) + region.size_bytes * span


def _moves(instruction: Instruction) -> Iterator[tuple[bool, Sequence[Region]]]:
    """(whether it writes, regions)."""
    match instruction:
        case Load(regions=regions):
            yield False, regions
        case Store(regions=regions):
            yield True, regions
        case VectorOp(reads=reads, writes=writes):
            yield False, reads
            yield True, writes


def _least_ps(soc: Soc, instruction: Instruction) -> float:
    moved = [region.size_bytes * _ps_per_byte(soc, region) for region in _regions(instruction)]
    match instruction:
        case Compute(counts=counts):
            return (counts.cycles + counts.decompression_stall_cycles) * PS_PER_S / soc.array.clock_hz
        case VectorOp():
            return max(_host_cycles(soc, instruction) * PS_PER_S / soc.host.clock_hz, *moved, 0.0)
        case Load(expands=True):
            return max(sum(moved), _expand_ps(soc, instruction.written_bytes))
        case _:
            return sum(moved)


def _expand_ps(soc: Soc, size_bytes: int) -> float:
    """What a decompressor takes for so many bytes that leave it."""
    unit = soc.dma.decompression
    return size_bytes / unit.bytes_per_cycle * PS_PER_S / soc.dma.clock_hz if unit else 0.0


def _expand_latency_ps(soc: Soc, load: Load) -> float:
    """At worst each request is a chunk of its own, with its latency and the rounding of its cycles."""
    unit, requests = soc.dma.decompression, 1 + load.buffer_bytes // soc.dma.burst_bytes
    return requests * (unit.latency_cycles + 3) * PS_PER_S / soc.dma.clock_hz if unit else 0.0


def _ps_per_byte(soc: Soc, region: Region) -> float:
    """At the peak of memory or data path, whichever is slower."""
    if region.memory == "inputs_buffer":
        return PS_PER_S / soc.dma.clock_hz / soc.local_width_bytes if soc.local_width_bytes else 0.0
    return max(_fabric_ps_per_byte(soc), _memory_ps_per_byte(soc, region))


def _fabric_ps_per_byte(soc: Soc) -> float:
    """Of one data path."""
    ideal = soc.interconnect.kind == "ideal"
    return 0.0 if ideal else PS_PER_S / soc.interconnect.clock_hz / soc.interconnect.width_bytes


def _memory_ps_per_byte(soc: Soc, region: Region) -> float:
    match soc.memories[region.memory]:
        case Dram() as dram:
            return dram.timing.tck_ps * 4 / dram.bus_bits / dram.channels
        case SimpleMemory() as simple:
            return PS_PER_S / max(simple.read_bandwidth_bytes_per_s, simple.write_bandwidth_bytes_per_s or 0)
        case _:
            return 0.0


def _serial_ps(soc: Soc, region: Region, *, host: bool) -> float:
    """All transfers of a region one after another, each on a memory in its worst state."""
    if host:
        burst, chunk, outstanding = soc.host.burst_bytes, soc.host.block_bytes, soc.host.max_outstanding
    else:
        burst, chunk, outstanding = soc.dma.burst_bytes, soc.dma.chunk_bytes, soc.dma.max_outstanding
    cycle = PS_PER_S / soc.interconnect.clock_hz
    total = 0.0
    pieces = chunks(
        region.address,
        region.line_bytes,
        region.lines,
        region.pitch_bytes,
        max(burst, chunk),
        burst,
        max(1, outstanding // 2),
    )
    for _, line_bytes, lines, _ in pieces:
        if region.memory == "inputs_buffer":
            width_bytes = soc.local_width_bytes or soc.interconnect.width_bytes
            total += (-(-line_bytes // width_bytes) * lines + 2) * PS_PER_S / soc.dma.clock_hz
            continue
        beats = -(-line_bytes // soc.interconnect.width_bytes) * lines
        total += (soc.interconnect.latency_cycles + beats + 2) * cycle
        match soc.memories[region.memory]:
            case Dram() as dram:
                total += _dram_worst_ps(dram, line_bytes, lines)
            case SimpleMemory() as simple:
                accesses = (line_bytes // simple.burst_bytes + 2) * lines * simple.burst_bytes
                slowest = min(
                    simple.read_bandwidth_bytes_per_s,
                    simple.write_bandwidth_bytes_per_s or simple.read_bandwidth_bytes_per_s,
                )
                total += simple.read_latency_ps + simple.write_latency_ps + accesses * PS_PER_S / slowest
            case _:
                pass
    return total


def _dram_worst_ps(dram: Dram, line_bytes: int, lines: int) -> float:
    """Each line a row conflict (two where it crosses a row), with a turnaround, and the share of time of refreshes."""
    timing = dram.timing
    runs = lines * (2 + line_bytes // min(dram.row_bytes, dram.channel_interleave_bytes))
    bursts = lines * (2 + line_bytes // dram.burst_bytes)
    conflict = timing.nRAS + timing.nWR + timing.nRP + timing.nRCD + max(timing.nCL, timing.nCWL)
    turnaround = timing.nWTR_L + timing.nCL + 2
    cycles = runs * (conflict + turnaround) + bursts * dram.burst_length / 2 + 1
    available = 1 - (timing.nRFC + timing.nRP + conflict) / timing.nREFI
    return cycles * timing.tck_ps / available + dram.controller_latency_ps
