"""Tells every command of a channel, where somebody wants to know them; nothing about the commands changes.

A bank has a track, and a rank one for what all its banks do. ``ACT`` lasts tRCD and ``PRE`` tRP, ``RD`` and ``WR`` as
long as their burst occupies the data bus (CL or CWL later), ``REF`` tRFC, after ``PREA`` has closed all. A refresh
of one bank, ``REFpb``, lies on that bank's track. Power-down and self-refresh are left out.
"""

from __future__ import annotations

from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.round_robin import RoundRobinScheduler
from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.components.memory.dram.streaming import StreamingScheduler
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Track

_COLUMN = ("RD", "WR")


class CommandTracks:
    """Tracks of one channel's banks and ranks; None where nobody wants one."""

    def __init__(self, simulation: Simulation, name: str, description: Dram) -> None:
        ranks = [f"{name}.rank{rank}" for rank in range(description.ranks)]
        self.banks = [
            simulation.track(f"{rank}.bank{bank}", "commands") for rank in ranks for bank in range(description.banks)
        ]
        self.ranks = [simulation.track(rank, "commands") for rank in ranks]
        self.origin_ps = 0
        """Time of cycle 0, of channels that are made from now on."""

    @property
    def wanted(self) -> bool:
        """Whether somebody wants to know any command."""
        return any(track is not None for track in (*self.banks, *self.ranks))


class Teller:
    """Puts commands on the tracks of their banks and ranks."""

    def __init__(self, description: Dram, tracks: CommandTracks) -> None:
        self.ranks, self.banks = tracks.ranks, tracks.banks
        self._times, self._nbl, self._origin_ps = description.timing, description.burst_cycles, tracks.origin_ps
        self._per_bank = description.controller.refresh == "per_bank"
        self._spacing = max(description.burst_cycles, description.timing.nCCD_L)

    def activate(self, run: Run, cycle: int) -> None:
        """A row is opened for ``run``."""
        self.tell(self.banks[run.bank], "ACT", cycle, self._times.nRCD, _layer(run))

    def precharge(self, bank: int, cycle: int) -> None:
        """A bank closes its row."""
        self.tell(self.banks[bank], "PRE", cycle, self._times.nRP)

    def columns(self, run: Run, column: int, bursts: int) -> None:
        """Bursts of one run in one row, as close to each other as they may be."""
        track = self.banks[run.bank]
        if track is not None:
            for cycle in range(column, column + bursts * self._spacing, self._spacing):
                self.tell(track, _COLUMN[run.write], cycle, self._nbl, _layer(run))

    def refresh(self, state: ChannelState, banks: range, *, closes: bool) -> None:
        """``banks`` are refreshed; ``closes``: rows are still open. They close with the last that was closed before."""
        track = self.banks[banks[0]] if self._per_bank else self.ranks[state.rank_of[banks[0]]]
        start = state.bank_activate[banks[0]] - state.refresh_cycles
        if closes:
            self.tell(track, "PRE" if self._per_bank else "PREA", start - self._times.nRP, self._times.nRP)
        self.tell(track, "REFpb" if self._per_bank else "REF", start, state.refresh_cycles)

    def tell(self, track: Track | None, name: str, cycle: int, cycles: int, layer: int = -1) -> None:
        """A command from ``cycle`` on, where somebody wants to know it."""
        if track is not None:
            tck_ps, origin_ps = self._times.tck_ps, self._origin_ps
            track.slice(name, origin_ps + cycle * tck_ps, origin_ps + (cycle + cycles) * tck_ps, layer)

    def close(self, rank: int, cycle: int) -> None:
        """All rows of a rank are closed."""
        self.tell(self.ranks[rank], "PREA", cycle, self._times.nRP)


class ToldScheduler(StreamingScheduler):
    """As its base; what it does is told."""

    __slots__ = ("teller",)

    def __init__(self, description: Dram, tracks: CommandTracks) -> None:
        super().__init__(description)
        self.teller = Teller(description, tracks)

    def _write_down(self, run: Run, column: int, until: int) -> int:
        following = super()._write_down(run, column, until)
        self.teller.columns(run, column, (following - column) // self.state.spacing_l)
        return following

    def _access(self, cycle: int, bank: int, write: int) -> None:
        run = self._opened_for(bank, write) or self._hit[write][bank]
        if run is not None:
            self.teller.columns(run, cycle, 1)
        super()._access(cycle, bank, write)

    def _activate(self, cycle: int, bank: int, write: int) -> None:
        run = self._waiting[write][bank][0]
        self.teller.activate(run, cycle)
        super()._activate(cycle, bank, write)

    def _precharge(self, cycle: int, bank: int) -> None:
        self.teller.precharge(bank, cycle)
        super()._precharge(cycle, bank)

    def _close_unwanted(self, bank: int) -> None:
        open_before = self.state.open_banks[self.state.rank_of[bank]]
        cycle = self.state.bank_precharge[bank]
        super()._close_unwanted(bank)
        if self.state.open_banks[self.state.rank_of[bank]] < open_before:
            self.teller.precharge(bank, cycle)

    def _refresh(self, cycle: int, rank: int) -> None:
        state, banks = self.state, self.refreshes.banks(rank)
        closes = any(state.open_row[bank] != NO_ROW for bank in banks)
        super()._refresh(cycle, rank)
        self.teller.refresh(state, banks, closes=closes)


class ToldRoundRobinScheduler(RoundRobinScheduler):
    """As its base; what it does is told."""

    __slots__ = ("teller",)

    def __init__(self, description: Dram, tracks: CommandTracks, *, posts_writes: bool = False) -> None:
        super().__init__(description, posts_writes=posts_writes)
        self.teller = Teller(description, tracks)

    def _activate(self, cycle: int, bank: int, run: Run) -> None:
        self.teller.activate(run, cycle)
        super()._activate(cycle, bank, run)

    def _precharge(self, cycle: int, bank: int, *, for_another: bool = True) -> None:
        self.teller.precharge(bank, cycle)
        super()._precharge(cycle, bank, for_another=for_another)

    def _access(self, cycle: int, bank: int, run: Run) -> None:
        self.teller.columns(run, cycle, 1)
        super()._access(cycle, bank, run)

    def _begin_refresh(self, cycle: int, rank: int, banks: range) -> None:
        super()._begin_refresh(cycle, rank, banks)
        self.teller.refresh(self.state, banks, closes=False)


def _layer(run: Run) -> int:
    """The layer for which the run is, where its owner says so."""
    layer: int = getattr(getattr(run.owner, "transfer", None), "layer", -1)
    return layer
