"""The order of a channel's commands: first ready, first come, without a clock. Pure functions of integer cycles.

In each cycle the oldest command that is legal goes out; a request whose activate went out comes first; an older request
closes a row that only younger ones want; a refresh that is due waits for nothing but rows just opened. This is the
FR-FCFS of Ramulator 2.1 with protected row hits (CMU-SAFARI/ramulator2, commit c5b1c3a478b6, controller_base.cpp and
frfcfs_rowhit.cpp).
Left out: forwarding of buffered writes to reads.

:class:`Scheduler` issues one command at a time, which is the definition; ``streaming.py`` does the same in fewer steps.
"""

from __future__ import annotations

from typing import ClassVar, Final

from soc_sim.components.memory.dram.power import PowerStates
from soc_sim.components.memory.dram.queues import Choice, Queues, Run, first
from soc_sim.components.memory.dram.refresh import Refreshes
from soc_sim.components.memory.dram.state import NO_ROW
from soc_sim.config.memory import Dram

NEVER: Final = 1 << 60


class Scheduler(Queues):
    """Choice among what waits for one channel."""

    __slots__ = (
        "_age_limit",
        "_cap",
        "_closes",
        "_closes_for_others",
        "_exit_cycles",
        "_stamps",
        "power",
        "refreshes",
    )

    answer_cycles: ClassVar = 0
    """Cycles from the end of the last data to the request that waited for them."""

    def __init__(self, description: Dram) -> None:
        super().__init__(description)
        controller, state = description.controller, self.state
        self._stamps = (
            state.open_row,
            state.group_of,
            state.bank_column,
            state.bank_activate,
            state.bank_precharge,
            state.group_activate,
            state.group_column,
        )
        """Of the state: what every choice looks at."""
        self._cap = controller.row_hit_cap or NEVER
        self._age_limit = controller.age_limit_cycles or NEVER
        self._closes = controller.page_policy != "open"
        self._closes_for_others = controller.page_policy == "adaptive"
        self.refreshes = Refreshes(description)
        sleeps = controller.power_down_after_cycles or controller.self_refresh_after_cycles
        self.power = PowerStates(description, state) if sleeps else None
        self._exit_cycles = (description.timing.nXP or 0, description.timing.nXS or 0)

    def push(self, cycle: int, run: Run) -> None:
        """As the base does; a memory that sleeps is woken."""
        if self.power is not None and not self.busy:
            self.power.wake(cycle, self.refreshes, self._exit_cycles)
            self._next = None
        super().push(cycle, run)

    def expect_no_more(self, cycle: int) -> None:
        """No request will come in ``cycle`` or later. Nothing waits for more here."""

    def next_cycle(self) -> int:
        """When the next command goes out, or the next refresh begins, if nothing else arrives."""
        return (self._next or self._choose())[0]

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        while (self._next or self._choose())[0] < end:
            self.step()

    def step(self) -> None:
        """Issue the next command; or refresh."""
        cycle, bank, column, write = self._next or self._choose()
        self._next = None
        if bank < 0:
            self._refresh(cycle, ~bank)
            return
        self._write_mode = self._serving
        if column:
            self._access(cycle, bank, write)
        elif self.state.open_row[bank] == NO_ROW:
            self._activate(cycle, bank, write)
        else:
            self._precharge(cycle, bank)

    def _precharge(self, cycle: int, bank: int) -> None:
        self.state.precharge(cycle, bank, for_another=True)
        self._hit[0][bank] = self._hit[1][bank] = None
        self.now = cycle + 1

    def _activate(self, cycle: int, bank: int, write: int) -> None:
        waiting = self._waiting[write][bank]
        run = waiting[0]
        self.state.activate(cycle, bank, run.row)
        self.hits_since_activate[bank] = 0
        self._active[bank] = run
        self.queued[write] -= 1
        if run.left == 1:
            self._drop(waiting, 0, bank, write)
        hits, visible = self._hit, self._visible
        # Nearly always the run for which the row is opened.
        hits[write][bank] = run if run.left > 1 else first(waiting, run.row, visible)
        others = self._waiting[1 - write].get(bank)
        hits[1 - write][bank] = first(others, run.row, visible) if others else None
        self.now = cycle + 1
        if self._backlog[write]:
            self._admit(write)

    def _access(self, cycle: int, bank: int, write: int) -> None:
        """A burst of the run for which the row was opened, or else of the oldest hit."""
        run = self._opened_for(bank, write)
        if run is not None:
            del self._active[bank]
            self._charge(run, cycle)
        else:
            run = self._hit[write][bank]
            assert run is not None  # noqa: S101 # or the bank would not have been chosen
            self.queued[write] -= 1
            self.hits_since_activate[bank] += 1
        data_end = self.state.column(cycle, bank, write)
        self.now = cycle + 1
        if run.data_start < 0:
            run.data_start = data_end - self.state.nbl
        run.left -= 1
        if not run.left:
            self._finish(run, data_end)
        if self._backlog[write]:
            self._admit(write)
        if self._closes:
            self._close_unwanted(bank)

    def _charge(self, run: Run, cycle: int) -> None:
        """The first burst of a row goes out: until now the data path waited for it, if it had nothing else to do."""
        state = self.state
        ready = state.last_column + state.nbl
        if ready < run.arrival:
            ready = run.arrival
        if cycle > ready:
            refresh = min(cycle, max(ready, state.refreshed[state.rank_of[run.bank]])) - ready
            run.refresh_cycles += refresh
            run.row_cycles += cycle - ready - refresh

    def _close_unwanted(self, bank: int) -> None:
        """Close a row that nobody waits for with the last access; if adaptive, only where another is waited for."""
        if self._hit[0][bank] is None is self._hit[1][bank] and bank not in self._active:
            wanted = bank in self._waiting[0] or bank in self._waiting[1]
            if wanted or not self._closes_for_others:
                another = wanted and self._closes_for_others
                self.state.precharge(self.state.bank_precharge[bank], bank, for_another=another, command=False)

    def _finish(self, run: Run, data_end: int) -> None:
        """The run's last command has gone out."""
        bank, hits = run.bank, self._hit[run.write]
        run.data_end = data_end
        self.completed.append(run)
        waiting = self._waiting[run.write].get(bank)
        if waiting is not None and run in waiting:
            self._drop(waiting, waiting.index(run), bank, run.write)
            hits[bank] = first(waiting, run.row, self._visible) if waiting else None
        if self.power is not None and not self.busy:
            self.power.rest(data_end)

    def _refresh(self, cycle: int, rank: int) -> None:
        banks = self.refreshes.banks(rank)
        if self.refreshes.per_bank:
            self.state.refresh_banks(cycle, banks, self.refreshes.cycles)
        else:
            self.state.refresh(cycle, rank)
        self.now = max(self.now, cycle)
        self.refreshes.done(rank)
        for bank in banks:
            self._hit[0][bank] = self._hit[1][bank] = None

    def _choose(self) -> Choice:
        """The first command that is legal; among several in one cycle that of a row just opened, then the oldest."""
        now = self.now
        open_row, group_of, bank_column, bank_activate, bank_precharge, group_activate, columns = self._stamps
        best_at, best_age, best_bank, best_column = NEVER, NEVER, -1, False
        reads, writes = self.queued
        self._serving = serving = not reads or writes > self._high or (self._write_mode and writes >= self._low)
        write = best_write = int(serving)
        active = self._active
        if active:
            for bank, run in active.items():
                kind = run.write
                at = bank_column[bank]
                if (other := columns[kind][group_of[bank]]) > at:
                    at = other
                if at < now:
                    at = now
                if at < best_at or (at == best_at and run.age < best_age):
                    best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, True, kind
            best_age = -NEVER
        hits, group_column = self._hit[write], columns[write]
        for bank, waiting in self._waiting[write].items():
            run = waiting[0]
            if open_row[bank] == NO_ROW:
                column = False
                at = bank_activate[bank]
                if (other := group_activate[group_of[bank]]) > at:
                    at = other
            else:
                hit = hits[bank]
                if hit is not run and bank not in active:
                    at = bank_precharge[bank]
                    if at < now:
                        at = now
                    if at < best_at or (at == best_at and run.age < best_age):
                        best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, False, write
                    if self.hits_since_activate[bank] >= self._cap or now - run.arrival > self._age_limit:
                        continue
                if hit is None:
                    continue
                run, column = hit, True
                at = bank_column[bank]
                if (other := group_column[group_of[bank]]) > at:
                    at = other
            if at < now:
                at = now
            if at < best_at or (at == best_at and run.age < best_age):
                best_at, best_age, best_bank, best_column, best_write = at, run.age, bank, column, write
        choice = best_at, best_bank, best_column, best_write
        if best_at >= self.refreshes.first_due:
            choice = self._refresh_or(choice)
        self._next = choice
        return choice

    def _refresh_or(self, choice: Choice) -> Choice:
        """A refresh that is due by the time of ``choice`` comes first, but after bursts whose row has been opened."""
        cycle, *_, write = choice
        first_due = self.refreshes.first_due
        rank = self.refreshes.due.index(first_due)
        banks = self.refreshes.banks(rank)
        opened = [
            (max(self.now, self.state.earliest_column(bank, run.write)), run.age, bank, run.write)
            for bank, run in self._active.items()
            if bank in banks
        ]
        if opened:
            cycle, _, bank, write = min(opened)
            return cycle, bank, True, write
        if cycle == NEVER and self.power is not None and self.power.sleeps_by_itself(first_due):
            return NEVER, ~rank, False, write
        return first_due, ~rank, False, write
