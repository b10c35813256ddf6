"""Which instructions are complete, since when, and who waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import simpy

from soc_sim.kernel.ledger import Cause
from soc_sim.kernel.simulation import Simulation


class Scoreboard:
    """Completion of the instructions of one inference; shared by all units that run it."""

    def __init__(self, simulation: Simulation, instructions: int, finished: Callable[[], None] | None = None) -> None:
        """``finished`` is called once all are complete."""
        self._simulation = simulation
        self._waiters: dict[int, list[Callable[[], None]]] = {}
        self.completed_ps: list[int | None] = [None] * instructions
        """Index of the instruction → when it was complete."""
        self.started_ps: list[int | None] = [None] * instructions
        """Index of the instruction → when its own work began."""
        self.held: dict[int, tuple[int, Cause]] = {}
        """Index of a load → until when it was held up before its own work began, and by what."""
        self.remaining = instructions
        self._finished = finished

    def start(self, index: int) -> None:
        """The work of instruction ``index`` begins now."""
        self.started_ps[index] = self._simulation.now_ps

    def complete(self, index: int) -> None:
        """Instruction ``index`` is complete now."""
        self.completed_ps[index] = self._simulation.now_ps
        self.remaining -= 1
        for callback in self._waiters.pop(index, ()):
            callback()
        if not self.remaining and self._finished is not None:
            self._finished()

    def settle(self, indices: Iterable[int]) -> None:
        """These need not run: what they would bring is there."""
        for index in indices:
            self.started_ps[index] = self.completed_ps[index] = 0
            self.held[index] = (0, "wait_controller")
            self.remaining -= 1

    def pending(self, indices: Iterable[int]) -> simpy.Event | None:
        """An event that fires when all are complete; None where they are."""
        missing = [index for index in indices if self.completed_ps[index] is None]
        if not missing:
            return None
        event = self._simulation.event()
        left = len(missing)

        def one_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                event.succeed()

        for index in missing:
            self._waiters.setdefault(index, []).append(one_done)
        return event

    def all_complete(self, indices: Iterable[int]) -> bool:
        """Whether all are complete."""
        return all(self.completed_ps[index] is not None for index in indices)

    def time_ps(self, indices: Iterable[int]) -> int:
        """When the last of them (all complete) was complete; 0 for none."""
        return max((self.completed_ps[index] or 0 for index in indices), default=0)
