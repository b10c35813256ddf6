"""When each command of a channel is legal: time stamps per bank, bank group and rank, in cycles of the command clock.

Modelled: ACT, PRE, RD, WR, REF with tRCD, tRP, tRAS, CL, CWL, tCCD_S/L, tRRD_S/L, tFAW, tRTP, tWR, tWTR_S/L, read to
write, change of rank, tRFC (JESD79-4, chapter 4, and its siblings for the other standards).
Left out: tPPD, preambles beyond the turnarounds, power-down.
"""

from __future__ import annotations

from collections import deque

from soc_sim.config.memory import Dram

NO_ROW = -1


class ChannelState:
    """Open rows and the earliest legal cycle of every command.

    A command is legal at the latest of its time stamps: of its bank, its bank group and its rank. Banks are numbered
    rank by rank, in a rank group by group.
    """

    __slots__ = (
        "_acts",
        "_after_read",
        "_after_write",
        "_cl",
        "_closed_at",
        "_closed_for_another",
        "_cwl",
        "_open_banks",
        "_opened_at",
        "_ranks",
        "_timing",
        "activates",
        "active_cycles",
        "bank_activate",
        "bank_column",
        "bank_precharge",
        "bursts",
        "conflicts",
        "group_activate",
        "group_column",
        "group_of",
        "nbl",
        "open_row",
        "rank_activate",
        "rank_column",
        "rank_of",
        "refreshes",
        "spacing_l",
        "spacing_s",
    )

    def __init__(self, description: Dram) -> None:
        timing, nbl = description.timing, description.burst_cycles
        ranks, groups, banks = description.ranks, description.bank_groups, description.banks
        self._timing, self.nbl, self._ranks = timing, nbl, range(ranks)
        self._cl, self._cwl = timing.nCL + nbl, timing.nCWL + nbl
        self.spacing_s, self.spacing_l = max(nbl, timing.nCCD_S), max(nbl, timing.nCCD_L)
        read_to_write = timing.nRTW or timing.nCL + nbl + 2 - timing.nCWL
        # Distance to the next column command of a rank: (read, write) of this rank, (read, write) of another.
        self._after_read = (
            self.spacing_s,
            read_to_write,
            nbl + timing.nRTRS,
            self._cl + timing.nRTRS - timing.nCWL,
        )
        self._after_write = (
            self._cwl + timing.nWTR_S,
            self.spacing_s,
            self._cwl + timing.nRTRS - timing.nCL,
            nbl + timing.nRTRS,
        )
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
        self.rank_activate = [0] * ranks
        self.rank_column = ([0] * ranks, [0] * ranks)
        """Of reads, of writes."""
        self._acts = [deque[int](maxlen=4) for _ in self._ranks]
        self._closed_for_another = [False] * (ranks * banks)
        self._open_banks = [0] * ranks
        self._opened_at = [0] * ranks
        self._closed_at = [0] * ranks
        self.activates = 0
        self.conflicts = 0
        """Activates for which another row had to be closed."""
        self.refreshes = 0
        self.active_cycles = 0
        """Cycles with a row open (summed over ranks), up to the last time all were closed."""
        self.bursts = [0, 0]
        """Read, written."""

    def earliest_activate(self, bank: int) -> int:
        """First legal cycle of an activate."""
        at = self.bank_activate[bank]
        if (other := self.group_activate[self.group_of[bank]]) > at:
            at = other
        if (other := self.rank_activate[self.rank_of[bank]]) > at:
            at = other
        return at

    def earliest_precharge(self, bank: int) -> int:
        """First legal cycle of a precharge."""
        return self.bank_precharge[bank]

    def earliest_column(self, bank: int, write: int) -> int:
        """First legal cycle of a read or write of the open row."""
        at = self.bank_column[bank]
        if (other := self.group_column[write][self.group_of[bank]]) > at:
            at = other
        if (other := self.rank_column[write][self.rank_of[bank]]) > at:
            at = other
        return at

    def activate(self, cycle: int, bank: int, row: int) -> None:
        """Open ``row``."""
        timing, rank, group = self._timing, self.rank_of[bank], self.group_of[bank]
        self.open_row[bank] = row
        self.bank_column[bank] = cycle + timing.nRCD
        self.bank_precharge[bank] = cycle + timing.nRAS
        self.group_activate[group] = cycle + timing.nRRD_L
        acts = self._acts[rank]
        acts.append(cycle)
        earliest = cycle + timing.nRRD_S
        if len(acts) == 4 and acts[0] + timing.nFAW > earliest:
            earliest = acts[0] + timing.nFAW
        self.rank_activate[rank] = earliest
        self.activates += 1
        if self._closed_for_another[bank]:
            self.conflicts += 1
            self._closed_for_another[bank] = False
        if not self._open_banks[rank]:
            self._opened_at[rank] = max(cycle, self._closed_at[rank])
        self._open_banks[rank] += 1

    def precharge(self, cycle: int, bank: int, *, for_another: bool = False) -> None:
        """Close the row; ``for_another`` if a request wants another one."""
        rank = self.rank_of[bank]
        self.open_row[bank] = NO_ROW
        self.bank_activate[bank] = cycle + self._timing.nRP
        self._closed_for_another[bank] = for_another
        self._open_banks[rank] -= 1
        self._closed_at[rank] = max(cycle, self._closed_at[rank])
        if not self._open_banks[rank]:
            self.active_cycles += self._closed_at[rank] - self._opened_at[rank]

    def column(self, cycle: int, bank: int, write: int) -> int:
        """Read or write one burst; returns the cycle in which its last data beat ends."""
        rank = self.rank_of[bank]
        group_column, rank_column = self.group_column, self.rank_column
        self.bursts[write] += 1
        if write:
            end = cycle + self._cwl
            group = self.group_of[bank]
            group_column[1][group] = cycle + self.spacing_l
            group_column[0][group] = end + self._timing.nWTR_L
            distances = self._after_write
            precharge = end + self._timing.nWR
        else:
            end = cycle + self._cl
            group_column[0][self.group_of[bank]] = cycle + self.spacing_l
            distances = self._after_read
            precharge = cycle + self._timing.nRTP
        if precharge > self.bank_precharge[bank]:
            self.bank_precharge[bank] = precharge
        rank_column[0][rank] = cycle + distances[0]
        rank_column[1][rank] = cycle + distances[1]
        if len(self._ranks) > 1:
            for other in self._ranks:
                if other != rank:
                    rank_column[0][other] = max(rank_column[0][other], cycle + distances[2])
                    rank_column[1][other] = max(rank_column[1][other], cycle + distances[3])
        return end

    def columns(self, cycle: int, bank: int, write: int, bursts: int) -> int:
        """As :meth:`column` for ``bursts`` of one row at the closest spacing; the last data beat of the last."""
        self.bursts[write] += bursts - 1
        return self.column(cycle + (bursts - 1) * self.spacing_l, bank, write)

    def refresh(self, due: int, rank: int) -> None:
        """All-bank refresh, due at ``due``: rows are closed as soon as they may be, then the rank is busy for tRFC."""
        timing, start = self._timing, due
        banks = [bank for bank, owner in enumerate(self.rank_of) if owner == rank]
        if self._open_banks[rank]:
            close = max(due, *(self.bank_precharge[bank] for bank in banks if self.open_row[bank] != NO_ROW))
            for bank in banks:
                if self.open_row[bank] != NO_ROW:
                    self.precharge(close, bank)
        start = max(start, *(self.bank_activate[bank] for bank in banks))
        for bank in banks:
            self.bank_activate[bank] = start + timing.nRFC
            self._closed_for_another[bank] = False
        self.refreshes += 1

    def open_cycles(self, now: int) -> int:
        """Cycles with a row open up to ``now`` (the last may have been closed ahead, when its data are safe)."""
        return self.active_cycles + sum(
            max(0, now - opened) if banks else min(0, now - closed)
            for opened, closed, banks in zip(self._opened_at, self._closed_at, self._open_banks, strict=True)
        )
