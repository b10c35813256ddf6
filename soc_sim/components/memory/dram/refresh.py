"""When which banks are refreshed: all of a rank every tREFI, or one after another in as much time.

Modelled: ranks in turn; banks in turn, in the order of their numbers (JESD209-4, refresh requirement).
Left out: refreshes put off or pulled in, temperature.
"""

from __future__ import annotations

from soc_sim.config.memory import Dram


class Refreshes:
    """What is due next."""

    __slots__ = ("_banks", "_done", "_interval", "_start", "_steps", "cycles", "due", "first_due", "per_bank")

    def __init__(self, description: Dram) -> None:
        timing, ranks = description.timing, description.ranks
        self.per_bank = per_bank = description.controller.refresh == "per_bank"
        """Whether banks are refreshed one after another."""
        self._interval, self._banks = timing.nREFI, description.banks
        self._steps = description.banks if per_bank else 1
        self.cycles = (timing.nRFC_PB or timing.nRFC) if per_bank else timing.nRFC
        """Time of one refresh."""
        self._start = [timing.nREFI * rank // ranks for rank in range(ranks)]
        self._done = [0] * ranks
        self.due: list[int] = []
        """Of each rank."""
        self.first_due = 0
        self._plan()

    def banks(self, rank: int) -> range:
        """The banks that the rank refreshes next."""
        first = rank * self._banks
        if self._steps == 1:
            return range(first, first + self._banks)
        bank = first + self._done[rank] % self._banks
        return range(bank, bank + 1)

    def done(self, rank: int) -> None:
        """What was due has been done."""
        self._done[rank] += 1
        self._plan()

    @property
    def history(self) -> tuple[list[int], list[int]]:
        """Of each rank: cycle in which the next is due, and refreshes so far."""
        return self.due, self._done

    def go_on(self, due: list[int], done: list[int]) -> None:
        """Go on from what a :attr:`history` says, in cycles of another clock; what is due may lie before its first."""
        self._done = list(done)
        self._start = [at - self._interval * (n + 1) // self._steps for at, n in zip(due, done, strict=True)]
        self._plan()

    def restart(self, cycle: int) -> None:
        """The memory has refreshed itself until ``cycle``."""
        self._start = [start + cycle for start in (self._interval * n // len(self.due) for n in range(len(self.due)))]
        self._done = [0] * len(self.due)
        self._plan()

    def _plan(self) -> None:
        self.due = [
            start + self._interval * (done + 1) // self._steps
            for start, done in zip(self._start, self._done, strict=True)
        ]
        self.first_due = min(self.due)
