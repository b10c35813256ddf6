"""What every program must satisfy, checked from its instructions alone."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Region, Store, VectorOp
from soc_sim.config.core import BufferName
from soc_sim.config.soc import Soc

Unit = tuple[int, str]


def unit(instruction: Instruction) -> Unit:
    """The in-order unit that executes an instruction."""
    match instruction:
        case Load():
            return instruction.core, instruction.buffer
        case Compute():
            return instruction.core, "array"
        case Store():
            return instruction.core, "outputs"
        case VectorOp():
            return instruction.core, "host"


def needs(instruction: Instruction) -> tuple[int, ...]:
    """Indices of what must be complete before an instruction starts."""
    return instruction.depends


def check_order(program: Program) -> None:
    """Indices count up and dependencies point backwards."""
    for index, instruction in enumerate(program.instructions):
        assert instruction.index == index
        assert all(need < index for need in needs(instruction))
        if isinstance(instruction, Store):
            assert any(isinstance(program.instructions[need], Compute) for need in instruction.depends)


def check_occupancy(program: Program, soc: Soc) -> None:
    """Taken in program order, the buffers never overflow, and all space is given back."""
    live: dict[Unit, int] = defaultdict(int)

    def change(core: int, operand: BufferName, size: int) -> None:
        pad = soc.buffers.name_of(operand)
        live[core, pad] += size
        assert 0 <= live[core, pad] <= soc.buffers.of(operand).capacity_bytes

    for instruction in program.instructions:
        match instruction:
            case Load():
                moved = sum(region.size_bytes for region in instruction.regions)
                assert instruction.buffer_bytes == moved or not instruction.regions or instruction.expands
                change(instruction.core, instruction.buffer, instruction.buffer_bytes)
            case Compute():
                change(instruction.core, "outputs", instruction.output_bytes)
                change(instruction.core, "weights", -instruction.frees_weights_bytes)
                change(instruction.core, "inputs", -instruction.frees_inputs_bytes)
            case Store():
                change(instruction.core, "outputs", -instruction.buffer_bytes)
    resident = sum(i.buffer_bytes for i in program.instructions if isinstance(i, Load) and i.once)
    assert sum(live.values()) == resident


def check_work(program: Program, soc: Soc) -> None:
    """Each layer computes all its MACs, writes each result once, and loads each weight at least once."""
    for layer in program.layers:
        if layer.gemm is None or layer.tiling is None:
            continue
        instructions = list(program.of_layer(layer.index))
        assert sum(i.counts.macs for i in instructions if isinstance(i, Compute)) == layer.gemm.macs
        stores = [region for i in instructions if isinstance(i, Store) for region in i.regions]
        results = layer.gemm.m * layer.gemm.n * layer.gemm.groups * soc.array.operand_bytes
        assert sum(region.size_bytes for region in stores) == results
        assert _distinct_bytes(stores) == results
        weights = [r for i in instructions if isinstance(i, Load) and i.buffer == "weights" for r in i.regions]
        assert _distinct_bytes(weights) >= layer.gemm.m * layer.gemm.k * layer.gemm.groups * soc.array.operand_bytes


def check_memory(program: Program) -> None:
    """Whatever is read was written before and is known to be complete; nothing is overwritten that is still read.

    Follows each byte that activations have in a memory or buffer through the program, with vector clocks: what an
    instruction may rely on is what its dependencies, and the earlier instructions of their units, have completed.
    """
    for memory in program.memory_map.used_bytes:
        if memory != "weight_memory":
            _check_memory(program, memory)


def _check_memory(program: Program, memory: str) -> None:
    size = program.memory_map.used_bytes[memory]
    never, given = -1, -2
    writer = np.full(size, never)
    copied = any(isinstance(i, VectorOp) and i.once for i in program.instructions)
    for placement in program.memory_map.placements:
        # Weights in shared SRAM are there, or somebody copies them.
        there = memory == "dram" or (placement.last_layer is None and not copied)
        if placement.memory == memory and there:
            writer[placement.address : placement.address + placement.size_bytes] = given
    readers: dict[Unit, np.ndarray] = defaultdict(lambda: np.full(size, never))
    complete: list[dict[Unit, int]] = []
    started: list[dict[Unit, int]] = []
    previous: dict[Unit, int] = {}

    def merge(into: dict[Unit, int], other: dict[Unit, int]) -> None:
        for key, value in other.items():
            into[key] = max(value, into.get(key, never))

    for instruction in program.instructions:
        here, index = unit(instruction), instruction.index
        known: dict[Unit, int] = {}
        for need in needs(instruction):
            merge(known, complete[need])
        if here in previous:
            # Units start in order; the array and the host also finish one thing before they start the next.
            merge(known, (complete if here[1] in ("array", "host") else started)[previous[here]])
        reads = instruction.regions if isinstance(instruction, Load) else getattr(instruction, "reads", ())
        reads = instruction.kept if isinstance(instruction, Compute) else reads
        writes = instruction.regions if isinstance(instruction, Store) else getattr(instruction, "writes", ())
        for region in reads:
            if region.memory == memory:
                for source in np.unique(_bytes(writer, region)):
                    assert source != never
                    assert source == given or known.get(unit(program.instructions[source]), never) >= source
                _bytes(readers[here], region)[:] = index
        for region in writes:
            if region.memory != memory:
                continue
            for reader, latest in readers.items():
                last = int(_bytes(latest, region).max())
                in_order = reader == here and reader[1] != "host"
                assert last in (never, index) or in_order or known.get(reader, never) >= last
            for source in np.unique(_bytes(writer, region)):
                ordered = source < 0 or unit(program.instructions[source]) == here
                assert ordered or known.get(unit(program.instructions[source]), never) >= source
            _bytes(writer, region)[:] = index
        started.append(known)
        done = dict(known)
        if here in previous:
            merge(done, complete[previous[here]])
        done[here] = index
        complete.append(done)
        previous[here] = index


def _bytes(memory: np.ndarray, region: Region) -> np.ndarray:
    end = region.address + (region.lines - 1) * region.pitch_bytes + region.line_bytes
    assert region.address >= 0
    assert end <= len(memory)
    shape, step = (region.lines, region.line_bytes), memory.itemsize
    return np.lib.stride_tricks.as_strided(memory[region.address :], shape, (region.pitch_bytes * step, step))


def _distinct_bytes(regions: list[Region]) -> int:
    """Bytes that the regions cover, each counted once."""
    if not regions:
        return 0
    low = min(region.address for region in regions)
    high = max(r.address + (r.lines - 1) * r.pitch_bytes + r.line_bytes for r in regions)
    covered = np.zeros(high - low, bool)
    for region in set(regions):
        moved = Region(region.memory, region.address - low, region.line_bytes, region.lines, region.pitch_bytes)
        _bytes(covered, moved)[:] = True
    return int(covered.sum())
