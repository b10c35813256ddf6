"""How long a program takes where memory takes no time, in closed form: what a simulation must equal to the picosecond.

On an SoC of ``variants.with_ideal_memory`` a transfer ends when it begins, and buffers' ports bind nobody. What is left
are the cycles of the tiles and these overheads:

- ``dispatch``: the controller hands over one instruction after another, and a full instruction queue holds it up;
- ``room``: space in a buffer, which tiles that end and stores that leave give back;
- ``local path``: results that stay on chip pass the DMA's path from the outputs to the inputs buffer;
- ``host``: operators that a tile or the end of the run waits for;
- ``stores`` of another core's tiles, where several work on a program;
- each of them up to the next edge of the clock concerned.

Every time depends on instructions that stand earlier in the program alone: queues, buffers and paths are used in
program order, dependencies point backwards. So one pass over the program gives all of them, without a queue of events;
nothing of the simulated components is used but the arithmetic of clock edges.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Store, VectorOp
from soc_sim.config.core import BUFFERS
from soc_sim.config.soc import Soc
from soc_sim.kernel import Clock, chunks


@dataclass(frozen=True, slots=True)
class IdealRun:
    """One inference on memory that takes no time."""

    latency_ps: int
    """Until everything is complete."""
    array_ps: tuple[int, ...]
    """Core → cycles of its tiles, decompression included."""
    overheads_ps: tuple[Counter[str], ...]
    """Core → overhead → what it adds to ``array_ps``; with it, the sum is ``latency_ps``."""


Known = tuple[int, str]
"""A time, and what it is due to."""


class _Space:
    """A buffer, or a queue, of limited room that is taken in program order."""

    def __init__(self, capacity: int) -> None:
        self._capacity, self._taken = capacity, 0
        self._freed, self._times_ps = [0], [0]

    def take(self, amount: int) -> int:
        """When so much is free, in ps."""
        self._taken += amount
        return self._times_ps[bisect_left(self._freed, self._taken - self._capacity)]

    def give(self, amount: int, time_ps: int) -> None:
        """So much is given back at a time not before the last one."""
        if amount:
            self._freed.append(self._freed[-1] + amount)
            self._times_ps.append(time_ps)


def ideal_run(soc: Soc, program: Program) -> IdealRun:
    """What one inference of ``program`` takes on ``soc``, which must be one of ``with_ideal_memory``.

    Raises:
        ValueError: its memories take time, parts of it have power states, operands share a buffer, or the program has
            weights expanded on loading or uses shared SRAM.
    """
    if soc.interconnect.kind != "ideal" or soc.dma.descriptor_cycles or soc.interconnect.latency_cycles:
        raise ValueError(f"{soc.name}: memory takes time; allowed: a result of with_ideal_memory")
    if soc.domain_of("array").idle_states:
        raise ValueError(f"{soc.name}: waking up takes time; allowed: arrays without idle states")
    if "unified" in soc.buffers.pads:
        raise ValueError(f"{soc.name}: operands share a buffer; allowed: a buffer for each")
    if any(isinstance(instruction, Load) and instruction.expands for instruction in program.instructions):
        raise ValueError(f"{soc.name}: weights are expanded on loading; allowed: no dma.decompression")
    if program.memory_map.used_bytes.get("system_sram"):
        raise ValueError(f"{soc.name}: the program uses shared SRAM, which takes time; allowed: programs without it")
    return _Pass(soc, program).result()


class _Pass:
    """One pass over a program, in its order."""

    def __init__(self, soc: Soc, program: Program) -> None:
        self._soc, self._program = soc, program
        self._array, self._host, self._controller = (
            Clock(part.clock_hz) for part in (soc.array, soc.host, soc.controller)
        )
        self._dma = Clock(soc.dma.clock_hz)
        self._queues = defaultdict[tuple[int, str], _Space](lambda: _Space(soc.controller.queue_depth))
        self._buffers = {
            (core, name): _Space(soc.buffers.of(name).capacity_bytes)
            for core in range(program.cores)
            for name in BUFFERS
        }
        self._handed_ps = Counter[int]()
        """Core → when its controller handed over the last instruction."""
        self._free_ps = Counter[tuple[int, str]]()
        """Unit → when it turns to its next instruction."""
        self._retired_ps = Counter[tuple[int, str]]()
        """DMA channel → when its last transfer ended: they end in order."""
        self._path_ps = Counter[tuple[int, str]]()
        """DMA channel → when its path between buffers is free."""
        self._complete: list[Known] = []
        self._busy_ps = Counter[int]()
        self._covered_ps = Counter[int]()
        """Core → end of the last tile."""
        self._overheads_ps = [Counter[str]() for _ in range(program.cores)]

    def result(self) -> IdealRun:
        for instruction in self._program.instructions:
            self._complete.append(self._run(instruction))
        latency_ps, cause = max(self._complete, default=(0, "dispatch"))
        for core, overheads_ps in enumerate(self._overheads_ps):
            overheads_ps[cause] += latency_ps - self._covered_ps[core]
        return IdealRun(
            latency_ps,
            tuple(self._busy_ps[core] for core in range(self._program.cores)),
            tuple(+overheads_ps for overheads_ps in self._overheads_ps),
        )

    def _run(self, instruction: Instruction) -> Known:
        """When the instruction is complete."""
        core = 0 if isinstance(instruction, VectorOp) else instruction.core
        unit = core, self._unit(instruction)
        room_ps = max(self._queues[unit].take(1), self._handed_ps[core])
        cycles = self._soc.controller.dispatch_cycles
        handed_ps = self._controller.after_ps(room_ps, cycles) if cycles else room_ps
        self._handed_ps[core] = handed_ps
        taken_ps = max(handed_ps, self._free_ps[unit])
        self._queues[unit].give(1, taken_ps)
        known = max(((taken_ps, "dispatch"), *(self._complete[index] for index in instruction.depends)), key=_time)
        match instruction:
            case Load(buffer=buffer, buffer_bytes=size):
                known = max(known, (self._buffers[core, buffer].take(size), "room"), key=_time)
                return self._move(unit, instruction, known)
            case Store(buffer_bytes=size):
                known = self._move(unit, instruction, known)
                self._buffers[core, "outputs"].give(size, known[0])
                return known
            case Compute():
                return self._compute(unit, instruction, known)
            case VectorOp():
                # Blocks follow each other edge by edge; reads and writes take no time.
                start_cycles = 0 if instruction.goes_on else self._soc.host.start_cycles
                spent = instruction.cycles
                if spent is None:
                    spent = -(-instruction.operations // self._soc.host.lanes)
                end_ps = known[0]
                if spent or not instruction.goes_on:
                    end_ps = self._host.after_ps(end_ps, start_cycles + spent)
                self._free_ps[unit] = end_ps
                return end_ps, "host"

    def _compute(self, unit: tuple[int, str], compute: Compute, known: Known) -> Known:
        core, _ = unit
        ready_ps, cause = max(known, (self._buffers[core, "outputs"].take(compute.output_bytes), "room"), key=_time)
        cycles = compute.counts.cycles + compute.counts.decompression_stall_cycles
        start_ps, end_ps = self._array.after_ps(ready_ps, 0), self._array.after_ps(ready_ps, cycles)
        self._overheads_ps[core][cause] += start_ps - self._covered_ps[core]
        self._busy_ps[core] += end_ps - start_ps
        self._covered_ps[core] = self._free_ps[unit] = end_ps
        self._buffers[core, "weights"].give(compute.frees_weights_bytes, end_ps)
        self._buffers[core, "inputs"].give(compute.frees_inputs_bytes, end_ps)
        return end_ps, "stores"

    def _move(self, channel: tuple[int, str], instruction: Load | Store, known: Known) -> Known:
        """A transfer begins as soon as it is ``known``, and so may the next of its channel."""
        start_ps, cause = known
        self._free_ps[channel] = start_ps
        span_ps = self._local_ps(instruction)
        if span_ps:
            self._path_ps[channel] = start_ps = max(start_ps, self._path_ps[channel]) + span_ps
            cause = "local path"
        if start_ps < self._retired_ps[channel]:
            # Only what stays on chip takes time.
            start_ps, cause = self._retired_ps[channel], "local path"
        self._retired_ps[channel] = start_ps
        return start_ps, cause

    def _local_ps(self, instruction: Load | Store) -> int:
        """What the regions of a buffer take: whole beats, each transfer rounded up to a picosecond."""
        dma, width_bytes = self._soc.dma, self._soc.local_width_bytes
        if width_bytes is None:
            return 0
        return sum(
            self._dma.span_ps(-(-line_bytes // width_bytes) * lines)
            for region in instruction.regions
            if region.memory == "inputs_buffer"
            for _, line_bytes, lines, _ in chunks(
                region.address,
                region.line_bytes,
                region.lines,
                region.pitch_bytes,
                max(dma.burst_bytes, dma.chunk_bytes),
                dma.burst_bytes,
                max(1, dma.max_outstanding // 2),
            )
        )

    def _unit(self, instruction: Instruction) -> str:
        match instruction:
            case Load(buffer=buffer):
                return self._soc.dma.channel_of[buffer]
            case Store():
                return self._soc.dma.channel_of["outputs"]
            case Compute():
                return "array"
            case _:
                return "host"


def _time(known: Known) -> int:
    """Of equals, the first one counts."""
    return known[0]
