"""A channel whose commands are worked out by compiled code (extra ``fast``). Same results as ``channel.py``.

Left out: what :func:`soc_sim.components.memory.dram.channel.can_be_compiled` says.
"""

from __future__ import annotations

import math

import numpy as np

from soc_sim.components.memory.dram import compiled
from soc_sim.components.memory.dram.channel import Counts, PlainChannel, Served
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.power import Slept
from soc_sim.components.memory.dram.streaming import StreamingScheduler
from soc_sim.config.memory import Dram
from soc_sim.kernel import Transfer

_ROWS_AT_FIRST = 64


class CompiledChannel:
    """Arrays, and the transfers behind the numbers of jobs."""

    def __init__(self, description: Dram, mapping: AddressMapping, number: int) -> None:
        self._mapping, self._number = mapping, number
        ranks, banks = description.ranks, description.ranks * description.banks
        m = np.zeros(compiled.SCALARS, np.int64)
        m[: compiled.NOW] = _parameters(description)
        m[compiled.LAST_COLUMN] = -(1 << 40)
        m[compiled.SEEN_KIND] = -1
        of_banks = np.zeros((banks, compiled.BANK_FIELDS), np.int64)
        of_banks[:, (compiled.ROW, compiled.OPENED_FOR, compiled.OLDEST, compiled.HIT)] = -1
        of_banks[:, compiled.GROUP] = np.arange(banks) * description.bank_groups // description.banks
        of_banks[:, compiled.RANK] = np.arange(banks) // description.banks
        of_ranks = np.zeros((ranks, compiled.RANK_FIELDS), np.int64)
        of_ranks[:, compiled.DUE] = [description.timing.nREFI * (rank + ranks) // ranks for rank in range(ranks)]
        groups = np.zeros((ranks * description.bank_groups, compiled.GROUP_FIELDS), np.int64)
        groups[:, compiled.GROUP_RANK] = np.arange(len(groups)) // description.bank_groups
        runs = np.zeros((0, compiled.RUN_FIELDS), np.int64)
        jobs = np.zeros((0, compiled.JOB_FIELDS), np.int64)
        self._state = (m, of_banks, groups, of_ranks, runs, jobs, np.zeros((compiled.QUEUES, 0), np.int64))
        self._transfers: list[Transfer | None] = []
        """Of each job; None: the number is free."""
        self._free_jobs: list[int] = []
        self._closed_form_bursts = self._plain_bursts = 0
        self._looked = -1
        self._next_look = compiled.NEVER
        self._grow(_ROWS_AT_FIRST)

    def take_over(self, plain: PlainChannel) -> None:
        """Go on where a plain channel that has nothing left to do stands."""
        scheduler = plain.scheduler
        assert isinstance(scheduler, StreamingScheduler)  # noqa: S101 # or it could not be compiled
        m, banks, groups, ranks, *_ = self._state
        state = scheduler.state
        self._closed_form_bursts, self._plain_bursts = scheduler.closed_form_bursts, sum(state.bursts)
        m[compiled.NOW], m[compiled.WRITE_MODE], m[compiled.AGES] = scheduler.history
        m[compiled.LAST_COLUMN] = state.last_column
        m[compiled.ACTIVATES], m[compiled.CONFLICTS] = state.activates, state.conflicts
        m[compiled.REFRESHES], m[compiled.ACTIVE_CYCLES] = state.refreshes, state.active_cycles
        m[compiled.BURSTS], m[compiled.WRITE_BURSTS] = state.bursts
        banks[:, compiled.ROW], banks[:, compiled.BANK_COLUMN] = state.open_row, state.bank_column
        banks[:, compiled.BANK_ACTIVATE], banks[:, compiled.BANK_PRECHARGE] = state.bank_activate, state.bank_precharge
        banks[:, compiled.FOR_ANOTHER] = state.closed_for_another
        banks[:, compiled.HITS] = scheduler.hits_since_activate
        groups[:, 0], groups[:, 1] = state.group_column
        groups[:, compiled.GROUP_ACTIVATE] = state.group_activate
        ranks[:, compiled.DUE], ranks[:, compiled.OPEN_BANKS] = scheduler.refreshes.due, state.open_banks
        ranks[:, compiled.OPENED_AT], ranks[:, compiled.CLOSED_AT] = state.opened_at, state.closed_at
        ranks[:, compiled.REFRESHED] = state.refreshed
        for rank, acts in zip(ranks, state.acts, strict=True):
            rank[compiled.ACTS] = len(acts)
            rank[compiled.RANK_FIELDS - len(acts) :] = list(acts)

    def arrive(self, cycle: int, transfer: Transfer) -> int:
        """Take what of a transfer lies on this channel."""
        wanted = self._mapping.runs_on(self._number, transfer)
        if not wanted:
            return 0
        if not self._free_jobs or len(wanted) > self._state[0][compiled.FREE]:
            self._grow(len(wanted))
        job = self._free_jobs.pop()
        self._transfers[job] = transfer
        kind, priority = int(transfer.write), transfer.priority
        self._next_look = compiled.arrive(*self._state, cycle, job, kind, priority, np.array(wanted, np.int64))
        self._looked = cycle
        return sum([bursts for _, _, bursts in wanted])

    def look(self, cycle: int) -> list[Served]:
        """Issue all commands before ``cycle``."""
        if cycle != self._looked:
            self._next_look = compiled.look(*self._state, cycle)
            self._looked = cycle
        m, *_, jobs, queue = self._state
        served: list[Served] = []
        if not m[compiled.DONE]:
            return served
        for job in queue[compiled.COMPLETE, : m[compiled.DONE]].tolist():
            transfer = self._transfers[job]
            assert transfer is not None  # noqa: S101 # arrive() has set it
            served.append(Served(transfer, *jobs[job, compiled.START :].tolist()))
            self._transfers[job] = None
            self._free_jobs.append(job)
        m[compiled.DONE] = 0
        return served

    @property
    def idle(self) -> bool:
        """Whether every transfer is complete."""
        return len(self._free_jobs) == len(self._transfers)

    def next_look(self) -> int:
        """No transfer is complete before."""
        return int(self._next_look)

    def open_cycles(self, now: int) -> int:
        """Cycles with a row open up to ``now``, summed over ranks."""
        m, _, _, ranks, *_ = self._state
        opened, closed = ranks[:, compiled.OPENED_AT], ranks[:, compiled.CLOSED_AT]
        last = np.where(ranks[:, compiled.OPEN_BANKS] > 0, np.maximum(0, now - opened), np.minimum(0, now - closed))
        return int(m[compiled.ACTIVE_CYCLES] + last.sum())

    def counts(self, now: int) -> Counts:  # noqa: ARG002 # a channel that sleeps is not compiled
        """What has been done."""
        m = self._state[0]
        return Counts(
            activates=int(m[compiled.ACTIVATES]),
            conflicts=int(m[compiled.CONFLICTS]),
            refreshes=int(m[compiled.REFRESHES]),
            read_bursts=int(m[compiled.BURSTS]),
            write_bursts=int(m[compiled.WRITE_BURSTS]),
            closed_form_bursts=self._closed_form_bursts,
            compiled_bursts=int(m[compiled.BURSTS] + m[compiled.WRITE_BURSTS]) - self._plain_bursts,
            slept=Slept(),
        )

    def _grow(self, least: int) -> None:
        """Room for ``least`` more runs and jobs, and for as many as there are."""
        m, banks, groups, ranks, runs, jobs, queue = self._state
        old = len(runs)
        new = 2 * old + least
        runs = np.concatenate((runs, np.zeros((new - old, compiled.RUN_FIELDS), np.int64)))
        jobs = np.concatenate((jobs, np.zeros((new - old, compiled.JOB_FIELDS), np.int64)))
        queue = np.concatenate((queue, np.zeros((compiled.QUEUES, new - old), np.int64)), axis=1)
        free = int(m[compiled.FREE])
        queue[compiled.FREE_RUNS, free : free + new - old] = np.arange(old, new)
        m[compiled.FREE] += new - old
        self._free_jobs += range(old, new)
        self._transfers += [None] * (new - old)
        self._state = (m, banks, groups, ranks, runs, jobs, np.ascontiguousarray(queue))


def _parameters(description: Dram) -> list[int]:
    """In the order of their places in ``m``."""
    t, controller, nbl = description.timing, description.controller, description.burst_cycles
    spacing_s, spacing_l = max(nbl, t.nCCD_S), max(nbl, t.nCCD_L)
    return [
        nbl,
        t.nCL,
        t.nCWL,
        t.nRCD,
        t.nRP,
        t.nRAS,
        t.nRRD_S,
        t.nRRD_L,
        t.nFAW,
        t.nWR,
        t.nRTP,
        t.nWTR_S,
        t.nWTR_L,
        t.nRTW or t.nCL + nbl + 2 - t.nCWL,
        t.nRTRS,
        t.nRFC,
        t.nREFI,
        spacing_s,
        spacing_l,
        controller.read_queue,
        controller.write_queue,
        controller.bank_queue,
        math.floor(controller.drain_above * controller.write_queue),
        max(1, math.ceil(controller.drain_below * controller.write_queue)),
        controller.row_hit_cap or compiled.NEVER,
        int(spacing_s == spacing_l and description.ranks == 1 and not controller.row_hit_cap),
        controller.priority_cycles,
        t.nPPD,
    ]
