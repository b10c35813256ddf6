"""Power states of idle PEs: entered when a unit has been idle for long enough, left when there is work again.

Nobody acts while a unit is idle, so the states it went through are worked out when that time is over; only waking up
takes time of its own. Left out: energy of switching the supply, and states of the buffers, which stay powered.
"""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.config.domain import IdleState
from soc_sim.kernel.recording import Track


class IdleStates:
    """States of one unit."""

    def __init__(self, states: Sequence[IdleState], track: Track | None = None) -> None:
        """``states``: the earliest first; ``track``: where they are drawn."""
        self._states = states
        self._track = track
        self._idle_from_ps = 0
        self.spans: list[tuple[str, int, int]] = []
        """(state, from, until) of all times in a state, ascending."""

    def rest(self, now_ps: int) -> None:
        """The unit has nothing to do from now on."""
        self._idle_from_ps = now_ps

    def wake_up_ps(self, now_ps: int, *, empty: bool) -> int:
        """The unit has work again: how long it takes to wake up. ``empty``: its registers held nothing meanwhile."""
        wake_up_ps = 0
        for state, start_ps, end_ps in self._entered(now_ps, empty):
            self.spans.append((state.name, start_ps, end_ps))
            if self._track is not None:
                self._track.slice(state.name, start_ps, end_ps, -1)
            wake_up_ps = state.wake_up_ps
        return wake_up_ps

    def close(self, end_ps: int) -> None:
        """The run ends, and the unit is idle."""
        self.wake_up_ps(end_ps, empty=True)
        self._idle_from_ps = end_ps

    def _entered(self, now_ps: int, empty: bool) -> list[tuple[IdleState, int, int]]:
        allowed = [state for state in self._states if empty or state.retains]
        if not allowed:
            return []
        begins = [self._idle_from_ps + state.after_ps for state in allowed]
        ends = [*begins[1:], now_ps]
        return [
            (state, begin_ps, min(end_ps, now_ps))
            for state, begin_ps, end_ps in zip(allowed, begins, ends, strict=True)
            if begin_ps < now_ps
        ]
