"""The DRAM as a target: splits transfers into runs of one row and answers when the last byte has been served.

Events are arrivals and completions, never commands: a channel's commands up to now are worked out when something
arrives, or when the first of its transfers can at the earliest be complete.
"""

from __future__ import annotations

from typing import Any

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.scheduler import NEVER
from soc_sim.components.memory.dram.streaming import StreamingScheduler
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Transfer


class _Job:
    """A transfer of which not all bursts are done."""

    __slots__ = ("data_end", "data_start", "done_ps", "runs_left", "transfer")

    def __init__(self, transfer: Transfer) -> None:
        self.transfer = transfer
        self.runs_left = 0
        self.data_start = NEVER
        self.data_end = 0
        self.done_ps = 0


class _Channel:
    """A scheduler, and what waits for it."""

    __slots__ = ("open_runs", "scheduler", "wake_ps")

    def __init__(self, description: Dram) -> None:
        self.scheduler = StreamingScheduler(description)
        self.open_runs: dict[_Job, list[Run]] = {}
        """Runs of each transfer that have bursts left, in order of arrival."""
        self.wake_ps = NEVER
        """When the next look at it is due."""


class DramModel(Memory):
    """Channels behind one port."""

    def __init__(self, simulation: Simulation, name: str, description: Dram) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = description.queue_depth * description.channels
        self._channels = [_Channel(description) for _ in range(description.channels)]
        self._mapping = AddressMapping(description)
        timing = description.timing
        self._tck_ps, self._nbl = timing.tck_ps, description.burst_cycles
        self._to_data = (timing.nCL, timing.nCWL)
        self._active_ps = 0

    @property
    def peak_bytes_per_s(self) -> float:
        """All data pins at double data rate."""
        return self.description.peak_bytes_per_s

    def submit(self, transfer: Transfer) -> None:
        """Queue the transfer's lines, run by run, on their channels."""
        cycle, job, touched = -(-self.simulation.now_ps // self._tck_ps), _Job(transfer), dict[int, _Channel]()
        write = int(transfer.write)
        runs = self._mapping.runs(transfer.address, transfer.line_bytes, transfer.lines, transfer.pitch_bytes)
        for number, bank, row, bursts in runs:
            channel = self._channels[number]
            if number not in touched:
                touched[number] = channel
                channel.open_runs[job] = []
                channel.scheduler.advance(cycle)
            run = Run(bank, row, bursts, write, job)
            job.runs_left += 1
            channel.open_runs[job].append(run)
            channel.scheduler.push(cycle, run)
        for channel in touched.values():
            for done in self._settle(channel):
                self._call_back(done)

    def _wake(self, channel: _Channel, planned_ps: int) -> None:
        # An arrival in between may have moved the look forward.
        if channel.wake_ps == planned_ps:
            channel.wake_ps = NEVER
            channel.scheduler.advance(-(-planned_ps // self._tck_ps))
            for done in self._settle(channel):
                if done.done_ps == planned_ps:
                    done.transfer.done(done.transfer)
                else:
                    self._call_back(done)

    def _call_back(self, job: _Job) -> None:
        self.simulation.call_at(job.done_ps, lambda: job.transfer.done(job.transfer))

    def _settle(self, channel: _Channel) -> list[_Job]:
        """Transfers that are complete. Plans the next look, for when the next one can be at the earliest."""
        scheduler, open_runs = channel.scheduler, channel.open_runs
        completed, answers = scheduler.completed, []
        for run in completed:
            job = run.owner
            assert isinstance(job, _Job)  # noqa: S101 # submit() made it
            runs = open_runs[job]
            if len(runs) == 1:
                del open_runs[job]
            else:
                runs.remove(run)
            job.runs_left -= 1
            job.data_start = min(job.data_start, run.data_start)
            job.data_end = max(job.data_end, run.data_end)
            if not job.runs_left:
                self._complete(job)
                answers.append(job)
        completed.clear()
        if not open_runs:
            return answers
        cycle, foremost = scheduler.outlook()
        nbl, least = self._nbl, NEVER
        for job, runs in open_runs.items():
            left = runs[0].left if len(runs) == 1 else sum([run.left for run in runs])
            cycles = left * nbl
            if foremost is not None and left > len(runs) and foremost.owner is not job:
                cycles = (max(foremost.left, left - len(runs)) + 1) * nbl
            cycles += self._to_data[job.transfer.write]
            if cycles < least:
                least = cycles
        wake_ps = (cycle + least) * self._tck_ps + self.description.controller_latency_ps
        if wake_ps < channel.wake_ps:
            channel.wake_ps = wake_ps
            self.simulation.call_at(wake_ps, lambda: self._wake(channel, wake_ps))
        return answers

    def _complete(self, job: _Job) -> None:
        transfer, tck_ps = job.transfer, self._tck_ps
        end_ps = job.data_end * tck_ps
        if transfer.write and transfer.data_end_ps > end_ps:
            end_ps = transfer.data_end_ps
        job.done_ps = end_ps + self.description.controller_latency_ps
        self._record(transfer, job.data_start * tck_ps, end_ps)

    def finish(self) -> None:
        """Refreshes go on while nobody asks."""
        now = self.simulation.now_ps // self._tck_ps
        moved = 0
        for channel in self._channels:
            scheduler = channel.scheduler
            # A row that a refresh closes just now has been open until now.
            scheduler.advance(now)
            scheduler.suspend()
            self._active_ps += scheduler.state.open_cycles(now) * self._tck_ps
            scheduler.advance(now + 1)
            scheduler.suspend()
            moved += sum(scheduler.state.bursts) * self._nbl * self._tck_ps
        self.busy_ps = moved // len(self._channels)

    def counters(self) -> dict[str, Any]:
        """Commands, beside what every memory counts."""
        states = [channel.scheduler.state for channel in self._channels]
        activates, conflicts = sum(state.activates for state in states), sum(state.conflicts for state in states)
        reads, writes = (sum(state.bursts[kind] for state in states) for kind in (0, 1))
        return super().counters() | {
            "row_hits": reads + writes - activates,
            "row_misses": activates - conflicts,
            "row_conflicts": conflicts,
            "refreshes": sum(state.refreshes for state in states),
            "read_bursts": reads,
            "write_bursts": writes,
            "active_ps": self._active_ps,
            "activates": activates,
        }
