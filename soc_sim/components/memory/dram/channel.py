"""A channel as the model sees it: transfers arrive, commands are worked out up to a cycle, transfers are complete."""

from __future__ import annotations

from typing import NamedTuple

from soc_sim.components.memory.dram.commands import CommandTracks, ToldRoundRobinScheduler, ToldScheduler
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.power import Slept
from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.round_robin import RoundRobinScheduler
from soc_sim.components.memory.dram.scheduler import NEVER
from soc_sim.components.memory.dram.streaming import StreamingScheduler
from soc_sim.config.memory import Dram
from soc_sim.kernel import Transfer


class Served:
    """What one channel did for a transfer, in cycles of the command clock."""

    __slots__ = ("data_end", "data_start", "refresh", "row", "transfer")

    def __init__(self, transfer: Transfer, data_start: int, data_end: int, row: int, refresh: int) -> None:
        self.transfer = transfer
        self.data_start = data_start
        self.data_end = data_end
        self.row = row
        """Cycles in which the data path waited for a row that was opened for it."""
        self.refresh = refresh
        """Cycles in which it waited for a refresh."""


class Counts(NamedTuple):
    """Commands of a channel so far."""

    activates: int
    conflicts: int
    refreshes: int
    read_bursts: int
    write_bursts: int
    closed_form_bursts: int
    """Of these: several in one step."""
    slept: Slept


def _scheduler(description: Dram, tracks: CommandTracks | None) -> StreamingScheduler | RoundRobinScheduler:
    if description.controller.scheduling == "round_robin":
        return RoundRobinScheduler(description) if tracks is None else ToldRoundRobinScheduler(description, tracks)
    return StreamingScheduler(description) if tracks is None else ToldScheduler(description, tracks)


class _Part:
    """What of a transfer lies on the channel and is not done."""

    __slots__ = ("data_end", "data_start", "refresh", "row", "runs", "to_data", "transfer")

    def __init__(self, transfer: Transfer, to_data: int) -> None:
        self.transfer = transfer
        self.to_data = to_data
        """Cycles from a command to its data."""
        self.runs: list[Run] = []
        self.data_start = NEVER
        self.data_end = self.row = self.refresh = 0


class Channel:
    """A scheduler, and the transfers that wait for it."""

    def __init__(
        self, description: Dram, mapping: AddressMapping, number: int, tracks: CommandTracks | None = None
    ) -> None:
        """``tracks``: where to tell the commands."""
        self.scheduler = _scheduler(description, tracks)
        self._mapping, self._number = mapping, number
        self._nbl = description.burst_cycles
        self._parts: dict[_Part, None] = {}
        """In order of arrival."""

    @property
    def idle(self) -> bool:
        """Whether every transfer is complete."""
        return not self._parts

    def arrive(self, cycle: int, transfer: Transfer) -> int:
        """Take what of a transfer lies on this channel, and say how many bursts that is. All earlier is done before."""
        runs = self._mapping.runs_on(self._number, transfer)
        if not runs:
            return 0
        scheduler, write = self.scheduler, int(transfer.write)
        scheduler.advance(cycle)
        part = _Part(transfer, scheduler.state.latency[write])
        self._parts[part] = None
        part.runs = [Run(bank, row, bursts, write, part, transfer.priority) for bank, row, bursts in runs]
        wanted = 0
        for run in part.runs:
            wanted += run.bursts
            scheduler.push(cycle, run)
        return wanted

    def look(self, cycle: int) -> list[Served]:
        """Issue all commands before ``cycle``; transfers of which the last one has gone out."""
        scheduler, served = self.scheduler, []
        scheduler.advance(cycle)
        for run in scheduler.completed:
            part = run.owner
            assert isinstance(part, _Part)  # noqa: S101 # arrive() made it
            part.runs.remove(run)
            if run.data_start < part.data_start:
                part.data_start = run.data_start
            if run.data_end > part.data_end:
                part.data_end = run.data_end
            part.row += run.row_cycles
            part.refresh += run.refresh_cycles
            if not part.runs:
                del self._parts[part]
                served.append(Served(part.transfer, part.data_start, part.data_end, part.row, part.refresh))
        scheduler.completed.clear()
        return served

    def next_look(self) -> int:
        """No transfer is complete before this cycle, if nothing else arrives.

        The least over the transfers: bursts follow each other at the closest spacing.
        """
        if not self._parts:
            return NEVER
        cycle, foremost = self.scheduler.outlook()
        nbl, least = self._nbl, NEVER
        for part in self._parts:
            runs = part.runs
            left = runs[0].left if len(runs) == 1 else sum([run.left for run in runs])
            cycles = left * nbl
            if foremost is not None and left > len(runs) and foremost.owner is not part:
                cycles = (max(foremost.left, left - len(runs)) + 1) * nbl
            cycles += part.to_data
            if cycles < least:
                least = cycles
        return cycle + least

    def close(self, cycle: int) -> int:
        """Close all rows of a channel that has nothing left to do; returns from when on it is quiet."""
        scheduler = self.scheduler
        scheduler.advance(cycle)
        if scheduler.power is not None:
            # What sleeps is awake for it, without the time that takes.
            scheduler.power.wake(cycle, scheduler.refreshes, (0, 0))
        for rank in range(len(scheduler.refreshes.due)):
            at = scheduler.state.close(cycle, rank)
            if at is not None and isinstance(scheduler, ToldScheduler | ToldRoundRobinScheduler):
                scheduler.teller.close(rank, at)
        return scheduler.state.quiet_from(cycle)

    def open_cycles(self, now: int) -> int:
        """Cycles with a row open up to ``now``, summed over ranks."""
        power = self.scheduler.power
        return self.scheduler.state.open_cycles(now, None if power is None else power.asleep_from)

    def counts(self, now: int) -> Counts:
        """What has been done up to ``now``."""
        state = self.scheduler.state
        reads, writes = state.bursts
        closed_form = self.scheduler.closed_form_bursts
        slept = Slept() if self.scheduler.power is None else self.scheduler.power.slept(now)
        return Counts(state.activates, state.conflicts, state.refreshes, reads, writes, closed_form, slept)
