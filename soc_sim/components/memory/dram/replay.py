"""A trace of requests against one memory, without the rest of an SoC.

Requests enter in order through one port, one burst each cycle of the command clock. One waits, and all behind it, until
it has arrived, its queue has room for a burst, and, if it reads and there is a limit, fewer reads than that are
outstanding. Writes are posted. A read's latency runs from the cycle in which its first burst was accepted to its last
data beat, and the fixed latency of controller and PHY if the description has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.round_robin import RoundRobinScheduler
from soc_sim.components.memory.dram.scheduler import Scheduler
from soc_sim.config.memory import Dram


class Request(NamedTuple):
    """One line of a trace."""

    arrival_ps: int
    address: int
    size_bytes: int
    write: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """What happened, in cycles of the command clock and commands of all channels."""

    cycles: int
    """From 0 to the last data beat."""
    bytes: int
    reads: int
    read_latency_cycles: int
    """Sum over the reads."""
    row_hits: int
    row_misses: int
    row_conflicts: int
    refreshes: int
    read_bursts: int
    write_bursts: int
    active_cycles: int
    """With a row open, summed over channels and ranks."""
    active_power_down_cycles: int = 0
    """Of these: powered down."""
    precharged_power_down_cycles: int = 0
    """Powered down with all rows closed."""
    self_refresh_cycles: int = 0

    @property
    def activates(self) -> int:
        """Rows opened."""
        return self.row_misses + self.row_conflicts


_Scheduler = Scheduler | RoundRobinScheduler


class _Read:
    """A read of which not all data are back."""

    __slots__ = ("accepted", "end", "left")

    def __init__(self, accepted: int, left: int) -> None:
        self.accepted = accepted
        self.left = left
        """Bursts."""
        self.end = 0


def replay(description: Dram, requests: Iterable[Request], max_outstanding: int = 0) -> Replay:
    """Serve ``requests`` in order; ``max_outstanding`` reads at once, 0: any number."""
    player = _Player(description, max_outstanding)
    for request in requests:
        player.accept(request)
    return player.finish()


def _scheduler(description: Dram) -> _Scheduler:
    if description.controller.scheduling == "round_robin":
        return RoundRobinScheduler(description, posts_writes=True)
    return Scheduler(description)


class _Player:
    def __init__(self, description: Dram, max_outstanding: int) -> None:
        self._tck_ps = description.timing.tck_ps
        self._burst_bytes = description.burst_bytes
        self._locate = AddressMapping(description).locate
        self._channels = [_scheduler(description) for _ in range(description.channels)]
        self._limit = max_outstanding
        self._return_cycles = -(-description.controller_latency_ps // self._tck_ps)
        self._last = -1
        self._outstanding = 0
        self._ends: list[int] = []
        """When reads that are outstanding will have been answered, as far as it is known; a heap."""
        self._bytes = self._reads = self._latency = self._end = 0

    def accept(self, request: Request) -> None:
        """Hand over one request, as early as it can be."""
        arrival_ps, address, size_bytes, write = request
        self._bytes += size_bytes
        burst = self._burst_bytes
        first, last = address // burst, (address + size_bytes - 1) // burst
        cycle = max(-(-arrival_ps // self._tck_ps), self._last + 1)
        owner: _Read | None = None
        for block in range(first, last + 1):
            channel, bank, row = self._locate(block * burst)
            scheduler = self._channels[channel]
            while True:
                scheduler.advance(cycle + 1)
                while not scheduler.has_room(write):
                    scheduler.step()
                    cycle = max(cycle, scheduler.now - 1)
                if scheduler.completed:
                    self._collect(scheduler)
                if write or block > first or not self._limit or self._may_go(cycle):
                    break
                cycle = self._wait_for_data(cycle)
            if block == first and not write:
                owner = _Read(cycle, last - first + 1)
                self._outstanding += 1
                self._reads += 1
            scheduler.push(cycle + 1, Run(bank, row, 1, int(write), owner))
            self._last = cycle
            cycle += 1

    def _may_go(self, cycle: int) -> bool:
        ends = self._ends
        if len(self._channels) > 1:
            # Reads of all of them count, whichever channel comes next.
            for scheduler in self._channels:
                scheduler.advance(cycle + 1)
                self._collect(scheduler)
        while ends and ends[0] <= cycle:
            heappop(ends)
            self._outstanding -= 1
        return self._outstanding < self._limit

    def _wait_for_data(self, cycle: int) -> int:
        """The cycle in which the next read has its data."""
        while not self._ends:
            for scheduler in self._channels:
                if scheduler.next_cycle() == min(other.next_cycle() for other in self._channels):
                    scheduler.step()
                    self._collect(scheduler)
                    break
        return max(cycle, self._ends[0])

    def _collect(self, scheduler: _Scheduler) -> None:
        for run in scheduler.completed:
            if run.data_end > self._end:
                self._end = run.data_end
            read = run.owner
            if isinstance(read, _Read):
                read.left -= 1
                read.end = max(read.end, run.data_end)
                if not read.left:
                    end = read.end + self._return_cycles
                    self._latency += end - read.accepted
                    heappush(self._ends, end + scheduler.answer_cycles)
        scheduler.completed.clear()

    def finish(self) -> Replay:
        """Serve what is queued and count."""
        for scheduler in self._channels:
            scheduler.expect_no_more(self._last + 1)
            while scheduler.busy:
                scheduler.step()
            self._collect(scheduler)
        states = []
        for scheduler in self._channels:
            scheduler.advance(self._end + 1)
            states.append(scheduler.state)
        read_bursts, write_bursts = (sum(state.bursts[kind] for state in states) for kind in (0, 1))
        activates, conflicts = sum(state.activates for state in states), sum(state.conflicts for state in states)
        slept = [scheduler.power.slept(self._end) for scheduler in self._channels if scheduler.power is not None]
        return Replay(
            active_power_down_cycles=sum(each.active_power_down for each in slept),
            precharged_power_down_cycles=sum(each.precharged_power_down for each in slept),
            self_refresh_cycles=sum(each.self_refresh for each in slept),
            cycles=self._end,
            bytes=self._bytes,
            reads=self._reads,
            read_latency_cycles=self._latency,
            row_hits=read_bursts + write_bursts - activates,
            row_misses=activates - conflicts,
            row_conflicts=conflicts,
            refreshes=sum(state.refreshes for state in states),
            read_bursts=read_bursts,
            write_bursts=write_bursts,
            active_cycles=sum(state.open_cycles(self._end) for state in states),
        )
