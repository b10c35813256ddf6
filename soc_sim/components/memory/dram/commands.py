"""Tells every command of a channel, where somebody wants to know them; nothing about the commands changes.

A bank has a track, and a rank one for what all its banks do. ``ACT`` lasts tRCD and ``PRE`` tRP, ``RD`` and ``WR`` as
long as their burst occupies the data bus (CL or CWL later), ``REF`` tRFC, after ``PREA`` has closed all. A refresh
of one bank, ``REFpb``, lies on that bank's track. Power-down and self-refresh are left out.
"""

from __future__ import annotations

from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.state import NO_ROW
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

    @property
    def wanted(self) -> bool:
        """Whether somebody wants to know any command."""
        return any(track is not None for track in (*self.banks, *self.ranks))


class ToldScheduler(StreamingScheduler):
    """As its base; what it does is told."""

    __slots__ = ("_tck_ps", "_times", "_tracks")

    def __init__(self, description: Dram, tracks: CommandTracks) -> None:
        super().__init__(description)
        self._tracks = tracks
        self._times = description.timing
        self._tck_ps = description.timing.tck_ps

    def _issue(self, run: Run, column: int, bursts: int) -> None:
        self._tell_columns(run, column, bursts)
        super()._issue(run, column, bursts)

    def _access(self, cycle: int, bank: int, write: int) -> None:
        run = self._opened_for(bank, write) or self._hit[write][bank]
        if run is not None:
            self._tell_columns(run, cycle, 1)
        super()._access(cycle, bank, write)

    def _activate(self, cycle: int, bank: int, write: int) -> None:
        run = self._waiting[write][bank][0]
        self._tell(self._tracks.banks[bank], "ACT", cycle, self._times.nRCD, _layer(run))
        super()._activate(cycle, bank, write)

    def _precharge(self, cycle: int, bank: int) -> None:
        self._tell(self._tracks.banks[bank], "PRE", cycle, self._times.nRP)
        super()._precharge(cycle, bank)

    def _close_unwanted(self, bank: int) -> None:
        open_before = self.state.open_banks[self.state.rank_of[bank]]
        cycle = self.state.bank_precharge[bank]
        super()._close_unwanted(bank)
        if self.state.open_banks[self.state.rank_of[bank]] < open_before:
            self._tell(self._tracks.banks[bank], "PRE", cycle, self._times.nRP)

    def _refresh(self, cycle: int, rank: int) -> None:
        state, tracks, banks = self.state, self._tracks, self.refreshes.banks(rank)
        of_one_bank = len(banks) == 1
        opened = [bank for bank in banks if state.open_row[bank] != NO_ROW]
        closed = max(cycle, *(state.bank_precharge[bank] for bank in opened)) if opened else 0
        super()._refresh(cycle, rank)
        track = tracks.banks[banks[0]] if of_one_bank else tracks.ranks[state.rank_of[banks[0]]]
        if opened:
            self._tell(track, "PRE" if of_one_bank else "PREA", closed, self._times.nRP)
        start = state.bank_activate[banks[0]] - state.refresh_cycles
        self._tell(track, "REFpb" if of_one_bank else "REF", start, state.refresh_cycles)

    def _tell_columns(self, run: Run, column: int, bursts: int) -> None:
        track, spacing = self._tracks.banks[run.bank], self.state.spacing_l
        if track is not None:
            for cycle in range(column, column + bursts * spacing, spacing):
                self._tell(track, _COLUMN[run.write], cycle, self.state.nbl, _layer(run))

    def _tell(self, track: Track | None, name: str, cycle: int, cycles: int, layer: int = -1) -> None:
        if track is not None:
            track.slice(name, cycle * self._tck_ps, (cycle + cycles) * self._tck_ps, layer)


def _layer(run: Run) -> int:
    """The layer for which the run is, where its owner says so."""
    layer: int = getattr(getattr(run.owner, "transfer", None), "layer", -1)
    return layer
