"""The order of a channel's commands: first ready, first come, without a clock. Pure functions of integer cycles.

Modelled: a read and a write queue, of which one is served until the other must be (two thresholds); per bank the
oldest request and the oldest hit of the open row. In each cycle the oldest command that is legal goes out; a request
whose activate went out comes first; an older request closes a row that only younger ones want; a refresh that is due
waits for nothing but rows just opened. This is the FR-FCFS of Ramulator 2.1 with protected row hits
(CMU-SAFARI/ramulator2, commit c5b1c3a478b6, controller_base.cpp and frfcfs_rowhit.cpp).
Left out: per-initiator priorities (the interconnect arbitrates), forwarding of buffered writes to reads.

A request is a run of bursts in one row. While nothing else can get between them, its commands go out as one step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.config.memory import Dram

NEVER = 1 << 62
Choice = tuple[int, int, bool, int, int]
"""A command: (cycle, bank, whether it is a read or write, 1 of a write or of a row for a write, bursts of it in a row).

A refresh has ~rank as its bank.
"""


class Run:
    """Bursts in one row that one request wants."""

    __slots__ = ("age", "arrival", "bank", "bursts", "data_end", "data_start", "left", "owner", "row", "write")

    def __init__(self, bank: int, row: int, bursts: int, write: int, owner: object) -> None:
        self.bank = bank
        self.row = row
        self.bursts = bursts
        self.write = write
        self.owner = owner
        self.left = bursts
        """Bursts whose command has not gone out."""
        self.age = 0
        self.arrival = 0
        self.data_start = -1
        """Cycle in which the first data beat starts."""
        self.data_end = 0
        """Cycle in which the last data beat ends."""


class Scheduler:
    """Queues and choice of one channel."""

    __slots__ = (
        "_active",
        "_age_limit",
        "_ages",
        "_backlog",
        "_behind",
        "_bursts_at_once",
        "_cap",
        "_closes",
        "_due",
        "_first_due",
        "_high",
        "_hit",
        "_hits_since_activate",
        "_low",
        "_next",
        "_refresh_interval",
        "_room",
        "_serving",
        "_stamps",
        "_visible",
        "_waiting",
        "_write_mode",
        "completed",
        "now",
        "queued",
        "state",
    )

    def __init__(self, description: Dram, *, bursts_at_once: int = NEVER) -> None:
        """``bursts_at_once``: most bursts that one step issues."""
        controller, timing, ranks = description.controller, description.timing, description.ranks
        self.state = ChannelState(description)
        state, banks = self.state, ranks * description.banks
        self._stamps = (
            state.open_row,
            state.group_of,
            state.rank_of,
            state.bank_column,
            state.bank_activate,
            state.bank_precharge,
            (state.group_activate, state.rank_activate),
            tuple(zip(state.group_column, state.rank_column, strict=True)),
        )
        """Of the state: what every choice looks at."""
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
        self._hits_since_activate = [0] * banks
        self._backlog = (deque[Run](), deque[Run]())
        """Reads (writes) that have not entered their queue."""
        self._behind = controller.bank_queue
        self._visible = controller.bank_queue or None
        """Runs of a bank among which the oldest hit is sought."""
        self._room = (controller.read_queue, controller.write_queue)
        self._ages = 0
        self._write_mode = False
        self._serving = False
        """Mode of the last choice; it becomes the controller's when its command goes out."""
        self._high = controller.drain_above * controller.write_queue
        self._low = controller.drain_below * controller.write_queue
        self._cap = controller.row_hit_cap or NEVER
        self._age_limit = controller.age_limit_cycles or NEVER
        self._closes = controller.page_policy == "closed"
        # Caps and limits look at every burst.
        self._bursts_at_once = 1 if controller.row_hit_cap or controller.age_limit_cycles else bursts_at_once
        self._refresh_interval = timing.nREFI
        # Ranks take turns.
        self._due = [timing.nREFI * (rank + ranks) // ranks for rank in range(ranks)]
        self._first_due = min(self._due)
        self._next: Choice | None = None

    def push(self, cycle: int, run: Run) -> None:
        """Take a run; its first command can go out in ``cycle``. All commands before must have gone out.

        It enters its queue as soon as there is room for a burst and nothing waits before it.
        """
        if cycle > self.now:
            self._write_mode = self._wants_writes()
            self.now = cycle
        if not self.has_room(run.write):
            self._backlog[run.write].append(run)
            self._next = None
        else:
            self._enqueue(run)

    def has_room(self, write: int) -> bool:
        """Whether a burst can enter its queue now."""
        queued = self.queued[write]
        if self._behind and queued >= self._room[write]:
            for waiting in self._waiting[write].values():
                queued -= min(self._behind, sum([run.left for run in waiting]))
        return queued < self._room[write]

    def _enqueue(self, run: Run) -> None:
        bank, write = run.bank, run.write
        run.arrival, run.age = self.now, self._ages
        self._ages += 1
        self.queued[write] += run.bursts
        waiting = self._waiting[write].get(bank)
        if waiting is None:
            waiting = self._waiting[write][bank] = []
            self._next = None
        waiting.append(run)
        seen = self._visible is None or len(waiting) <= self._visible
        if seen and self.state.open_row[bank] == run.row and self._hit[write][bank] is None:
            self._hit[write][bank] = run
            self._next = None
        if self._next is not None and (self._next[4] > 1 or self._wants_writes() != self._serving):
            self._next = None

    @property
    def busy(self) -> bool:
        """Whether a command has yet to go out."""
        return bool(self._active) or self.queued != [0, 0]

    def next_cycle(self) -> int:
        """When the next command goes out, or the next refresh begins, if nothing else arrives."""
        return (self._next or self._choose())[0]

    def planned(self) -> tuple[int, Run | None, int]:
        """What the next step does if nothing else arrives: its last cycle, whose bursts it moves, and how many."""
        cycle, bank, column, write, bursts = self._next or self._choose()
        run = (self._opened_for(bank, write) or self._hit[write][bank]) if column else None
        return cycle + (bursts - 1) * self.state.spacing_l, run, bursts

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        while (self._next or self._choose())[0] < end:
            self.step(end)

    def advance_whole_steps(self, end: int) -> None:
        """As :meth:`advance`, but leave a step that is under way at ``end`` for later; nothing may arrive by then."""
        while True:
            cycle, *_, bursts = self._next or self._choose()
            if cycle + (bursts - 1) * self.state.spacing_l >= end:
                return
            self.step()

    def step(self, end: int = NEVER) -> None:
        """Issue the next command, or several of one run, but none of these in ``end`` or later; or refresh."""
        cycle, bank, column, write, bursts = self._next or self._choose()
        self._next = None
        if bank < 0:
            self._refresh(cycle, ~bank)
            return
        self._write_mode = self._serving
        if column:
            if bursts > 1:
                bursts = min(bursts, (end - cycle - 1) // self.state.spacing_l + 1)
            self._access(cycle, bank, write, bursts)
        elif self.state.open_row[bank] == NO_ROW:
            self._activate(cycle, bank, write)
        else:
            self.state.precharge(cycle, bank, for_another=True)
            self._hit[0][bank] = self._hit[1][bank] = None
            self.now = cycle + 1

    def _activate(self, cycle: int, bank: int, write: int) -> None:
        waiting = self._waiting[write][bank]
        run = waiting[0]
        self.state.activate(cycle, bank, run.row)
        self._hits_since_activate[bank] = 0
        self._active[bank] = run
        self.queued[write] -= 1
        if run.left == 1:
            self._drop(waiting, 0, bank, write)
        for hit, waiting_runs in zip(self._hit, self._waiting, strict=True):
            hit[bank] = _first(waiting_runs.get(bank, [])[: self._visible], run.row)
        self.now = cycle + 1
        if self._backlog[write]:
            self._admit(write)

    def _access(self, cycle: int, bank: int, write: int, bursts: int) -> None:
        """Bursts of the run for which the row was opened, or else of the oldest hit."""
        state, hits = self.state, self._hit[write]
        run = self._opened_for(bank, write)
        opened = run is not None
        if opened:
            del self._active[bank]
        else:
            run = hits[bank]
        assert run is not None  # noqa: S101 # or the bank would not have been chosen
        data_end = state.column(cycle, bank, write) if bursts == 1 else state.columns(cycle, bank, write, bursts)
        span = (bursts - 1) * state.spacing_l
        if run.data_start < 0:
            run.data_start = data_end - span - state.nbl
        run.left -= bursts
        self.queued[write] -= bursts - opened
        self._hits_since_activate[bank] += bursts - opened
        self.now = cycle + span + 1
        if not run.left:
            run.data_end = data_end
            self.completed.append(run)
            if run is hits[bank]:
                waiting = self._waiting[write][bank]
                place = waiting.index(run)
                self._drop(waiting, place, bank, write)
                hits[bank] = _first(waiting[place : self._visible], run.row)
        if self._backlog[write]:
            self._admit(write)
        if self._closes and self._hit[0][bank] is None is self._hit[1][bank]:
            state.precharge(state.bank_precharge[bank], bank)

    def _opened_for(self, bank: int, write: int) -> Run | None:
        """The read (write) for which the bank's row has been opened.

        A row opened for a read can serve a write first, where the mode has changed since and the write may go earlier.
        """
        run = self._active.get(bank)
        return run if run is not None and run.write == write else None

    def _batch(self, cycle: int, bank: int, write: int) -> int:
        """Bursts of the chosen run from ``cycle`` on between which no other command can get."""
        state, run = self.state, self._hit[write][bank]
        chosen = self._active.get(bank, run)
        if run is not chosen or run is None or run.left == 1 or self._serving != write:
            return 1
        spacing, opened = state.spacing_l, bank in self._active
        # First cycle in which something else could go out, as far as it matters.
        first = min(self._first_due, cycle + run.left * spacing)
        for other, active in self._active.items():
            if other != bank and (at := state.earliest_column(other, active.write)) < first:
                first = at
        hits, queue = self._hit[write], self._waiting[write]
        if len(queue) > 1 or queue[bank][0] is not run:
            # Hits elsewhere lose every tie against an older one, unless they have to wait less after it.
            equal_spacing = state.spacing_s == spacing and len(self._due) == 1
            for other, waiting in queue.items():
                if first <= cycle + spacing:
                    return 1
                hit = hits[other]
                if state.open_row[other] == NO_ROW:
                    at = state.earliest_activate(other)
                    if at < first:
                        first = at
                elif hit is not waiting[0] and other not in self._active:
                    at = state.bank_precharge[other]
                    if at < first:
                        first = at
                if hit is not None and hit is not run and not (equal_spacing and hit.age > run.age):
                    at = state.earliest_column(other, write)
                    if at < first:
                        first = at
        if first <= cycle + spacing:
            return 1
        bursts = min(run.left, self._bursts_at_once, (first - cycle - 1) // spacing + 1)
        if write and self.queued[0]:
            # Reads are next as soon as the queue is below its threshold.
            bursts = min(bursts, max(1, int(self.queued[1] - self._low) + 1 + opened))
        if self._backlog[write]:
            # The next run enters as soon as there is room.
            room_for = 1 if self._behind else self.queued[write] - self._room[write] + 1 + opened
            bursts = min(bursts, max(1, room_for))
        return bursts

    def _admit(self, write: int) -> None:
        backlog = self._backlog[write]
        while backlog and self.has_room(write):
            self._enqueue(backlog.popleft())

    def _drop(self, waiting: list[Run], place: int, bank: int, write: int) -> None:
        del waiting[place]
        if not waiting:
            del self._waiting[write][bank]

    def _wants_writes(self) -> bool:
        reads, writes = self.queued
        return not reads or writes > self._high or (self._write_mode and writes >= self._low)

    def _refresh(self, cycle: int, rank: int) -> None:
        state = self.state
        state.refresh(cycle, rank)
        self.now = max(self.now, cycle)
        self._due[rank] += self._refresh_interval
        self._first_due = min(self._due)
        for bank, owner in enumerate(state.rank_of):
            if owner == rank:
                self._hit[0][bank] = self._hit[1][bank] = None

    def _choose(self) -> Choice:
        """What comes next. A refresh that is due comes first, but after bursts whose row has been opened."""
        cycle, bank, column, write = self._oldest_ready()
        bursts = 1
        if cycle >= self._first_due:
            rank = self._due.index(self._first_due)
            opened = [
                (max(self.now, self.state.earliest_column(bank, run.write)), run.age, bank, run.write)
                for bank, run in self._active.items()
                if self.state.rank_of[bank] == rank
            ]
            if opened:
                cycle, _, bank, write = min(opened)
                column = True
            else:
                cycle, bank, column = self._first_due, ~rank, False
        elif column and self._bursts_at_once > 1:
            bursts = self._batch(cycle, bank, write)
        self._next = cycle, bank, column, write, bursts
        return self._next

    def _oldest_ready(self) -> tuple[int, int, bool, int]:
        """The first command that is legal; among several in one cycle that of a row just opened, then the oldest."""
        now = self.now
        open_row, group_of, rank_of, bank_column, bank_activate, bank_precharge, activates, columns = self._stamps
        group_activate, rank_activate = activates
        best_at, best_age, best_bank, best_column = NEVER, NEVER, -1, False
        reads, writes = self.queued
        self._serving = serving = not reads or writes > self._high or (self._write_mode and writes >= self._low)
        write = best_write = int(serving)
        for bank, run in self._active.items():
            kind = run.write
            group_column, rank_column = columns[kind]
            at = bank_column[bank]
            if (other := group_column[group_of[bank]]) > at:
                at = other
            if (other := rank_column[rank_of[bank]]) > at:
                at = other
            if at < now:
                at = now
            if at < best_at or (at == best_at and run.age < best_age):
                best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, True, kind
        if best_column:
            best_age = -1
        hits, active = self._hit[write], self._active
        group_column, rank_column = columns[write]
        for bank, waiting in self._waiting[write].items():
            run = waiting[0]
            if open_row[bank] == NO_ROW:
                column = False
                at = bank_activate[bank]
                if (other := group_activate[group_of[bank]]) > at:
                    at = other
                if (other := rank_activate[rank_of[bank]]) > at:
                    at = other
            else:
                hit = hits[bank]
                if hit is not run and bank not in active:
                    at = bank_precharge[bank]
                    if at < now:
                        at = now
                    if at < best_at or (at == best_at and run.age < best_age):
                        best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, False, write
                    if self._hits_since_activate[bank] >= self._cap or now - run.arrival > self._age_limit:
                        continue
                if hit is None:
                    continue
                run, column = hit, True
                at = bank_column[bank]
                if (other := group_column[group_of[bank]]) > at:
                    at = other
                if (other := rank_column[rank_of[bank]]) > at:
                    at = other
            if at < now:
                at = now
            if at < best_at or (at == best_at and run.age < best_age):
                best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, column, write
        return best_at, best_bank, best_column, best_write


def _first(runs: Iterable[Run], row: int) -> Run | None:
    """The first of ``runs`` that wants ``row``."""
    for run in runs:
        if run.row == row:
            return run
    return None
