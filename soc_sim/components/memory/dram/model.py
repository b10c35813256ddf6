"""The DRAM as a target: splits transfers into runs of one row and answers when the last byte has been served.

Events are arrivals and completions, never commands: a channel's commands up to now are worked out when something
arrives, or when the first of its transfers can at the earliest be complete.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.channel import Channel, PlainChannel, Served, can_be_compiled
from soc_sim.components.memory.dram.commands import CommandTracks
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.scheduler import NEVER
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Transfer

WORTH_COMPILING = 10_000
"""Transfers after which compiled code, if there is any, is loaded (half a second) where none were foretold."""
PAYS_FOR_LOADING = 20_000
"""Transfers in all for which it is loaded at once: it saves 30 µs for each."""
_NO_LOOK: Final = 1 << 100


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
        self._channels = [
            _Looked(PlainChannel(description, mapping, number, of_channel if told else None), self._wake)
            for number, of_channel in enumerate(tracks)
        ]
        self._split: dict[Transfer, _Split] = {}
        self._mapping = mapping
        self._arrivals = self._foretold = 0
        # Compiled code tells nothing; it does the same.
        self._to_compile = description.channels if can_be_compiled(description) and not told else 0
        """Channels that compiled code could take over."""
        timing = description.timing
        self._tck_ps, self._nbl = timing.tck_ps, description.burst_cycles
        self._latency_ps = description.controller_latency_ps
        self._to_data = timing.nCL
        self._active_ps = 0

    @property
    def peak_bytes_per_s(self) -> float:
        """All data pins at double data rate."""
        return self.description.peak_bytes_per_s

    def expect(self, transfers: int) -> None:
        """Load compiled code at once, if there is any and it will pay; else not before twice as many have come."""
        self._foretold = transfers
        if self._to_compile and transfers > PAYS_FOR_LOADING:
            self._compile()

    def submit(self, transfer: Transfer) -> None:
        """Queue the transfer's lines, run by run, on their channels."""
        cycle = -(-self.simulation.now_ps // self._tck_ps)
        self._arrivals += 1
        if self._to_compile and self._arrivals > max(WORTH_COMPILING, 2 * self._foretold):
            self._compile()
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
        return looked.wake_ps <= (cycle + bursts * self._nbl + self._to_data) * self._tck_ps + self._latency_ps

    def _compile(self) -> None:
        """Let compiled code take over the channels that have nothing to do now."""
        try:
            from soc_sim.components.memory.dram.compiled_channel import CompiledChannel
        except (ImportError, RuntimeError):
            # A numba that does not fit the rest, or no place for its cache: the plain code does the same.
            self._to_compile = 0
            return
        for number, looked in enumerate(self._channels):
            plain = looked.channel
            if isinstance(plain, PlainChannel) and plain.idle:
                looked.channel = CompiledChannel(self.description, self._mapping, number)
                looked.channel.take_over(plain)
                self._to_compile -= 1

    def _wake(self, looked: _Looked) -> None:
        now_ps = self.simulation.now_ps
        # An arrival in between may have moved the look forward.
        if looked.wake_ps == now_ps:
            looked.wake_ps = _NO_LOOK
            for done_ps, served in self._settle(looked, -(-now_ps // self._tck_ps)):
                if done_ps == now_ps:
                    served.done(served)
                else:
                    self.simulation.send(served, done_ps, served.done)

    def _settle(self, looked: _Looked, cycle: int) -> list[tuple[int, Transfer]]:
        """Transfers that are complete, and when. Plans the next look, for when the next can be at the earliest."""
        channel, tck_ps, answers = looked.channel, self._tck_ps, []
        for served in channel.look(cycle):
            if self._split:
                whole = self._whole(served)
                if whole is None:
                    continue
                served = whole
            transfer, data_start, data_end, row, refresh = served
            end_ps = data_end * tck_ps
            if transfer.write and transfer.data_end_ps > end_ps:
                end_ps = transfer.data_end_ps
            transfer.row_ps, transfer.refresh_ps = row * tck_ps, refresh * tck_ps
            self._record(transfer, data_start * tck_ps, end_ps)
            answers.append((end_ps + self._latency_ps, transfer))
        next_look = channel.next_look()
        wake_ps = next_look * tck_ps + self._latency_ps
        if next_look < NEVER and wake_ps < looked.wake_ps:
            looked.wake_ps = wake_ps
            self.simulation.call_at(wake_ps, looked.wake)
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

    def finish(self) -> None:
        """Refreshes go on while nobody asks."""
        now = self.simulation.now_ps // self._tck_ps
        moved = 0
        for looked in self._channels:
            # A row that a refresh closes just now has been open until now.
            looked.channel.look(now)
            self._active_ps += looked.channel.open_cycles(now) * self._tck_ps
            looked.channel.look(now + 1)
            counts = looked.channel.counts(now)
            moved += (counts.read_bursts + counts.write_bursts) * self._nbl * self._tck_ps
        self.busy_ps = moved // len(self._channels)

    def counters(self) -> dict[str, Any]:
        """Commands, beside what every memory counts."""
        now = self.simulation.now_ps // self._tck_ps
        counts = [looked.channel.counts(now) for looked in self._channels]
        activates, conflicts = sum(each.activates for each in counts), sum(each.conflicts for each in counts)
        reads, writes = sum(each.read_bursts for each in counts), sum(each.write_bursts for each in counts)
        slept = [each.slept for each in counts]
        return super().counters() | {
            "row_hits": reads + writes - activates,
            "row_misses": activates - conflicts,
            "row_conflicts": conflicts,
            "refreshes": sum(each.refreshes for each in counts),
            "read_bursts": reads,
            "write_bursts": writes,
            "active_ps": self._active_ps,
            "activates": activates,
            "closed_form_bursts": sum(each.closed_form_bursts for each in counts),
            "compiled_bursts": sum(each.compiled_bursts for each in counts),
            "active_power_down_ps": sum(each.active_power_down for each in slept) * self._tck_ps,
            "precharged_power_down_ps": sum(each.precharged_power_down for each in slept) * self._tck_ps,
            "self_refresh_ps": sum(each.self_refresh for each in slept) * self._tck_ps,
        }
