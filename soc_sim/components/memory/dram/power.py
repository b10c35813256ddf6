"""Power-down and self-refresh of a channel that has nothing to do.

Modelled: all ranks power down (clock enable low) a set time after the last data, with the rows as they are, and wake
when a request arrives; commands wait for tXP. Refreshes go on and count as awake. After a longer time rows are closed
and the memory refreshes itself; commands then wait for tXS, and refreshes start anew (JESD79-4, power-down and
self-refresh, and its siblings for the other standards).
Left out: ranks that sleep while others work, the slow exit of DDR3, deep power-down, minimum times in a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from soc_sim.components.memory.dram.refresh import Refreshes
from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.config.memory import Dram

NEVER: Final = 1 << 60


@dataclass
class Slept:
    """Cycles in the states, summed over ranks."""

    active_power_down: int = 0
    precharged_power_down: int = 0
    self_refresh: int = 0


class PowerStates:
    """Sleep of one channel."""

    __slots__ = ("_down_after", "_idle_from", "_ranks", "_refreshed_before", "_self_refresh_after", "_slept", "_state")

    def __init__(self, description: Dram, state: ChannelState) -> None:
        controller = description.controller
        self._state, self._ranks = state, description.ranks
        self._down_after = controller.power_down_after_cycles or NEVER
        self._self_refresh_after = controller.self_refresh_after_cycles or NEVER
        self._slept = Slept()
        self._idle_from: int | None = 0
        """Since when there is nothing to do; None: there is."""
        self._refreshed_before = 0

    def sleeps_by_itself(self, due: int) -> bool:
        """Whether a refresh that is due then is left to the memory."""
        return self._idle_from is not None and due >= self._idle_from + self._self_refresh_after

    @property
    def asleep_from(self) -> int | None:
        """When the memory begins, or has begun, to refresh itself; None: there is something to do."""
        return None if self._idle_from is None else self._idle_from + self._self_refresh_after

    def rest(self, cycle: int) -> None:
        """The last data have been moved."""
        self._idle_from, self._refreshed_before = cycle, self._state.refreshes

    def wake(self, cycle: int, refreshes: Refreshes, exit_cycles: tuple[int, int]) -> None:
        """A request arrives; ``exit_cycles``: tXP, tXS."""
        if self._idle_from is None:
            return
        idle, self._slept = cycle - self._idle_from, self.slept(cycle)
        state = self._state
        if idle > self._self_refresh_after:
            closing = self._idle_from + self._self_refresh_after
            for bank, row in enumerate(state.open_row):
                if row != NO_ROW:
                    state.precharge(max(closing, state.bank_precharge[bank]), bank)
            refreshes.restart(cycle)
            state.hold(cycle + exit_cycles[1])
        elif idle > self._down_after:
            state.hold(cycle + exit_cycles[0])
        self._idle_from = None

    def slept(self, now: int) -> Slept:
        """Times in the states up to ``now``."""
        slept, state = self._slept, self._state
        if self._idle_from is None:
            return slept
        by_itself = min(now, self._idle_from + self._self_refresh_after)
        down = self._idle_from + self._down_after
        active = precharged = 0
        if down < by_itself:
            for banks, closed in zip(state.open_banks, state.closed_at, strict=True):
                # Nobody opens a row meanwhile: what is open now has been open all the time.
                open_until = by_itself if banks else min(by_itself, max(down, closed))
                active += open_until - down
                precharged += by_itself - open_until
            awake = (state.refreshes - self._refreshed_before) * state.refresh_cycles
            precharged = max(0, precharged - awake)
        return Slept(
            slept.active_power_down + active,
            slept.precharged_power_down + precharged,
            slept.self_refresh + max(0, now - by_itself) * self._ranks,
        )
