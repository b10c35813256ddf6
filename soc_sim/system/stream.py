"""Inferences of one program: asked for one by one, started as memory for their activations is free.

Each stage of a pipeline is asked for at its own core, all at once. With ``fifo`` its core may begin as soon as the
inference has begun, so that weights are fetched early; with the other policies once the stage before is complete, so
that a core never waits for what is less urgent elsewhere.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from soc_sim.components.accelerator.scheduler import Request, Scheduler
from soc_sim.kernel import Inference, Scoreboard, Simulation
from soc_sim.kernel.issuer import RegionLike
from soc_sim.kernel.simulation import Event
from soc_sim.system.executable import Executable

AddressOf = Callable[[RegionLike], int] | None


@dataclass(slots=True)
class InferenceRecord:
    """When one inference was asked for and done."""

    submitted_ps: int
    deadline_ps: int | None
    """Absolute."""
    end_ps: int | None = None
    """When its last instruction was complete; None: not within the run."""


class Stream:
    """Inferences of one program on one set of cores."""

    def __init__(
        self,
        simulation: Simulation,
        executable: Executable,
        schedulers: Sequence[Scheduler],
        sets: Sequence[AddressOf],
        instructions: int,
    ) -> None:
        """A stream of inferences.

        Args:
            simulation: The time they live in.
            executable: What runs.
            schedulers: Of each stage of the program, which has one if it is no pipeline.
            sets: Of activations, each the memory of one inference under way.
            instructions: Of all streams.
        """
        self.executable = executable
        self.inferences: list[InferenceRecord] = []
        """In order of submission."""
        self.under_way: dict[int, Scoreboard] = {}
        """Number of an inference that has begun and not ended → what is complete of it."""
        self.ended = 0
        self.boards: list[tuple[array[int], array[int]]] = []
        """Of each inference that has ended: when its instructions began and when they were complete."""
        self.layer_spans: dict[int, tuple[int, int]] = {}
        """Layer of the program → first start and last end, over all inferences that have ended."""
        self.on_end: Callable[[], None] = _nothing
        """Called after each inference."""
        self._simulation = simulation
        self._schedulers = schedulers
        self._begun: dict[int, Inference] = {}
        """Number of an inference under way → the inference."""
        self._ready: set[tuple[int, int]] = set()
        """(inference, stage) whose stage before is complete."""
        self._free = list(reversed(sets))
        self._instructions = instructions

    def submit(self, number: int, deadline_ps: int | None = None, priority: int = 0) -> None:
        """Ask for an inference, now; ``number`` counts those of all streams that share cores."""
        now_ps = self._simulation.now_ps
        place = len(self.inferences)
        self.inferences.append(InferenceRecord(now_ps, deadline_ps))
        if not self.executable.steps:
            self._end(place)
            return
        for stage, steps in enumerate(self.executable.stages):
            begin = partial(self._join, place, stage) if stage else partial(self._begin, place)
            if steps:
                self._schedulers[stage].submit(Request(number, now_ps, deadline_ps, priority, steps, begin))

    def executions(self) -> list[int]:
        """How often each instruction has been completed."""
        counts = [self.ended] * len(self.executable.program.instructions)
        for place, board in self.under_way.items():
            settled = self._settled(place)
            for index, completed_ps in enumerate(board.completed_ps):
                counts[index] += completed_ps is not None and index not in settled
        for index in self.executable.program.once:
            counts[index] = min(1, counts[index])
        return counts

    def times(self) -> Iterator[tuple[int, int, int]]:
        """(instruction, start, completion) of everything that was completed, in the order of inferences."""
        for number, (started_ps, completed_ps) in enumerate(self.boards):
            settled = self._settled(number)
            for index, times in enumerate(zip(started_ps, completed_ps, strict=True)):
                if index not in settled:
                    yield index, *times
        for place, board in self.under_way.items():
            settled = self._settled(place)
            for index, (start_ps, end_ps) in enumerate(zip(board.started_ps, board.completed_ps, strict=True)):
                if start_ps is not None and end_ps is not None and index not in settled:
                    yield index, start_ps, end_ps

    def _settled(self, place: int) -> frozenset[int]:
        """Instructions that an inference need not run: what the first one has loaded is there."""
        return self.executable.program.once if place else frozenset()

    def _begin(self, place: int) -> Inference | None:
        if not self._free:
            return None
        executable, address_of = self.executable, self._free.pop()
        board = Scoreboard(
            self._simulation, len(executable.program.instructions), partial(self._ended, place, address_of)
        )
        settled = self._settled(place)
        board.settle(settled)
        self.under_way[place] = board
        self._begun[place] = inference = Inference(
            board,
            submitted_ps=self.inferences[place].submitted_ps,
            first_index=executable.first_index + place * self._instructions,
            first_layer=executable.first_layer,
            on_host=executable.on_host,
            settled=settled,
            address_of=address_of,
        )
        for stage in range(1, len(executable.stages)):
            self._await(place, stage, board)
        return inference

    def _await(self, place: int, stage: int, board: Scoreboard) -> None:
        """Let the core of a later stage know when it may begin."""
        scheduler = self._schedulers[stage]
        event = None
        if scheduler.policy != "fifo":
            event = board.pending(index for step in self.executable.stages[stage - 1] for index in step.indices)

        def ready(_: Event | None = None) -> None:
            self._ready.add((place, stage))
            scheduler.wake()

        if event is None:
            ready()
        else:
            event.callbacks.append(ready)

    def _join(self, place: int, stage: int) -> Inference | None:
        """The inference, where a later stage may begin."""
        return self._begun[place] if (place, stage) in self._ready else None

    def _ended(self, place: int, address_of: AddressOf) -> None:
        board = self.under_way.pop(place)
        del self._begun[place]
        self._ready -= {(place, stage) for stage in range(len(self.executable.stages))}
        self._note_layers(board, self._settled(place))
        started_ps, completed_ps = (
            array("q", (time or 0 for time in times)) for times in (board.started_ps, board.completed_ps)
        )
        self.boards.append((started_ps, completed_ps))
        self._free.append(address_of)
        self._end(place)
        self._schedulers[0].wake()

    def _end(self, place: int) -> None:
        self.inferences[place].end_ps = self._simulation.now_ps
        self.ended += 1
        self.on_end()

    def _note_layers(self, board: Scoreboard, settled: Container[int]) -> None:
        spans = self.layer_spans
        for instruction in self.executable.program.instructions:
            if instruction.index in settled:
                continue
            start_ps, end_ps = board.started_ps[instruction.index] or 0, board.completed_ps[instruction.index] or 0
            known = spans.get(instruction.layer)
            if known is not None:
                start_ps, end_ps = min(known[0], start_ps), max(known[1], end_ps)
            spans[instruction.layer] = (start_ps, end_ps)


def _nothing() -> None:
    """Nobody is told."""
