"""What waits before a channel: a read and a write queue, by bank, and what does not fit into them.

Modelled: two queues of which one is served until the other must be (two thresholds); per bank the oldest request and
the oldest hit of the open row; optional queues of each bank behind the common ones; priorities, by which a run counts
as older than it is (so that nobody waits for ever).
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from operator import attrgetter
from typing import Final

from soc_sim.components.memory.dram.state import ChannelState
from soc_sim.config.memory import Dram

Choice = tuple[int, int, bool, int]
"""A command: (cycle, bank, whether it is a read or write, 1 of a write or of a row for a write).

A refresh has ~rank as its bank.
"""

NUMBER_BITS: Final = 24
NUMBER_MASK: Final = (1 << 24) - 1
"""Of an age: runs that arrive in one cycle are served in the order of their numbers."""


ALL: Final = 1 << 30
"""More runs than ever wait for a bank."""


class Run:
    """Bursts in one row that one request wants."""

    __slots__ = (
        "age",
        "arrival",
        "bank",
        "bursts",
        "data_end",
        "data_start",
        "left",
        "owner",
        "priority",
        "refresh_cycles",
        "row",
        "row_cycles",
        "write",
    )

    def __init__(self, bank: int, row: int, bursts: int, write: int, owner: object, priority: int = 0) -> None:
        self.bank = bank
        self.row = row
        self.bursts = bursts
        self.write = write
        self.owner = owner
        self.left = bursts
        """Bursts whose command has not gone out."""
        self.priority = priority
        self.age = 0
        """Its place in the order of service: cycle of arrival, brought forward by priority, then number."""
        self.arrival = 0
        """Cycle in which it entered its queue."""
        self.data_start = -1
        """Cycle in which the first data beat starts."""
        self.data_end = 0
        """Cycle in which the last data beat ends."""
        self.row_cycles = self.refresh_cycles = 0
        """Cycles in which the data path waited for its row, of these for a refresh apart."""


class Queues:
    """Runs that wait for one channel, and which of them could go next."""

    __slots__ = (
        "_active",
        "_ages",
        "_backlog",
        "_behind",
        "_high",
        "_hit",
        "_low",
        "_next",
        "_priority_cycles",
        "_room",
        "_serving",
        "_visible",
        "_waiting",
        "_write_mode",
        "completed",
        "hits_since_activate",
        "now",
        "queued",
        "state",
    )

    def __init__(self, description: Dram) -> None:
        controller, banks = description.controller, description.ranks * description.banks
        self.state = ChannelState(description)
        self.completed: list[Run] = []
        """Runs whose last command has gone out, in that order; whoever reads the list empties it."""
        self.queued = [0, 0]
        """Bursts in the read and in the write queue."""
        self.now = 0
        """First cycle in which a command can go out."""
        self._waiting: tuple[dict[int, list[Run]], dict[int, list[Run]]] = ({}, {})
        """Bank → reads (writes) that wait for it, oldest first; no empty lists."""
        self._hit: tuple[list[Run | None], list[Run | None]] = ([None] * banks, [None] * banks)
        """Oldest of them that wants the open row."""
        self._active: dict[int, Run] = {}
        """Bank → run for whose next burst the row has been opened."""
        self.hits_since_activate = [0] * banks
        self._backlog = (deque[Run](), deque[Run]())
        """Reads (writes) that have not entered their queue."""
        self._behind = controller.bank_queue
        self._visible = controller.bank_queue or ALL
        """Runs of a bank among which the oldest hit is sought."""
        self._room = (controller.read_queue, controller.write_queue)
        self._ages = 0
        """Runs so far."""
        self._priority_cycles = controller.priority_cycles
        self._write_mode = False
        self._serving = False
        """Mode of the last choice; it becomes the controller's when its command goes out."""
        self._high = controller.drain_above * controller.write_queue
        # With none left there is nothing to go on with, also where the threshold is 0.
        self._low = max(1, controller.drain_below * controller.write_queue)
        self._next: Choice | None = None
        """The next command, if nothing else arrives; None: yet to be chosen."""

    def push(self, cycle: int, run: Run) -> None:
        """Take a run; its first command can go out in ``cycle``. All commands before must have gone out.

        It enters its queue as soon as there is room for a burst and nothing waits before it.
        """
        if cycle > self.now:
            self._write_mode = self._wants_writes()
            self.now = cycle
        arrived = self.now - run.priority * self._priority_cycles
        run.age = (arrived << NUMBER_BITS) + (self._ages & NUMBER_MASK)
        self._ages += 1
        if self.has_room(run.write):
            self._enqueue(run)
        elif run.priority:
            insort(self._backlog[run.write], run, key=_by_age)
        else:
            self._backlog[run.write].append(run)

    def has_room(self, write: int) -> bool:
        """Whether a burst can enter its queue now."""
        queued = self.queued[write]
        if self._behind and queued >= self._room[write]:
            for waiting in self._waiting[write].values():
                queued -= min(self._behind, sum([run.left for run in waiting]))
        return queued < self._room[write]

    @property
    def history(self) -> tuple[int, bool, int]:
        """What the past leaves behind where nothing waits: first cycle for a command, whether it wrote, runs so far."""
        return self.now, self._write_mode, self._ages

    @property
    def busy(self) -> bool:
        """Whether a command has yet to go out."""
        return bool(self._active) or self.queued != [0, 0]

    def _enqueue(self, run: Run) -> None:
        bank, write = run.bank, run.write
        run.arrival = self.now
        self.queued[write] += run.bursts
        waiting = self._waiting[write].get(bank)
        if waiting is None:
            waiting = self._waiting[write][bank] = []
            self._next = None
        if run.priority or (waiting and waiting[-1].age > run.age):
            self._overtake(run, waiting)
            return
        waiting.append(run)
        if self.state.open_row[bank] == run.row and self._hit[write][bank] is None and len(waiting) <= self._visible:
            self._hit[write][bank] = run
            self._next = None
        if self._next is not None and self._wants_writes() != self._serving:
            self._next = None

    def _overtake(self, run: Run, waiting: list[Run]) -> None:
        """A run goes before younger ones: with a priority before those that arrived a little earlier."""
        insort(waiting, run, key=_by_age)
        self._next = None
        # It may be the oldest hit, or push that out of sight.
        self._hit[run.write][run.bank] = first(waiting, self.state.open_row[run.bank], self._visible)

    def _admit(self, write: int) -> bool:
        """Whether a run has entered its queue, now that there may be room."""
        backlog, before = self._backlog[write], self.queued[write]
        while backlog and self.has_room(write):
            self._enqueue(backlog.popleft())
        return self.queued[write] > before

    def _drop(self, waiting: list[Run], place: int, bank: int, write: int) -> None:
        del waiting[place]
        if not waiting:
            del self._waiting[write][bank]

    def _opened_for(self, bank: int, write: int) -> Run | None:
        """The read (write) for which the bank's row has been opened.

        A row opened for a read can serve a write first, where the mode has changed since and the write may go earlier.
        """
        run = self._active.get(bank)
        return run if run is not None and run.write == write else None

    def _wants_writes(self) -> bool:
        reads, writes = self.queued
        return not reads or writes > self._high or (self._write_mode and writes >= self._low)


_by_age = attrgetter("age")


def first(runs: list[Run], row: int, visible: int) -> Run | None:
    """The first of ``runs`` that wants ``row``, among the first ``visible``."""
    for place, run in enumerate(runs):
        if run.row == row:
            return run if place < visible else None
    return None
