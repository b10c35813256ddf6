"""Bursts of one row in one step, with what other banks do meanwhile: equal to one command at a time, only faster.

While the oldest hit of a bank is served, its bursts follow each other at the closest spacing, and only a few things can
get between them: the activate or precharge of another bank, which takes a cycle of the command bus but none of the data
bus; a burst whose row has just been opened, which delays the rest by one burst; an older hit elsewhere; a refresh; a
change between reading and writing; a run that enters the queue; an arrival. Between two of these the bursts need no
choice, and past activates and precharges in cycles of their own they need not be counted.
``tests/components/test_dram_scheduler.py`` compares both on random mixes.
"""

from __future__ import annotations

from typing import Final

from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.scheduler import NEVER, Scheduler
from soc_sim.components.memory.dram.state import NO_ROW
from soc_sim.config.memory import Dram

Other = tuple[int, int, bool]
"""What could get between the bursts of a run: (first cycle, bank, whether it is a read or write)."""
NOTHING: Final = (NEVER, -1, False)
FORGOTTEN: Final = (0, None)


class StreamingScheduler(Scheduler):
    """As its base, with a short cut for the bursts of a run."""

    __slots__ = (
        "_between",
        "_elsewhere_later",
        "_holds_row",
        "_rcd",
        "_short_cut",
        "closed_form_bursts",
        "takes_short_cuts",
    )

    def __init__(self, description: Dram) -> None:
        super().__init__(description)
        controller, state = description.controller, self.state
        self.closed_form_bursts = 0
        """Bursts that went out several in one step."""
        self.takes_short_cuts = True
        """Without, every command is a step of its own: slower, and the same."""
        self._between: tuple[int, Other | None] = FORGOTTEN
        """What could get between the bursts of the run that is chosen, if it is known, and after how many runs."""
        self._rcd = description.timing.nRCD
        # Caps and limits look at every burst.
        self._short_cut = not (controller.row_hit_cap or controller.age_limit_cycles)
        # Whether a row can be closed between two bursts of a run only where the second has been delayed.
        self._holds_row = min(state.row_held) > state.spacing_l
        # Whether a read or write elsewhere must wait as long as the next burst of the run.
        self._elsewhere_later = state.spacing_s == state.spacing_l and description.ranks == 1

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        if not self.takes_short_cuts:
            super().advance(end)
            return
        cycle, bank, column, write = self._next or self._choose()
        while cycle < end:
            run = self._hit[write][bank] if column and self._short_cut else None
            if (
                run is None
                or run.left == 1
                or write != self._serving
                or self._active.get(bank, run) is not run
                or cycle >= self.refreshes.first_due
            ):
                self._between = FORGOTTEN
                self.step()
            else:
                self._next = None
                self._stream(run, cycle, end)
            cycle, bank, column, write = self._next or self._choose()

    def _stream(self, run: Run, column: int, end: int) -> None:
        """Bursts of ``run``, chosen for cycle ``column``, and what goes out between them, all before ``end``.

        From ``column`` on the state does not know the bursts yet, ``last`` is the last before something must be done.
        """
        bank, write, state, queued, active = run.bank, run.write, self.state, self.queued, self._active
        spacing, backlog, hits = state.spacing_l, self._backlog[write], self._hit[write]
        due = self.refreshes.first_due
        before = end if end < due else due
        self._write_mode = self._serving
        if run.data_start < 0:
            run.data_start = column + state.latency[write]
        if bank in active:
            # Its place in the queue is free already.
            del active[bank]
            self._charge(run, column)
            queued[write] += 1
        # It has been chosen: whatever else could go in this cycle goes in the next.
        self.now = column + 1
        runs, known = self._between
        if runs != self._ages:
            known = None
        self._between = FORGOTTEN
        last, watched = -1, True
        while True:
            if last < 0:
                watched = bool(backlog or (write and queued[0]))
                last = column + ((self._until_next_look(run) if watched else run.left) - 1) * spacing
            at, other, is_column = known or self._first_other(run, column)
            known = None
            if last < at and last < before:
                column = self._write_down(run, column, last + 1)
                if not run.left:
                    self._end(run, last)
                    return
                self._admit(write)
                if self._closes:
                    self._close_unwanted(bank)
            elif before <= at:
                column = self._write_down(run, column, before)
                if before == end and column < at and column < due:
                    self._next, self._between = (column, bank, True, write), (self._ages, (at, other, is_column))
                return
            elif is_column:
                column = self._write_down(run, column, at)
                if other not in active or active[other].write != write:
                    return
                if state.earliest_column(other, write) > at:
                    continue
                self._access(at, other, write)
                column = max(column, state.earliest_column(bank, write))
            else:
                activates = state.open_row[other] == NO_ROW
                counts = watched and activates
                if counts or column >= at or not (at - column) % spacing:
                    column = max(self._write_down(run, column, at), at + 1)
                    last = -1
                if activates:
                    self._activate(at, other, write)
                else:
                    self._precharge(at, other)
                if not counts:
                    continue
            last = -1
            if hits[bank] is not run or (write and queued[0] and not self._wants_writes()):
                return

    def _write_down(self, run: Run, column: int, until: int) -> int:
        """Bursts from ``column`` on have gone out before ``until``; returns the cycle of the next."""
        if until <= column:
            return column
        write, spacing, state = run.write, self.state.spacing_l, self.state
        bursts = (until - column - 1) // spacing + 1
        last = column + (bursts - 1) * spacing
        run.left -= bursts
        self.queued[write] -= bursts
        if last >= self.now:
            self.now = last + 1
        if bursts > 1:
            self.closed_form_bursts += bursts
            state.bursts[write] += bursts - 1
        state.column(last, run.bank, write)
        return last + spacing

    def _end(self, run: Run, last: int) -> None:
        """The last burst of the run has gone out in cycle ``last``."""
        write = run.write
        self._finish(run, last + self.state.latency[write] + self.state.nbl)
        if self._backlog[write]:
            self._admit(write)
        if self._closes:
            self._close_unwanted(run.bank)

    def outlook(self) -> tuple[int, Run | None]:
        """If nothing arrives: no read or write before which cycle, and the run for which all others wait.

        They do if it is the oldest: then none of them gets more than one burst (its row's first) before it ends.
        """
        state = self.state
        cycle, bank, is_column, _ = self._next or self._choose()
        if not is_column:
            if bank >= 0 and not self._could_hit():
                cycle += self._rcd
            else:
                cycle = max(cycle + 1, min(map(min, state.group_column)))
        write = int(self._serving)
        waiting = self._waiting[write]
        if not waiting or not self._elsewhere_later or not self._short_cut or (write and self.queued[0]):
            return cycle, None
        bank = oldest = -1
        for each, runs in waiting.items():
            if bank < 0 or runs[0].age < oldest:
                bank, oldest = each, runs[0].age
        run = waiting[bank][0]
        if self._hit[write][bank] is not run or state.bank_column[bank] > cycle:
            return cycle, None
        if cycle + run.left * state.nbl >= self.refreshes.first_due:
            return cycle, None
        for opened in self._active.values():
            if opened.write != write:
                return cycle, None
        return cycle, run

    def _could_hit(self) -> bool:
        """Whether something could be read or written without a row being opened before."""
        if self._active or self._backlog[0] or self._backlog[1]:
            return True
        return any(hits[bank] for hits, waiting in zip(self._hit, self._waiting, strict=True) for bank in waiting)

    def _until_next_look(self, run: Run) -> int:
        """Bursts after which the mode may change, or the next run enters the queue, or this one ends."""
        write, most, queued = run.write, run.left, self.queued
        if write and queued[0]:
            # Reads are next as soon as the queue is below its threshold.
            most = min(most, int(queued[1] - self._low) + 1)
        if self._backlog[write]:
            most = min(most, 1 if self._behind else queued[write] - self._room[write] + 1)
        return max(1, most)

    def _first_other(self, run: Run, column: int) -> Other:
        """What could go out before bursts of ``run``, of which the next goes in cycle ``column``, as far as it matters.

        A younger activate or precharge in the cycle of a burst goes in the next one.
        """
        own_bank, write, active = run.bank, run.write, self._active
        waiting_runs, later = self._waiting[write], self._elsewhere_later
        if not active and len(waiting_runs) == 1 and waiting_runs[own_bank][0] is run:
            return NOTHING
        now, own_age, spacing = self.now, run.age, self.state.spacing_l
        open_row, group_of, bank_column, bank_activate, bank_precharge, group_activate, columns = self._stamps
        best_at, best_age, best_bank, best_column = NEVER, NEVER, -1, False
        for bank, opened in active.items():
            if bank != own_bank:
                at = bank_column[bank]
                if (other := columns[opened.write][group_of[bank]]) > at:
                    at = other
                if at < now:
                    at = now
                # Between reading and writing the bus may turn around sooner.
                if later and at > column and opened.write == write:
                    at += (column - at) % spacing
                if at < best_at or (at == best_at and opened.age < best_age):
                    best_at, best_age, best_bank, best_column = at, opened.age, bank, True
        if best_column:
            best_age = -NEVER
        hits = self._hit[write]
        for bank, waiting in waiting_runs.items():
            oldest = waiting[0]
            if open_row[bank] == NO_ROW:
                at = bank_activate[bank]
                if (other := group_activate[group_of[bank]]) > at:
                    at = other
            else:
                hit = hits[bank]
                if hit is not None and hit is not run and not (later and hit.age > own_age):
                    at = bank_column[bank]
                    if (other := columns[write][group_of[bank]]) > at:
                        at = other
                    if at < now:
                        at = now
                    if later and at > column:
                        at += (column - at) % spacing
                    if at < best_at or (at == best_at and hit.age < best_age):
                        best_at, best_age, best_bank, best_column = at, hit.age, bank, True
                if hit is oldest or bank in active:
                    continue
                at = bank_precharge[bank]
                if bank == own_bank:
                    # Every burst puts it off; what comes of it is left to the choice.
                    if at < best_at and (at <= column or not self._holds_row):
                        best_at, best_age, best_bank, best_column = max(at, now), -NEVER, bank, True
                    continue
            if at < now:
                at = now
            if oldest.age > own_age and at >= column and not (at - column) % spacing:
                at += 1
            if at < best_at or (at == best_at and oldest.age < best_age):
                best_at, best_age, best_bank, best_column = at, oldest.age, bank, False
        return best_at, best_bank, best_column
