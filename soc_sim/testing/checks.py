"""What every run must satisfy, whatever its SoC and program: for tests of one's own components and configurations.

>>> from soc_sim.system import run
>>> from soc_sim.testing.small import program_of, small_soc
>>> check_record(run(small_soc(), program_of([])))
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Region, Store, VectorOp
from soc_sim.config.memory import Dram
from soc_sim.kernel import Clock
from soc_sim.system import RunRecord, ScenarioRecord
from soc_sim.system.domains import Phase


def check_record(record: RunRecord) -> None:
    """Conservation, sums and credits of a run (for bounds of its makespan see ``bounds``).

    Raises:
        AssertionError: what does not hold, all of it, a line each.
    """
    faults = [*_sums(record), *_times(record), *_bytes(record), *_buffers(record), *_memories(record)]
    if faults:
        raise AssertionError("\n".join(faults))


def check_scenario(record: ScenarioRecord) -> None:
    """What holds for several streams, wherever the scenario ends: sums, conservation, and credits if nothing is left.

    Raises:
        AssertionError: what does not hold, all of it, a line each.
    """
    machine = record.machine
    pending = any(one.end_ps is None for stream in record.streams for one in stream.inferences)
    faults = [*_sums(machine), *_memories(machine), *_executed(machine, pending=pending)]
    for number, stream in enumerate(record.streams):
        ends_ps = [machine.makespan_ps if one.end_ps is None else one.end_ps for one in stream.inferences]
        if ends_ps != sorted(ends_ps):
            faults.append(f"stream {number}: inferences overtake each other: {ends_ps}")
        for one, end_ps in zip(stream.inferences, ends_ps, strict=True):
            if not 0 <= one.submitted_ps <= end_ps <= machine.makespan_ps:
                faults.append(f"stream {number}: asked for at {one.submitted_ps} ps, ended at {end_ps}")
    if faults:
        raise AssertionError("\n".join(faults))


def _executed(record: RunRecord, *, pending: bool) -> Iterator[str]:
    """Bytes asked for are those of the executed instructions; with some ``pending``, at least. Likewise space."""
    done = Counter[tuple[int, str, bool]]()
    for instruction, write, regions in _moves(record.program):
        for region in regions:
            done[instruction.layer, region.memory, write] += region.size_bytes * record.executions[instruction.index]
    for key in sorted({*done, *record.asked_bytes}):
        asked = record.asked_bytes.get(key, 0)
        if asked < done[key] or (asked > done[key] and not pending):
            yield f"asked for {asked} bytes of {key}; what was executed has {done[key]}"
    resident = Counter[int]()
    for instruction in record.program.instructions:
        if isinstance(instruction, Load) and instruction.once and record.executions[instruction.index]:
            resident[instruction.core] += instruction.buffer_bytes
    for index, core in enumerate(record.cores):
        for name, buffer in core.buffers.items():
            if not pending and buffer.left_bytes > (resident.total() if "weights" in buffer.operands else 0):
                yield f"core{index}.{name}: {buffer.left_bytes} bytes were not given back"
            if not 0 <= buffer.peak_bytes <= buffer.capacity_bytes:
                yield f"core{index}.{name}: filled with {buffer.peak_bytes} bytes of {buffer.capacity_bytes}"


def _sums(record: RunRecord) -> Iterator[str]:
    """Every picosecond has one cause; nothing is busy for longer than the run lasts."""
    makespan_ps = record.makespan_ps
    ledgers = {f"core{index}.array": core.array_ps for index, core in enumerate(record.cores)}
    ledgers |= {"host": record.host_ps}
    for core in record.cores:
        ledgers |= core.units_ps
    for name, spans_ps in ledgers.items():
        if sum(spans_ps.values()) != makespan_ps:
            yield f"{name}: causes sum to {sum(spans_ps.values())} ps of {makespan_ps}"
        if any(span_ps < 0 for span_ps in spans_ps.values()):
            yield f"{name}: a cause has negative time: {spans_ps}"
    for index, core in enumerate(record.cores):
        for (owner, cause), span_ps in core.array_ps.items():
            if cause.startswith("wait"):
                parts = [part for key, part in core.reasons_ps.items() if key[:2] == (owner, cause)]
                if sum(parts) != span_ps or min(parts) <= 0:
                    yield f"core{index}.array: reasons of {cause} in layer {owner} sum to {sum(parts)} ps of {span_ps}"
    for path, busy_ps in record.interconnect_busy_ps.items():
        if busy_ps > makespan_ps:
            yield f"{path}: busy for {busy_ps} ps of {makespan_ps}"


def _times(record: RunRecord) -> Iterator[str]:
    """Arrays are busy for the cycles of their tiles; layers and inferences lie within the run."""
    makespan_ps = record.makespan_ps
    for index, core in enumerate(record.cores):
        busy_ps = sum(span_ps for (_, cause), span_ps in core.array_ps.items() if cause == "busy")
        least_ps, most_ps = _busy_bounds_ps(record, index)
        tiles = record.inferences * sum(_runs_on(instruction, index) for instruction in record.program.instructions)
        # The edges of a tile are rounded to picoseconds.
        if not least_ps - tiles <= busy_ps <= most_ps + tiles:
            yield f"core{index}.array: busy for {busy_ps} ps; its cycles are {least_ps}"
    if record.program.instructions and max(record.inference_end_ps) != makespan_ps:
        yield f"the last inference ends at {max(record.inference_end_ps)} ps of {makespan_ps}"
    for layer in record.layers:
        if not 0 <= layer.start_ps <= layer.end_ps <= makespan_ps:
            yield f"a layer lasts from {layer.start_ps} to {layer.end_ps} ps of {makespan_ps}"


def _busy_bounds_ps(record: RunRecord, core: int) -> tuple[int, int]:
    """What the cycles of a core's tiles take: at one frequency, or tile by tile at those that the clock had meanwhile.

    Where frequencies change and PEs wake up, only bounds: the record does not say when a tile's first cycle was.
    """
    domain, cycles = record.soc.domain_of("array"), _cycles(record.program)[core] * record.inferences
    phases = record.phases[domain.name]
    if len(phases) == 1 or domain.idle_states:
        frequencies_hz = [phase.clock_hz for phase in phases]
        return Clock(max(frequencies_hz)).span_ps(cycles), Clock(min(frequencies_hz)).span_ps(cycles)
    times, total_ps = record.times, 0
    for index, start_ps in zip(times.instructions, times.started_ps, strict=True):
        compute = record.program.instructions[index]
        if isinstance(compute, Compute) and compute.core == core:
            total_ps += _span_ps(phases, start_ps, compute.counts.cycles)
    return total_ps, total_ps


def _span_ps(phases: Sequence[Phase], start_ps: int, cycles: int) -> int:
    """Length of so many cycles from the first edge at or after a time on, without the stops between frequencies."""
    ends: list[float] = [*(phase.past_cycles for phase in phases[1:]), math.inf]
    own = max(place for place, phase in enumerate(phases) if phase.start_ps <= start_ps or place == 0)
    # Within a stop the next edge is the first one of the next frequency.
    first = min(phases[own].cycles_at(start_ps), ends[own])
    total_ps = 0
    for phase, end in zip(phases, ends, strict=True):
        begin, stop = max(first, phase.past_cycles), min(first + cycles, end)
        if begin < stop:
            clock = Clock(phase.clock_hz)
            total_ps += clock.edge_ps(int(stop) - phase.past_cycles) - clock.edge_ps(int(begin) - phase.past_cycles)
    return total_ps


def _bytes(record: RunRecord) -> Iterator[str]:
    """Bytes of the program = asked by initiators = passed by the interconnect = served; likewise what is executed."""
    program, inferences = record.program, record.inferences
    expected = _run_bytes(program, inferences)
    if record.asked_bytes != expected:
        yield f"asked for {record.asked_bytes} bytes; the program says {expected}"
    for name, counters in record.memories.items():
        for write, counter in ((False, "read_bytes"), (True, "write_bytes")):
            asked = sum(size for (_, memory, is_write), size in expected.items() if (memory, is_write) == (name, write))
            traffic = sum(
                record.background_bytes[background.name, write]
                for background in record.soc.background
                if background.memory == name
            )
            # Background traffic goes on: at the end some of it may be under way.
            if not asked <= counters[counter] <= asked + traffic:
                yield f"{name}: {counter} {counters[counter]}, asked for {asked} and {traffic} in the background"
    own = {background.name for background in record.soc.background}
    passed = sum(size for name, size in record.interconnect_bytes.items() if name not in own)
    outside = sum(size for (_, memory, _), size in expected.items() if memory in record.memories)
    if passed != outside:
        yield f"interconnect: {passed} bytes, asked for {outside}"
    for name, traffic_of_one in record.traffic.items():
        if traffic_of_one.moved_bytes != record.interconnect_bytes[name]:
            yield f"{name}: {traffic_of_one.moved_bytes} bytes, and {record.interconnect_bytes[name]} passed"
    dispatched = sum(core.dispatched for core in record.cores)
    to_dispatch = len(program.instructions) * inferences - len(program.once) * (inferences - 1)
    if dispatched != to_dispatch:
        yield f"controllers: {dispatched} instructions of {to_dispatch}"
    operations = sum(
        op.operations * (1 if op.once else inferences) for op in program.instructions if isinstance(op, VectorOp)
    )
    if record.host_operations != operations:
        yield f"host: {record.host_operations} operations of {operations}"


def _buffers(record: RunRecord) -> Iterator[str]:
    """Space comes back, never exceeds the capacity, and traffic is that of the program."""
    for index, core in enumerate(record.cores):
        traffic, once = (_buffer_traffic(record.program, index, once=once) for once in (False, True))
        resident_bytes = once["weights", "dma_write"]
        for name, buffer in core.buffers.items():
            if buffer.left_bytes != (resident_bytes if "weights" in buffer.operands else 0):
                yield f"core{index}.{name}: {buffer.left_bytes} bytes were not given back"
            if not 0 <= buffer.peak_bytes <= buffer.capacity_bytes:
                yield f"core{index}.{name}: filled with {buffer.peak_bytes} bytes of {buffer.capacity_bytes}"
            for kind in ("array_read", "array_write", "dma_read", "dma_write"):
                for operand, counted in buffer.operands.items():
                    moved = getattr(counted, f"{kind}_bytes")
                    expected = traffic[operand, kind] * record.inferences + once[operand, kind]
                    if moved != expected:
                        yield f"core{index}.{operand}: {kind} {moved} bytes of {expected}"


def _memories(record: RunRecord) -> Iterator[str]:
    """Data paths are busy at most all the time; DRAM commands agree with each other."""
    for name, memory in record.soc.memories.items():
        counters = record.memories[name]
        if counters["busy_ps"] > record.makespan_ps:
            yield f"{name}: busy for {counters['busy_ps']} ps of {record.makespan_ps}"
        if not isinstance(memory, Dram):
            continue
        accesses = sum(counters[kind] for kind in ("row_hits", "row_misses", "row_conflicts"))
        bursts = counters["read_bursts"] + counters["write_bursts"]
        if accesses != bursts:
            yield f"{name}: {accesses} hits, misses and conflicts of {bursts} bursts"
        for kind in ("read", "write"):
            if counters[f"{kind}_bursts"] * memory.burst_bytes < counters[f"{kind}_bytes"]:
                yield f"{name}: {counters[f'{kind}_bursts']} bursts for {counters[f'{kind}_bytes']} bytes"
        if counters["activates"] != counters["row_misses"] + counters["row_conflicts"]:
            yield f"{name}: {counters['activates']} activates, but not as many misses and conflicts"
        # Ranks take turns; the n-th refresh of one is due n · interval / refreshes of an interval after its start.
        interval, cycles = memory.timing.nREFI, record.makespan_ps // memory.timing.tck_ps
        of_interval = memory.banks if memory.controller.refresh == "per_bank" else 1
        starts = (interval * rank // memory.ranks for rank in range(memory.ranks))
        due = (max(0, ((cycles - start + 1) * of_interval - 1) // interval) for start in starts)
        refreshes = memory.channels * sum(due)
        sleeps = memory.controller.self_refresh_after_cycles is not None
        if counters["refreshes"] > refreshes or (counters["refreshes"] < refreshes and not sleeps):
            yield f"{name}: {counters['refreshes']} refreshes, due are {refreshes}"
        ranks = memory.channels * memory.ranks
        if counters["active_ps"] > record.makespan_ps * ranks:
            yield f"{name}: rows open for {counters['active_ps']} ps of {ranks} × {record.makespan_ps}"


def _runs_on(instruction: object, core: int) -> bool:
    return isinstance(instruction, Compute) and instruction.core == core


def _cycles(program: Program) -> Counter[int]:
    """Core → cycles of its tiles."""
    cycles = Counter[int]()
    for instruction in program.instructions:
        if isinstance(instruction, Compute):
            cycles[instruction.core] += instruction.counts.cycles
    return cycles


def _moves(program: Program) -> Iterator[tuple[Instruction, bool, tuple[Region, ...]]]:
    """(instruction, write, regions) of everything that goes to memories, and to buffers from others."""
    for instruction in program.instructions:
        match instruction:
            case Load(regions=regions):
                yield instruction, False, regions
            case Store(regions=regions):
                yield instruction, True, regions
            case VectorOp(reads=reads, writes=writes):
                yield instruction, False, reads
                yield instruction, True, writes


def _run_bytes(program: Program, inferences: int) -> dict[tuple[int, str, bool], int]:
    """(layer, memory, write) → bytes of all inferences."""
    sizes: dict[tuple[int, str, bool], int] = {}
    for instruction, write, regions in _moves(program):
        times = 1 if instruction.index in program.once else inferences
        for region in regions:
            key = (instruction.layer, region.memory, write)
            sizes[key] = sizes.get(key, 0) + times * region.size_bytes
    return sizes


def _buffer_traffic(program: Program, core: int, *, once: bool) -> Counter[tuple[str, str]]:
    """(buffer, kind of traffic) → bytes of one inference; or of what the first one alone runs."""
    traffic = Counter[tuple[str, str]]()
    for instruction in program.instructions:
        if (instruction.index in program.once) != once:
            continue
        match instruction:
            case Load(core=owner, buffer=buffer, written_bytes=size_bytes) if owner == core:
                traffic[buffer, "dma_write"] += size_bytes
            case Store(core=owner, regions=regions) if owner == core:
                traffic["outputs", "dma_read"] += sum(region.size_bytes for region in regions)
                kept = (region.size_bytes for region in regions if region.memory == "inputs_buffer")
                traffic["inputs", "dma_write"] += sum(kept)
            case Compute(core=owner, counts=counts) if owner == core:
                traffic["weights", "array_read"] += counts.weight_bytes
                traffic["inputs", "array_read"] += counts.input_bytes
                traffic["outputs", "array_read"] += counts.output_read_bytes
                traffic["outputs", "array_write"] += counts.output_write_bytes
    return traffic
