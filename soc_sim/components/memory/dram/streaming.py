"""Bursts of one row in one step, with what other banks do meanwhile: equal to one command at a time, only faster.

While the oldest hit of a bank is served, its bursts follow each other at the closest spacing, and only a few things can
get between them: the activate or precharge of another bank, which takes a cycle of the command bus but none of the data
bus; a burst whose row has just been opened, which delays the rest by one burst; an older hit elsewhere; a refresh; a
change between reading and writing; a run that enters the queue; an arrival. Between two of these the bursts need no
choice.
``tests/components/test_dram_scheduler.py`` compares both on random mixes.
"""

from __future__ import annotations

from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.scheduler import NEVER, Scheduler
from soc_sim.components.memory.dram.state import NO_ROW
from soc_sim.config.memory import Dram

Other = tuple[int, int, bool]
"""What could get between the bursts of a run: (first cycle, bank, whether it is a read or write)."""
NOTHING: Other = (NEVER, -1, False)


class StreamingScheduler(Scheduler):
    """As its base, with a short cut for the bursts of a run."""

    __slots__ = (
        "_column",
        "_elsewhere_later",
        "_holds_row",
        "_issued",
        "_last",
        "_other",
        "_rcd",
        "_run",
        "_short_cut",
        "closed_form_bursts",
    )

    def __init__(self, description: Dram) -> None:
        super().__init__(description)
        controller, state = description.controller, self.state
        self.closed_form_bursts = 0
        """Bursts that went out several in one step."""
        self._run: Run | None = None
        """The run whose bursts follow each other now."""
        self._column = 0
        """Cycle of its next burst, if nothing gets between."""
        self._other: Other | None = None
        """What could get between, once it is known."""
        self._last = 0
        """Cycle of its last burst so far."""
        self._issued = 0
        """Bursts of it that the state does not know yet."""
        # Caps and limits look at every burst.
        self._rcd = description.timing.nRCD
        self._short_cut = not (controller.row_hit_cap or controller.age_limit_cycles)
        # Whether a row can be closed between two bursts of a run only where the second has been delayed.
        self._holds_row = min(state.row_held) > state.spacing_l
        # Whether a younger hit elsewhere must wait as long as the next burst of the run.
        self._elsewhere_later = state.spacing_s == state.spacing_l and description.ranks == 1

    def push(self, cycle: int, run: Run) -> None:
        """As the base does; the run that is served need not stay the one to serve."""
        super().push(cycle, run)
        self._other = None
        if self._run is not None and (run.priority or self._wants_writes() != self._serving):
            self.suspend()

    def next_cycle(self) -> int:
        """When the next command goes out, or the next refresh begins, if nothing else arrives."""
        self.suspend()
        return super().next_cycle()

    def step(self) -> None:
        """Issue the next command alone; or refresh."""
        self.suspend()
        super().step()

    def suspend(self) -> None:
        """Bring the state up to date with all commands that have gone out."""
        if self._run is not None:
            self._write_down(self._run)
            self._run = None

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        hits = self._hit
        while True:
            run = self._run
            if run is None:
                cycle, bank, column, write = self._next or self._choose()
                if cycle >= end:
                    return
                run = hits[write][bank] if column and self._short_cut else None
                if (
                    run is None
                    or run.left == 1
                    or write != self._serving
                    or self._active.get(bank, run) is not run
                    or cycle >= self.refreshes.first_due
                ):
                    super().step()
                    continue
                self._next = self._other = None
                self._write_mode = self._serving
                self._run, self._column = run, cycle
                # It has been chosen: whatever else could go in this cycle goes in the next.
                self.now = cycle + 1
            if not self._stream(run, end):
                return

    def _stream(self, run: Run, end: int) -> bool:
        """Bursts of the run that is served, and what goes out between them, all before ``end``.

        Returns whether its turn ended earlier.
        """
        bank, write, spacing, queued, due = (
            run.bank,
            run.write,
            self.state.spacing_l,
            self.queued,
            self.refreshes.first_due,
        )
        backlog, open_row, hits = self._backlog[write], self.state.open_row, self._hit[write]
        before = end if end < due else due
        while True:
            column = self._column
            other = self._other
            if other is None:
                other = self._other = self._first_other(run, column)
            at, other_bank, is_column = other
            limit = at if at < before else before
            if column < limit:
                bursts = (limit - column - 1) // spacing + 1
                if bursts > run.left:
                    bursts = run.left
                if backlog or (write and queued[0]):
                    bursts = min(bursts, self._until_next_look(write, bank))
                self._issue(run, column, bursts)
                if not run.left:
                    self._finish(run, self._write_down(run))
                    self._run = None
                    if self._closes:
                        self._close_unwanted(bank)
                    return True
                if hits[bank] is not run or (write and queued[0] and not self._wants_writes()):
                    break
                if is_column:
                    self._write_down(run)
                    self._other = None
                continue
            if at >= before:
                if end <= due:
                    return False
                break
            self._other = None
            if is_column:
                if other_bank not in self._active or self._active[other_bank].write != write:
                    break
                self._write_down(run)
                if self.state.earliest_column(other_bank, write) > at:
                    continue
                self._access(at, other_bank, write)
                self._column = max(column, self.state.earliest_column(bank, write))
            else:
                if open_row[other_bank] == NO_ROW:
                    self._activate(at, other_bank, write)
                else:
                    self._precharge(at, other_bank)
                if column <= at:
                    self._column = at + 1
            if hits[bank] is not run or (write and queued[0] and not self._wants_writes()):
                break
        self.suspend()
        return True

    def _issue(self, run: Run, column: int, bursts: int) -> None:
        """Let bursts of the run go out. What they do to the state is written down when somebody asks."""
        bank, write, spacing = run.bank, run.write, self.state.spacing_l
        if run.data_start < 0:
            run.data_start = column + self.state.latency[write]
        run.left -= bursts
        self._issued += bursts
        self._last = last = column + (bursts - 1) * spacing
        self._column = last + spacing
        self.now = last + 1
        if bank in self._active:
            del self._active[bank]
            self._charge(run, column)
            bursts -= 1
        self.queued[write] -= bursts
        full = self.queued[write] >= self._room[write] and not self._behind
        if self._backlog[write] and not full and self._admit(write):
            self._other = None

    def _write_down(self, run: Run) -> int:
        """Bring the state up to date; returns the cycle in which the last data beat of the bursts so far ends."""
        bursts = self._issued
        if not bursts:
            return 0
        self._issued = 0
        if bursts > 1:
            self.closed_form_bursts += bursts
        state = self.state
        state.bursts[run.write] += bursts - 1
        return state.column(self._last, run.bank, run.write)

    def outlook(self) -> tuple[int, Run | None]:
        """If nothing arrives: no read or write before which cycle, and the run for which all others wait.

        They do if it is the oldest: then none of them gets more than one burst (its row's first) before it ends.
        """
        if not self._elsewhere_later:
            self.suspend()
        run, state = self._run, self.state
        if run is None:
            cycle, bank, is_column, _ = self._next or self._choose()
        else:
            cycle, bank, is_column = self._column, run.bank, True
            other = self._other
            if other is None:
                other = self._other = self._first_other(run, cycle)
            if other[0] <= cycle:
                cycle, bank, is_column = other
                is_column = is_column and bank != run.bank
        if not is_column:
            if bank >= 0 and not self._could_hit():
                cycle += self._rcd
            elif self._issued:
                cycle = max(cycle + 1, self._last + state.spacing_l)
            else:
                cycle = max(cycle + 1, min(map(min, state.group_column)))
        write = int(self._serving)
        waiting = self._waiting[write]
        if not waiting or not self._elsewhere_later or not self._short_cut or (write and self.queued[0]):
            return cycle, None
        bank, oldest = -1, NEVER
        for each, runs in waiting.items():
            if runs[0].age < oldest:
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

    def _until_next_look(self, write: int, bank: int) -> int:
        """Bursts after which the mode may change, or the next run enters the queue."""
        most, queued = NEVER, self.queued
        if write and queued[0]:
            # Reads are next as soon as the queue is below its threshold.
            most = int(queued[1] - self._low) + 1 + (bank in self._active)
        if self._backlog[write]:
            room_for = 1 if self._behind else queued[write] - self._room[write] + 1 + (bank in self._active)
            most = min(most, room_for)
        return max(1, most)

    def _first_other(self, run: Run, column: int) -> Other:
        """What could go out before bursts of ``run``, of which the next goes in cycle ``column``, as far as it matters.

        A younger activate or precharge in the cycle of a burst goes in the next one.
        """
        own_bank, write, active = run.bank, run.write, self._active
        waiting_runs = self._waiting[write]
        if len(waiting_runs) == 1 and waiting_runs[own_bank][0] is run and (not active or list(active) == [own_bank]):
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
                if hit is not None and hit is not run and not (self._elsewhere_later and hit.age > own_age):
                    at = bank_column[bank]
                    if (other := columns[write][group_of[bank]]) > at:
                        at = other
                    if at < now:
                        at = now
                    if at < best_at or (at == best_at and hit.age < best_age):
                        best_at, best_age, best_bank, best_column = at, hit.age, bank, True
                if hit is oldest or bank in active:
                    continue
                at = bank_precharge[bank]
                if bank == own_bank:
                    # Every burst puts it off; what comes of it is left to the choice.
                    if self._issued:
                        at = max(at, self._last + self.state.row_held[write])
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
