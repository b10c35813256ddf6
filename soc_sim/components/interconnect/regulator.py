"""Bandwidth regulation: an initiator may move so many bytes in each window of time, and waits for the next then.

Windows start at multiples of their length. A transfer goes as long as the window's bytes are not used up, so the last
one may exceed them by less than its size; what it exceeds is missing in the next window.
"""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.config.interconnect import Regulation
from soc_sim.kernel import Transfer


class Regulator:
    """What each regulated initiator has left; the others have no limit."""

    def __init__(self, limits: Sequence[Regulation]) -> None:
        self._limits = {limit.initiator: (limit.budget_bytes, limit.window_ps) for limit in limits}
        self._windows = dict.fromkeys(self._limits, 0)
        self._spent_bytes = dict.fromkeys(self._limits, 0)

    def allows(self, transfer: Transfer, now_ps: int) -> bool:
        """Whether the transfer may go now."""
        name = transfer.initiator
        return name not in self._limits or self._spent(name, now_ps) < self._limits[name][0]

    def charge(self, transfer: Transfer, now_ps: int) -> None:
        """The transfer goes now."""
        name = transfer.initiator
        if name in self._limits:
            self._spent_bytes[name] = self._spent(name, now_ps) + transfer.size_bytes

    def allowed_from_ps(self, initiator: str, now_ps: int) -> int:
        """When the initiator may go again."""
        budget_bytes, window_ps = self._limits[initiator]
        windows = self._spent(initiator, now_ps) // budget_bytes
        return (now_ps // window_ps + windows) * window_ps if windows else now_ps

    def _spent(self, name: str, now_ps: int) -> int:
        budget_bytes, window_ps = self._limits[name]
        window = now_ps // window_ps
        passed = window - self._windows[name]
        if passed:
            self._windows[name] = window
            self._spent_bytes[name] = max(0, self._spent_bytes[name] - passed * budget_bytes)
        return self._spent_bytes[name]
