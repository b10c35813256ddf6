"""Another order of a channel's commands: bank queues in turn, as in DRAMsim3. Pure functions of integer cycles.

Requests wait in a read and a write queue. In each cycle one burst goes on to the queue of its bank: the oldest whose
bank has room, a read unless writes are being drained. Draining starts when the write queue is full, or holds more than
``drain_idle_above`` bursts while the bank queues are empty, and takes as many writes as there were then. A bank queue
keeps reads and writes in order. In each cycle the bank queues are asked in turn, from the one after the last that gave
a command; the first with a legal one gives it: the activate for its oldest burst, its oldest hit that is legal, or a
precharge for its oldest burst, if no hit waits or ``row_hit_cap`` bursts of the row have gone out. With
``dual_command`` a command of the other kind (row or column) may follow in the same cycle. A refresh that is due stops
its banks; their rows close one a cycle, then it begins.
Source: umd-memsys/DRAMsim3, commit 29817593b338, controller.cc, command_queue.cc, channel_state.cc, refresh.cc in src/.
Left out: queues of ranks, reads answered from buffered writes, writes to one address merged, closed pages, sleep.
"""

from __future__ import annotations

from bisect import insort
from operator import attrgetter
from typing import ClassVar, Final

from soc_sim.components.memory.dram.power import PowerStates
from soc_sim.components.memory.dram.queues import NUMBER_BITS, NUMBER_MASK, Run
from soc_sim.components.memory.dram.refresh import Refreshes
from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.config.memory import Dram

NEVER: Final = 1 << 60

ACTIVATE: Final = 0
PRECHARGE: Final = 1
COLUMN: Final = 2
REFRESH: Final = 3
NOTHING: Final = 4
"""Kinds of commands."""

Candidate = tuple[int, Run, list[int], list[int]]
"""What a bank could do next: its kind, for which run, its time stamps by bank and by bank group."""


