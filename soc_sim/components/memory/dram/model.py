"""The DRAM as a target: splits transfers into runs of one row and answers when the last byte has been served.

A change of its clock holds what arrives, lets what has arrived be served, closes all rows, waits, and goes on with new
channels whose cycles count from then on; refreshes that fell due meanwhile come first (JESD79-4, input clock frequency
change: all rows are closed, and the memory sleeps).

Events are arrivals and completions, never commands: a channel's commands up to now are worked out when something
arrives, or when the first of its transfers can at the earliest be complete.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.channel import Channel, Served
from soc_sim.components.memory.dram.commands import CommandTracks
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.scheduler import NEVER
from soc_sim.components.memory.dram.speed import ClockChange, at_clock
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Transfer
from soc_sim.units import PS_PER_S

_NO_LOOK: Final = 1 << 61


class _Looked:
    """A channel, and when the next look at it is due."""

    __slots__ = ("channel", "wake", "wake_ps")

    def __init__(self, channel: Channel, wake: Callable[[_Looked], None]) -> None:
        self.channel = channel
        self.wake = partial(wake, self)
        """Called when a look is due."""
        self.wake_ps = _NO_LOOK


class _Split:
    """A transfer on several channels of which not all are done."""

    __slots__ = ("data_end", "data_start", "parts", "refresh", "row")

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.data_start, self.data_end = _NO_LOOK, 0
        self.row = self.refresh = 0


class DramModel(Memory):
    """Channels behind one port."""

    def __init__(self, simulation: Simulation, name: str, description: Dram) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = description.queue_depth * description.channels
        mapping = AddressMapping(description)
        tracks = [CommandTracks(simulation, f"{name}.channel{c}", description) for c in range(description.channels)]
        told = any(of_channel.wanted for of_channel in tracks)
        self._tracks = tracks if told else None
        """Where commands are told."""
        self._channels = [
            _Looked(Channel(description, mapping, number, of_channel if told else None), self._wake)
            for number, of_channel in enumerate(tracks)
        ]
        self._split: dict[Transfer, _Split] = {}
        self._mapping = mapping
        timing = description.timing
        self._tck_ps, self._nbl = timing.tck_ps, description.burst_cycles
        self._latency_ps = description.controller_latency_ps
        self._to_data = timing.nCL
        self._origin_ps = self._past_cycles = 0
        """Time of cycle 0 of the present clock; cycles of earlier ones."""
        self._changes: list[ClockChange] = []
        """Changes of the clock that have been asked for; nothing enters meanwhile."""
        self._held: list[tuple[int, Transfer]] = []
        """What has arrived meanwhile, and when."""
        self._closing = False
        self._earlier: list[dict[str, int]] = []
        """What was counted at each earlier clock."""
        self._counted: list[dict[str, int]] = []
        """The same and that of the last clock, once the run has ended."""

    @property
    def peak_bytes_per_s(self) -> float:
        """All data pins at double data rate, at the clock of the description."""
        return self.description.peak_bytes_per_s

    def submit(self, transfer: Transfer) -> None:
        """Queue the transfer's lines, run by run, on their channels."""
        if self._changes:
            self._held.append((self.simulation.now_ps, transfer))
            return
        cycle = self._cycle_at(self.simulation.now_ps)
        touched = [(looked, bursts) for looked in self._channels if (bursts := looked.channel.arrive(cycle, transfer))]
        if len(touched) > 1:
            self._split[transfer] = _Split(len(touched))
        for looked, bursts in touched:
            if not self._can_wait(looked, cycle, transfer, bursts):
                for done_ps, served in self._settle(looked, cycle):
                    self.simulation.send(served, done_ps, served.done)

    def _can_wait(self, looked: _Looked, cycle: int, transfer: Transfer, bursts: int) -> bool:
        """Whether nothing is complete before the look that is planned, although ``transfer`` has arrived.

        A read without a priority takes nobody's turn but that of writes which are served for want of reads; it brings
        no other forward. A write may: with it the queue may be full enough for writes to be served. And several
        channels would not answer in the same order at one time.
        """
        if transfer.write or transfer.priority or len(self._channels) > 1:
            return False
        soonest = cycle + bursts * self._nbl + self._to_data
        return looked.wake_ps <= self._origin_ps + soonest * self._tck_ps + self._latency_ps

    def _cycle_at(self, time_ps: int) -> int:
        """The first cycle that begins at ``time_ps`` or later."""
        return -((self._origin_ps - time_ps) // self._tck_ps)

    def _wake(self, looked: _Looked) -> None:
        now_ps = self.simulation.now_ps
        # An arrival in between may have moved the look forward.
        if looked.wake_ps == now_ps:
            looked.wake_ps = _NO_LOOK
            for done_ps, served in self._settle(looked, self._cycle_at(now_ps)):
                if done_ps == now_ps:
                    served.done(served)
                else:
                    self.simulation.send(served, done_ps, served.done)

    def _settle(self, looked: _Looked, cycle: int) -> list[tuple[int, Transfer]]:
        """Transfers that are complete, and when. Plans the next look, for when the next can be at the earliest."""
        channel, tck_ps, origin_ps, answers = looked.channel, self._tck_ps, self._origin_ps, []
        for served in channel.look(cycle):
            if self._split:
                whole = self._whole(served)
                if whole is None:
                    continue
                served = whole
            transfer, end_ps = served.transfer, origin_ps + served.data_end * tck_ps
            if transfer.write and transfer.data_end_ps > end_ps:
                end_ps = transfer.data_end_ps
            transfer.row_ps, transfer.refresh_ps = served.row * tck_ps, served.refresh * tck_ps
            self._record(transfer, origin_ps + served.data_start * tck_ps, end_ps)
            answers.append((end_ps + self._latency_ps, transfer))
        next_look = channel.next_look()
        if next_look < NEVER:
            wake_ps = origin_ps + next_look * tck_ps + self._latency_ps
            if wake_ps < looked.wake_ps:
                looked.wake_ps = wake_ps
                self.simulation.call_at(wake_ps, looked.wake)
        if self._changes:
            self._close_if_idle()
        return answers

    def _whole(self, served: Served) -> Served | None:
        """What all channels did for a transfer, once the last one has."""
        split = self._split.get(served.transfer)
        if split is None:
            return served
        split.parts -= 1
        split.data_start = min(split.data_start, served.data_start)
        split.data_end = max(split.data_end, served.data_end)
        # The channel that kept the transfer waiting for longest counts: they wait side by side.
        if served.row + served.refresh >= split.row + split.refresh:
            split.row, split.refresh = served.row, served.refresh
        if split.parts:
            return None
        del self._split[served.transfer]
        return Served(served.transfer, split.data_start, split.data_end, split.row, split.refresh)

    def change_clock(self, tck_ps: int, stop_ps: int, changed: Callable[[int, int], None]) -> None:
        """Go on with another clock once what has arrived is served and all rows have been closed for ``stop_ps``.

        ``changed`` is told the time of its first edge, and the number of cycles before. Several changes follow each
        other.
        """
        self._changes.append(ClockChange(tck_ps, stop_ps, changed))
        if len(self._changes) == 1:
            self._close_if_idle()

    def _close_if_idle(self) -> None:
        channels = [looked.channel for looked in self._channels]
        if self._closing or not all(channel.idle for channel in channels):
            return
        self._closing = True
        cycle, quiet = self._cycle_at(self.simulation.now_ps), 0
        for channel in channels:
            quiet = max(quiet, channel.close(cycle))
        begin_ps = self._origin_ps + quiet * self._tck_ps + self._changes[0].stop_ps
        self.simulation.call_at(begin_ps, self._begin_clock)

    def _begin_clock(self) -> None:
        """The first edge of the new clock."""
        change, now_ps = self._changes.pop(0), self.simulation.now_ps
        self._earlier.append(self._count(now_ps))
        self._past_cycles += self._cycle_at(now_ps)
        description = at_clock(self.description, change.tck_ps)
        for number, looked in enumerate(self._channels):
            tracks = None if self._tracks is None else self._tracks[number]
            if tracks is not None:
                tracks.origin_ps = now_ps
            channel, before = Channel(description, self._mapping, number, tracks), looked.channel
            due, done = before.scheduler.refreshes.history
            left_ps = [self._origin_ps + cycle * self._tck_ps - now_ps for cycle in due]
            channel.scheduler.refreshes.go_on([-(-each // change.tck_ps) for each in left_ps], done)
            looked.channel, looked.wake_ps = channel, _NO_LOOK
        self._origin_ps, self._tck_ps, self._to_data = now_ps, change.tck_ps, description.timing.nCL
        self._ps_per_byte = PS_PER_S / description.peak_bytes_per_s
        self._closing = False
        change.changed(now_ps, self._past_cycles)
        if self._changes:
            self._close_if_idle()
            return
        held, self._held = self._held, []
        for arrived_ps, transfer in held:
            transfer.held_ps = now_ps - arrived_ps
            self.submit(transfer)

    def finish(self) -> None:
        """Refreshes go on while nobody asks."""
        self._counted = [*self._earlier, self._count(self.simulation.now_ps)]
        self.busy_ps = sum(each["moved_ps"] for each in self._counted) // len(self._channels)

    def counters(self) -> dict[str, Any]:
        """Commands, beside what every memory counts; after :meth:`finish`."""
        counts = {name: sum(each[name] for each in self._counted) for name in self._counted[0]}
        conflicts, bursts = counts.pop("conflicts"), counts["read_bursts"] + counts["write_bursts"]
        del counts["moved_ps"]
        found: dict[str, Any] = super().counters() | counts
        found["row_hits"] = bursts - counts["activates"]
        found["row_misses"] = counts["activates"] - conflicts
        found["row_conflicts"] = conflicts
        if self._earlier:
            found["by_clock"] = self._counted
        return found

    def _count(self, now_ps: int) -> dict[str, int]:
        """What has been counted up to ``now_ps`` since the clock began."""
        tck_ps = self._tck_ps
        now = (now_ps - self._origin_ps) // tck_ps
        active = 0
        for looked in self._channels:
            if self._closing:
                # Nothing happens any more, and what falls due waits for the next clock.
                active += looked.channel.open_cycles(now)
                continue
            # A row that a refresh closes just now has been open until now.
            looked.channel.look(now)
            active += looked.channel.open_cycles(now)
            looked.channel.look(now + 1)
        counts = [looked.channel.counts(now) for looked in self._channels]
        slept = [each.slept for each in counts]
        reads, writes = sum(each.read_bursts for each in counts), sum(each.write_bursts for each in counts)
        return {
            "read_bytes": self.read_bytes - sum(each["read_bytes"] for each in self._earlier),
            "write_bytes": self.write_bytes - sum(each["write_bytes"] for each in self._earlier),
            "activates": sum(each.activates for each in counts),
            "conflicts": sum(each.conflicts for each in counts),
            "refreshes": sum(each.refreshes for each in counts),
            "read_bursts": reads,
            "write_bursts": writes,
            "closed_form_bursts": sum(each.closed_form_bursts for each in counts),
            "moved_ps": (reads + writes) * self._nbl * tck_ps,
            "active_ps": active * tck_ps,
            "active_power_down_ps": sum(each.active_power_down for each in slept) * tck_ps,
            "precharged_power_down_ps": sum(each.precharged_power_down for each in slept) * tck_ps,
            "self_refresh_ps": sum(each.self_refresh for each in slept) * tck_ps,
        }
