"""A program made ready for some of a machine's cores: who gets which instruction, and where it may be interrupted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Store, VectorOp
from soc_sim.components.accelerator.scheduler import Step


class Executable:
    """Shared by all inferences of a program.

    Args:
        program: The program.
        cores: For each of its cores, the core of the machine.
        channel_of: Buffer → DMA channel.
        first_layer: Added to its layers, where several programs share a machine.
        first_index: Added to its instructions' indices in traces.
        interruptible: Whether others may run between its layers: where no buffer holds anything of it, or everywhere
            if it has a part of the buffers to itself.
    """

    def __init__(
        self,
        program: Program,
        cores: Sequence[int],
        channel_of: dict[Any, str],
        *,
        first_layer: int = 0,
        first_index: int = 0,
        interruptible: bool = False,
    ) -> None:
        self.program = program
        self.cores = tuple(cores)
        self.first_layer = first_layer
        self.first_index = first_index
        self.on_host = frozenset(i.index for i in program.instructions if isinstance(i, VectorOp))
        bounds = [len(program.instructions)]
        if interruptible:
            bounds = _safe_bounds(program.instructions, keeps=program.buffer_parts > 1)
        starts = [_first_of(program.instructions, stage.first_layer) for stage in program.stages[1:]]
        bounds = sorted({*bounds, *starts})
        self.steps = tuple(
            _step(program.instructions, range(start, stop), self.cores, channel_of)
            for start, stop in zip([0, *bounds], bounds, strict=False)
            if stop > start
        )
        self.stages = _stages(self.steps, starts)
        """Its steps; those of a pipeline stage by stage, in order, the others all together."""


def _first_of(instructions: Sequence[Instruction], layer: int) -> int:
    """Position of the first instruction from a layer on."""
    return bisect_left(instructions, layer, key=lambda instruction: instruction.layer)


def _stages(steps: Sequence[Step], starts: Sequence[int]) -> tuple[tuple[Step, ...], ...]:
    """The steps between positions at which stages start."""
    stages: list[list[Step]] = [[] for _ in (0, *starts)]
    for step in steps:
        stages[bisect_right(starts, step.indices.start)].append(step)
    return tuple(map(tuple, stages))


def _safe_bounds(instructions: Sequence[Instruction], *, keeps: bool) -> list[int]:
    """Where a layer ends and no buffer holds anything: behind these instructions another program may take the cores.

    ``keeps``: whether it may hold something meanwhile.
    """
    held: dict[tuple[int, str], int] = {}
    bounds = []
    for position, instruction in enumerate(instructions):
        for place, change in _space(instruction):
            held[place] = held.get(place, 0) + change
            if not held[place]:
                del held[place]
        last = position + 1 == len(instructions)
        if last or ((keeps or not held) and instructions[position + 1].layer != instruction.layer):
            bounds.append(position + 1)
    return bounds


def _space(instruction: Instruction) -> Iterator[tuple[tuple[int, str], int]]:
    """((core, buffer), bytes taken or, negative, given back)."""
    match instruction:
        case Load(core=core, buffer=buffer, buffer_bytes=size):
            yield (core, buffer), size
        case Compute(core=core):
            yield (core, "weights"), -instruction.frees_weights_bytes
            yield (core, "inputs"), -instruction.frees_inputs_bytes
            yield (core, "outputs"), instruction.output_bytes
        case Store(core=core, buffer_bytes=size):
            yield (core, "outputs"), -size


def _step(
    instructions: Sequence[Instruction], indices: range, cores: Sequence[int], channel_of: dict[Any, str]
) -> Step:
    routes: dict[int, list[tuple[Instruction, str]]] = {core: [] for core in cores}
    for index in indices:
        instruction = instructions[index]
        match instruction:
            case VectorOp(core=core):
                routes[cores[core]].append((instruction, "host"))
            case Load(core=core, buffer=buffer):
                routes[cores[core]].append((instruction, channel_of[buffer]))
            case Store(core=core):
                routes[cores[core]].append((instruction, channel_of["outputs"]))
            case Compute(core=core):
                routes[cores[core]].append((instruction, "array"))
    return Step({core: tuple(route) for core, route in routes.items()}, indices)