class Bursts:
    """What of a run waits in the queue of its kind."""

    __slots__ = ("age", "left", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.left = run.bursts
        self.age = run.age


class RoundRobinScheduler:
    """One channel: two queues of requests, a queue of each bank, a turn over these.

    ``posts_writes``: writes up to ``drain_idle_above`` may wait for ever, as nobody waits for them. Else they are
    drained as soon as no read waits and the bank queues are empty.
    """

    answer_cycles: ClassVar = 1
    """Cycles from the end of the last data to the request that waited for them."""

    __slots__ = (
        "_ages",
        "_bank_queues",
        "_bank_room",
        "_candidates",
        "_cap",
        "_draining",
        "_dual",
        "_idle_above",
        "_in_banks",
        "_never",
        "_next",
        "_orders",
        "_posts_writes",
        "_priority_cycles",
        "_room",
        "_turn",
        "_waiting",
        "closed_form_bursts",
        "completed",
        "hits_since_activate",
        "now",
        "power",
        "queued",
        "refreshes",
        "state",
    )

    def __init__(self, description: Dram, *, posts_writes: bool = False) -> None:
        controller, banks = description.controller, description.ranks * description.banks
        self.state = ChannelState(description)
        self.refreshes = Refreshes(description)
        self.power: PowerStates | None = None
        self._posts_writes = posts_writes
        self.completed: list[Run] = []
        """Runs whose last command has gone out, in that order; whoever reads the list empties it."""
        self.closed_form_bursts = 0
        self.queued = [0, 0]
        """Bursts that have not gone on to a bank queue: to read, to write."""
        self.now = 0
        """First cycle in which a command can go out."""
        self._waiting: tuple[list[Bursts], list[Bursts]] = ([], [])
        """Of these queues: runs in order, each with what is left of it there. The queue is as long as its room; what
        comes later has not entered."""
        self._bank_queues: list[list[Run]] = [[] for _ in range(banks)]
        """An entry for each burst."""
        self._in_banks = 0
        """Bursts in all of them."""
        self._candidates: list[tuple[Candidate, ...] | None] = [()] * banks
        """What each bank could do, in the order in which it is asked for; None: to be worked out."""
        self.hits_since_activate = [0] * banks
        self._room = (controller.read_queue, controller.write_queue)
        self._bank_room = controller.bank_queue
        self._cap = controller.row_hit_cap or NEVER
        self._dual = controller.dual_command
        self._idle_above = controller.drain_idle_above
        self._priority_cycles = controller.priority_cycles
        self._ages = 0
        self._draining = 0
        """Writes that have yet to go on before reads do."""
        self._orders = [tuple((turn + step) % banks for step in range(1, banks + 1)) for turn in range(banks)]
        """For each bank that gave the last command: in which order they are asked."""
        self._never = [0] * banks
        """Time stamps of what a command need not wait for."""
        self._turn = 0
        """Bank whose queue gave the last command."""
        self._next = 0
        """Nothing happens before this cycle if nothing arrives."""

    def push(self, cycle: int, run: Run) -> None:
        """Take a run; its first command can go out in ``cycle``. All commands before must have gone out."""
        self.now = self._next = max(self.now, cycle)
        run.arrival = self.now
        run.age = ((self.now - run.priority * self._priority_cycles) << NUMBER_BITS) + (self._ages & NUMBER_MASK)
        self._ages += 1
        self.queued[run.write] += run.bursts
        waiting, bursts = self._waiting[run.write], Bursts(run)
        if run.priority or (waiting and waiting[-1].age > run.age):
            insort(waiting, bursts, key=_by_age)
        else:
            waiting.append(bursts)

    def has_room(self, write: int) -> bool:
        """Whether a burst can enter its queue now."""
        return self.queued[write] < self._room[write]

    @property
    def busy(self) -> bool:
        """Whether a command has yet to go out."""
        return self._in_banks > 0 or self.queued != [0, 0]

    def next_cycle(self) -> int:
        """No command goes out before this cycle, if nothing else arrives."""
        return self._next

    def outlook(self) -> tuple[int, Run | None]:
        """As :meth:`next_cycle`; no run is known for which all others wait."""
        return self._next, None

    def expect_no_more(self, cycle: int) -> None:
        """No request will come in ``cycle`` or later: drain what writes are left."""
        self._posts_writes = False
        self._next = max(self.now, cycle)

    def advance(self, end: int) -> None:
        """Issue every command before cycle ``end``."""
        while self._next < end:
            self.step()

    def step(self) -> None:
        """Go on to the next cycle in which something may happen; at most one command, two with ``dual_command``."""
        cycle = self._next
        self.now = cycle + 1
        moved = self._go_on()
        refreshes, done, stopped = self.refreshes, NOTHING, range(0)
        wake = refreshes.first_due
        if cycle >= wake:
            rank = refreshes.due.index(wake)
            stopped = refreshes.banks(rank)
            done, wake = self._refresh(cycle, rank, stopped)
            if done == REFRESH:
                stopped = range(0)
        if done == NOTHING:
            done, at = self._ask(cycle, stopped, NOTHING)
            wake = min(wake, at)
        if done != NOTHING:
            wake = cycle + 1
            if self._dual:
                second, at = self._ask(cycle, stopped, done)
                if second == NOTHING and not stopped and (done != COLUMN or self.queued == [0, 0]):
                    # No bank queue has got room for what waits before it.
                    wake = max(cycle + 1, min(at, refreshes.first_due))
        self._next = cycle + 1 if moved else wake

    def _go_on(self) -> bool:
        """Whether a burst has gone on to the queue of its bank."""
        reads, writes = self.queued
        if not self._draining and writes:
            room = self._room[1]
            idle = not self._in_banks and (writes > self._idle_above or not (reads or self._posts_writes))
            if writes >= room or idle:
                self._draining = min(writes, room)
        write = int(self._draining > 0)
        waiting, seen, room = self._waiting[write], 0, self._room[write]
        for place, bursts in enumerate(waiting):
            bank = bursts.run.bank
            queue = self._bank_queues[bank]
            if len(queue) < self._bank_room:
                if not (queue and queue[-1] is bursts.run):
                    self._candidates[bank] = None
                queue.append(bursts.run)
                self._in_banks += 1
                self.queued[write] -= 1
                self._draining -= write
                bursts.left -= 1
                if not bursts.left:
                    del waiting[place]
                return True
            seen += bursts.left
            if seen >= room:
                break
        return False

    def _ask(self, cycle: int, stopped: range, after: int) -> tuple[int, int]:
        """Let the first bank in turn with a legal command give it; (its kind, when one may be legal if none is now).

        ``after``: the kind of the command that goes out in the same cycle already. One of the same kind is dropped,
        but the turn has passed on.
        """
        queues, candidates, group_of = self._bank_queues, self._candidates, self.state.group_of
        soonest = NEVER
        for bank in self._orders[self._turn]:
            if not queues[bank] or bank in stopped:
                continue
            could = candidates[bank]
            if could is None:
                could = candidates[bank] = self._work_out(bank)
            for kind, run, of_bank, of_group in could:
                at, other = of_bank[bank], of_group[group_of[bank]]
                if other > at:
                    at = other
                if at <= cycle:
                    self._turn = bank
                    if after == NOTHING or (kind == COLUMN) != (after == COLUMN):
                        self._issue(cycle, bank, kind, run)
                    return kind, cycle
                if at < soonest:
                    soonest = at
        return NOTHING, soonest

    def _work_out(self, bank: int) -> tuple[Candidate, ...]:
        """What the bank could do, in the order in which it is asked."""
        state, queue = self.state, self._bank_queues[bank]
        oldest, row = queue[0], state.open_row[bank]
        if row == NO_ROW:
            return ((ACTIVATE, oldest, state.bank_activate, state.group_activate),)
        hits: dict[int, Run] = {}
        for run in queue:
            if run.row == row and run.write not in hits:
                hits[run.write] = run
        columns = state.group_column
        could = tuple((COLUMN, run, state.bank_column, columns[write]) for write, run in hits.items())
        if oldest.row != row and (not hits or self.hits_since_activate[bank] >= self._cap):
            return ((PRECHARGE, oldest, state.bank_precharge, self._never), *could)
        return could

    def _issue(self, cycle: int, bank: int, kind: int, run: Run) -> None:
        if kind == COLUMN:
            self._access(cycle, bank, run)
            queue = self._bank_queues[bank]
            if queue and queue[0] is run:
                # The same run is the oldest, and its row open: nothing else can be done.
                return
        elif kind == ACTIVATE:
            self._activate(cycle, bank, run)
        else:
            self._precharge(cycle, bank)
        self._candidates[bank] = None

    def _activate(self, cycle: int, bank: int, run: Run) -> None:
        self.state.activate(cycle, bank, run.row)
        self.hits_since_activate[bank] = 0

    def _precharge(self, cycle: int, bank: int, *, for_another: bool = True) -> None:
        self.state.precharge(cycle, bank, for_another=for_another)

    def _access(self, cycle: int, bank: int, run: Run) -> None:
        if not self.hits_since_activate[bank]:
            self._charge(run, cycle)
        self.hits_since_activate[bank] += 1
        self._bank_queues[bank].remove(run)
        self._in_banks -= 1
        data_end = self.state.column(cycle, bank, run.write)
        if run.data_start < 0:
            run.data_start = data_end - self.state.nbl
        run.left -= 1
        if not run.left:
            run.data_end = data_end
            self.completed.append(run)

    def _charge(self, run: Run, cycle: int) -> None:
        """The first burst of a row goes out: until now the data path waited for it, if it had nothing else to do."""
        state = self.state
        ready = max(run.arrival, state.last_column + state.nbl)
        if cycle > ready:
            refresh = min(cycle, max(ready, state.refreshed[state.rank_of[run.bank]])) - ready
            run.refresh_cycles += refresh
            run.row_cycles += cycle - ready - refresh

    def _refresh(self, cycle: int, rank: int, banks: range) -> tuple[int, int]:
        """Close a row of the rank, or refresh it once all are closed; (what was done, when something may be)."""
        state, soonest = self.state, NEVER
        for bank in banks:
            if state.open_row[bank] != NO_ROW:
                at = state.earliest_precharge(bank)
                if at <= cycle:
                    self._precharge(cycle, bank, for_another=False)
                    self._candidates[bank] = None
                    return PRECHARGE, cycle
                soonest = min(soonest, at)
        if soonest == NEVER:
            soonest = max(state.bank_activate[bank] for bank in banks)
            if soonest <= cycle:
                self._begin_refresh(cycle, rank, banks)
                return REFRESH, cycle
        return NOTHING, soonest

    def _begin_refresh(self, cycle: int, rank: int, banks: range) -> None:
        if self.refreshes.per_bank:
            self.state.refresh_banks(cycle, banks, self.refreshes.cycles)
        else:
            self.state.refresh(cycle, rank)
        self.refreshes.done(rank)


_by_age = attrgetter("age")
