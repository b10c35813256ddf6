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

from collections.abc import Iterable

from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.config.memory import Dram

NEVER = 1 << 62
Choice = tuple[int, int, bool, int]
"""A command: (cycle, bank, whether it is a read or write, 1 of a write or of a row for a write)."""


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
        "_bursts_at_once",
        "_cap",
        "_closes",
        "_due",
        "_high",
        "_hit",
        "_hits_since_activate",
        "_low",
        "_next",
        "_refresh_interval",
        "_serving",
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
        banks = ranks * description.banks
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
        self._next: Choice | None = None

    def push(self, cycle: int, run: Run) -> None:
        """Queue a run; its first command can go out in ``cycle``. All commands before must have gone out."""
        if cycle > self.now:
            self._write_mode = self._wants_writes()
            self.now = cycle
        bank, write = run.bank, run.write
        run.arrival, run.age = cycle, self._ages
        self._ages += 1
        self.queued[write] += run.bursts
        waiting = self._waiting[write].get(bank)
        if waiting is None:
            self._waiting[write][bank] = [run]
            self._next = None
        else:
            waiting.append(run)
        if self.state.open_row[bank] == run.row and self._hit[write][bank] is None:
            self._hit[write][bank] = run
            self._next = None
        if self._next is not None and self._wants_writes() != self._serving:
            self._next = None

    @property
    def busy(self) -> bool:
        """Whether a command has yet to go out."""
        return bool(self._active) or self.queued != [0, 0]

    def next_cycle(self) -> int:
        """When the next command goes out if nothing else arrives; :data:`NEVER` if nothing waits."""
        return (self._next or self._choose())[0]

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        while (cycle := (self._next or self._choose())[0]) < end:
            self.step(end)
        if cycle == NEVER:
            # Refreshes go on while nothing waits.
            while (due := min(self._due)) < end:
                self._refresh(self._due.index(due))

    def step(self, end: int = NEVER) -> None:
        """Issue the next command, or several of one run, but none in ``end`` or later."""
        cycle, bank, column, write = self._next or self._choose()
        self._next = None
        self._write_mode = self._serving
        if column:
            self._access(cycle, bank, write, end)
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
            hit[bank] = _first(waiting_runs.get(bank, ()), run.row)
        self.now = cycle + 1

    def _access(self, cycle: int, bank: int, write: int, end: int) -> None:
        """One burst of the run for which the row was opened; else as many of the oldest hit as nothing gets between."""
        state, bursts = self.state, 1
        run = self._active.pop(bank, None)
        if run is not None:
            data_end = state.column(cycle, bank, run.write)
            last = run.left == 1
        else:
            run = self._hit[write][bank]
            assert run is not None  # noqa: S101 # or the bank would not have been chosen
            if run.left > 1 and self._bursts_at_once > 1:
                bursts = self._batch(cycle, run, end)
            data_end = state.column(cycle, bank, write) if bursts == 1 else state.columns(cycle, bank, write, bursts)
            self.queued[write] -= bursts
            last = run.left == bursts
            if last:
                waiting = self._waiting[write][bank]
                place = waiting.index(run)
                self._drop(waiting, place, bank, write)
                self._hit[write][bank] = _first(waiting[place:], run.row)
            self._hits_since_activate[bank] += bursts
        span = (bursts - 1) * state.spacing_l
        if run.data_start < 0:
            run.data_start = data_end - span - state.nbl
        run.left -= bursts
        self.now = cycle + span + 1
        if last:
            run.data_end = data_end
            self.completed.append(run)
        if self._closes and self._hit[0][bank] is None is self._hit[1][bank]:
            state.precharge(state.bank_precharge[bank], bank)

    def _batch(self, cycle: int, run: Run, end: int) -> int:
        """Bursts of the hit ``run`` from ``cycle`` on before ``end`` between which no other command can get."""
        state, write = self.state, run.write
        # Hits elsewhere lose every tie against an older one, unless they have to wait less after it.
        equal_spacing = state.spacing_s == state.spacing_l and len(self._due) == 1
        first = min(end, *self._due)
        for bank, active in self._active.items():
            first = min(first, state.earliest_column(bank, active.write))
        for bank, waiting in self._waiting[write].items():
            oldest, hit = waiting[0], self._hit[write][bank]
            if state.open_row[bank] == NO_ROW:
                first = min(first, state.earliest_activate(bank))
            elif hit is not oldest and bank not in self._active:
                first = min(first, state.bank_precharge[bank])
            if hit is not None and hit is not run and not (equal_spacing and hit.age > run.age):
                first = min(first, state.earliest_column(bank, write))
        bursts = min(run.left, self._bursts_at_once, max(0, first - cycle - 1) // state.spacing_l + 1)
        if write and self.queued[0]:
            # Reads are next as soon as the queue is below its threshold.
            bursts = min(bursts, max(1, int(self.queued[1] - self._low) + 1))
        return bursts

    def _drop(self, waiting: list[Run], place: int, bank: int, write: int) -> None:
        del waiting[place]
        if not waiting:
            del self._waiting[write][bank]

    def _wants_writes(self) -> bool:
        reads, writes = self.queued
        if self._write_mode:
            return writes >= self._low or not reads
        return writes > self._high or not reads

    def _refresh(self, rank: int) -> None:
        state = self.state
        state.refresh(self._due[rank], rank)
        self._due[rank] += self._refresh_interval
        for bank, owner in enumerate(state.rank_of):
            if owner == rank:
                self._hit[0][bank] = self._hit[1][bank] = None

    def _choose(self) -> Choice:
        """The next command. Refreshes that are due before it are done, but after bursts whose row has been opened."""
        while True:
            chosen = self._oldest_ready()
            due = min(self._due)
            if chosen[0] < due:
                self._next = chosen
                return chosen
            if chosen[0] == NEVER:
                return chosen
            rank = self._due.index(due)
            opened = [
                (max(self.now, self.state.earliest_column(bank, run.write)), run.age, bank, run.write)
                for bank, run in self._active.items()
                if self.state.rank_of[bank] == rank
            ]
            if opened:
                cycle, _, bank, write = min(opened)
                self._next = cycle, bank, True, write
                return self._next
            self._refresh(rank)

    def _oldest_ready(self) -> Choice:
        """The first command that is legal; among several in one cycle that of a row just opened, then the oldest."""
        state, now = self.state, self.now
        best_at, best_age, best_bank, best_column = NEVER, NEVER, -1, False
        bank_column, group_of, rank_of = state.bank_column, state.group_of, state.rank_of
        write = best_write = int(self._wants_writes())
        self._serving = bool(write)
        for bank, run in self._active.items():
            kind = run.write
            at = bank_column[bank]
            if (other := state.group_column[kind][group_of[bank]]) > at:
                at = other
            if (other := state.rank_column[kind][rank_of[bank]]) > at:
                at = other
            if at < now:
                at = now
            if at < best_at or (at == best_at and run.age < best_age):
                best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, True, kind
        if best_column:
            best_age = -1
        hits, open_row, active = self._hit[write], state.open_row, self._active
        bank_activate, group_activate, rank_activate = state.bank_activate, state.group_activate, state.rank_activate
        group_column, rank_column = state.group_column[write], state.rank_column[write]
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
                    at = state.bank_precharge[bank]
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
