"""When each command of a channel is legal: time stamps per bank, bank group and rank, in cycles of the command clock.

Modelled: ACT, PRE, RD, WR, REF with tRCD, tRP, tRAS, CL, CWL, tCCD_S/L, tRRD_S/L, tFAW, tPPD, tRTP, tWR, tWTR_S/L,
read to write, change of rank, tRFC (JESD79-4, chapter 4, and its siblings for the other standards).
Left out: preambles beyond the turnarounds. Power-down is in ``power.py``.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from soc_sim.config.memory import Dram

NO_ROW: Final = -1


class ChannelState:
    """Open rows and the earliest legal cycle of every command.

    A command is legal at the later of two time stamps: of its bank and of its bank group, which also keeps what other
    groups and ranks ask for. Banks are numbered rank by rank, in a rank group by group.
    """

    __slots__ = (
        "_activates_apart",
        "_data_after",
        "_distances",
        "_faw",
        "_ppd",
        "_ranks",
        "_ras",
        "_rcd",
        "_rp",
        "_timing",
        "activates",
        "active_cycles",
        "acts",
        "bank_activate",
        "bank_column",
        "bank_precharge",
        "bursts",
        "closed_at",
        "closed_for_another",
        "conflicts",
        "group_activate",
        "group_column",
        "group_of",
        "last_column",
        "latency",
        "nbl",
        "open_banks",
        "open_row",
        "opened_at",
        "rank_of",
        "refresh_cycles",
        "refreshed",
        "refreshes",
        "row_held",
        "spacing_l",
        "spacing_s",
    )

    def __init__(self, description: Dram) -> None:
        timing, nbl = description.timing, description.burst_cycles
        ranks, groups, banks = description.ranks, description.bank_groups, description.banks
        self._timing, self.nbl, self._ranks = timing, nbl, range(ranks)
        self._rcd, self._ras, self._rp, self._faw = timing.nRCD, timing.nRAS, timing.nRP, timing.nFAW
        self._ppd = timing.nPPD
        cl, cwl = timing.nCL + nbl, timing.nCWL + nbl
        self.spacing_s, self.spacing_l = max(nbl, timing.nCCD_S), max(nbl, timing.nCCD_L)
        read_to_write = timing.nRTW or timing.nCL + nbl + 2 - timing.nCWL
        # Distance of a read (write) to the next (read, write): of its bank group, of another, of another rank.
        kinds = (
            (
                (self.spacing_l, read_to_write),
                (self.spacing_s, read_to_write),
                (nbl + timing.nRTRS, cl + timing.nRTRS - timing.nCWL),
            ),
            (
                (cwl + timing.nWTR_L, self.spacing_l),
                (cwl + timing.nWTR_S, self.spacing_s),
                (cwl + timing.nRTRS - timing.nCL, nbl + timing.nRTRS),
            ),
        )
        every = range(ranks * groups)
        self._distances = [
            [
                [
                    (group, *apart[0 if group == own else 1 if group // groups == own // groups else 2])
                    for group in every
                ]
                for own in every
            ]
            for apart in kinds
        ]
        """Of a read (write) in a bank group, to (each group, its next read, its next write)."""
        self._activates_apart = [
            [
                (group, timing.nRRD_L if group == own else timing.nRRD_S)
                for group in every
                if group // groups == own // groups
            ]
            for own in every
        ]
        """Of an activate in a bank group, to (each group of the rank, its next activate)."""
        self._data_after = (cl, cwl)
        """Read (write) command to the end of its data."""
        self.latency = (timing.nCL, timing.nCWL)
        """Read (write) command to its first data beat."""
        self.row_held = (timing.nRTP, cwl + timing.nWR)
        """Least time from a read (write) to the precharge of its bank."""
        self.rank_of = [bank // banks for bank in range(ranks * banks)]
        self.group_of = [bank * groups // banks for bank in range(ranks * banks)]
        self.open_row = [NO_ROW] * (ranks * banks)
        """Row of each bank, or :data:`NO_ROW`."""
        self.bank_activate = [0] * (ranks * banks)
        self.bank_column = [0] * (ranks * banks)
        self.bank_precharge = [0] * (ranks * banks)
        self.group_activate = [0] * (ranks * groups)
        self.group_column = ([0] * (ranks * groups), [0] * (ranks * groups))
        """Of reads, of writes."""
        self.acts = [deque[int](maxlen=4) for _ in self._ranks]
        self.closed_for_another = [False] * (ranks * banks)
        self.open_banks = [0] * ranks
        self.opened_at = [0] * ranks
        self.closed_at = [0] * ranks
        self.refreshed = [0] * ranks
        """Cycle in which the last refresh of each rank ended."""
        self.last_column = -(1 << 40)
        """Cycle of the last read or write."""
        self.activates = 0
        self.conflicts = 0
        """Activates for which another row had to be closed."""
        self.refreshes = 0
        self.refresh_cycles = timing.nRFC
        """Time of the last refresh."""
        self.active_cycles = 0
        """Cycles with a row open (summed over ranks), up to the last time all were closed."""
        self.bursts = [0, 0]
        """Read, written."""

    def earliest_activate(self, bank: int) -> int:
        """First legal cycle of an activate."""
        at, other = self.bank_activate[bank], self.group_activate[self.group_of[bank]]
        return at if at > other else other

    def earliest_precharge(self, bank: int) -> int:
        """First legal cycle of a precharge."""
        return self.bank_precharge[bank]

    def earliest_column(self, bank: int, write: int) -> int:
        """First legal cycle of a read or write of the open row."""
        at, other = self.bank_column[bank], self.group_column[write][self.group_of[bank]]
        return at if at > other else other

    def activate(self, cycle: int, bank: int, row: int) -> None:
        """Open ``row``."""
        rank = self.rank_of[bank]
        self.open_row[bank] = row
        self.bank_column[bank] = cycle + self._rcd
        self.bank_precharge[bank] = cycle + self._ras
        acts, group_activate = self.acts[rank], self.group_activate
        acts.append(cycle)
        fifth = acts[0] + self._faw if len(acts) == 4 else 0
        for group, apart in self._activates_apart[self.group_of[bank]]:
            earliest = cycle + apart
            if earliest < fifth:
                earliest = fifth
            if earliest > group_activate[group]:
                group_activate[group] = earliest
        self.activates += 1
        if self.closed_for_another[bank]:
            self.conflicts += 1
            self.closed_for_another[bank] = False
        if not self.open_banks[rank]:
            closed = self.closed_at[rank]
            self.opened_at[rank] = cycle if cycle > closed else closed
        self.open_banks[rank] += 1

    def precharge(self, cycle: int, bank: int, *, for_another: bool = False, command: bool = True) -> None:
        """Close the row; ``for_another`` if a request wants another one.

        ``command``: one goes out for it. A row that an access closes (auto-precharge) has none.
        """
        rank = self.rank_of[bank]
        self.open_row[bank] = NO_ROW
        self.bank_activate[bank] = cycle + self._rp
        self.closed_for_another[bank] = for_another
        self.open_banks[rank] -= 1
        if cycle > self.closed_at[rank]:
            self.closed_at[rank] = cycle
        if not self.open_banks[rank]:
            self.active_cycles += self.closed_at[rank] - self.opened_at[rank]
        if self._ppd > 1 and command:
            self._keep_precharges_apart(cycle + self._ppd, rank)

    def _keep_precharges_apart(self, earliest: int, rank: int) -> None:
        stamps, banks = self.bank_precharge, len(self.open_row) // len(self._ranks)
        for bank in range(rank * banks, (rank + 1) * banks):
            if stamps[bank] < earliest:
                stamps[bank] = earliest

    def column(self, cycle: int, bank: int, write: int) -> int:
        """Read or write one burst; returns the cycle in which its last data beat ends."""
        self.bursts[write] += 1
        self.last_column = cycle
        end = cycle + self._data_after[write]
        precharge = cycle + self.row_held[write]
        if precharge > self.bank_precharge[bank]:
            self.bank_precharge[bank] = precharge
        reads, writes = self.group_column
        for group, to_read, to_write in self._distances[write][self.group_of[bank]]:
            if reads[group] < cycle + to_read:
                reads[group] = cycle + to_read
            if writes[group] < cycle + to_write:
                writes[group] = cycle + to_write
        return end

    def refresh(self, due: int, rank: int) -> None:
        """All-bank refresh, due at ``due``: rows are closed as soon as they may be, then the rank is busy for tRFC."""
        per_rank = len(self.open_row) // len(self._ranks)
        ended = self.refresh_banks(due, range(rank * per_rank, (rank + 1) * per_rank), self._timing.nRFC)
        self.refreshed[rank] = ended

    def refresh_banks(self, due: int, banks: range, cycles: int) -> int:
        """Refresh of some banks of a rank, due at ``due``; returns when it has ended."""
        opened = [bank for bank in banks if self.open_row[bank] != NO_ROW]
        if opened:
            close = max(due, *(self.bank_precharge[bank] for bank in opened))
            for bank in opened:
                self.precharge(close, bank)
        ended = max(due, *(self.bank_activate[bank] for bank in banks)) + cycles
        for bank in banks:
            self.bank_activate[bank] = ended
            self.closed_for_another[bank] = False
        self.refreshes += 1
        self.refresh_cycles = cycles
        return ended

    def close(self, cycle: int, rank: int) -> int | None:
        """Close all rows of a rank with one command, from ``cycle`` on as soon as it may be; None: none is open."""
        per_rank = len(self.open_row) // len(self._ranks)
        banks = range(rank * per_rank, (rank + 1) * per_rank)
        opened = [bank for bank in banks if self.open_row[bank] != NO_ROW]
        if not opened:
            return None
        at = max(cycle, *(self.bank_precharge[bank] for bank in opened))
        for bank in opened:
            self.precharge(at, bank)
        return at

    def quiet_from(self, cycle: int) -> int:
        """From when on all banks may be idle, the last data over and nothing refreshed; all rows are closed."""
        return max(cycle, *self.bank_activate, self.last_column + max(self._data_after))

    def hold(self, until: int) -> None:
        """No command before ``until``."""
        for stamps in (self.bank_precharge, self.group_activate, *self.group_column):
            stamps[:] = [max(stamp, until) for stamp in stamps]

    def open_cycles(self, now: int, asleep_from: int | None = None) -> int:
        """Cycles with a row open up to ``now`` (the last may have been closed ahead, when its data are safe).

        ``asleep_from``: since when the memory has refreshed itself, for which it closes what is open.
        """
        until = now if asleep_from is None else min(now, asleep_from)
        return self.active_cycles + sum(
            max(0, until - opened) if banks else min(0, now - closed)
            for opened, closed, banks in zip(self.opened_at, self.closed_at, self.open_banks, strict=True)
        )
