"""Who holds a target: the time of each initiator, so that a wait can be split by those it was due to.

A target is held by the initiator whose transfer has been there longest. That is the one being served where a memory
serves in order; a DRAM serves several at once, and the rule picks one of them, so that the parts sum to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.kernel import Transfer


class Holding:
    """Time for which each initiator has held one target."""

    __slots__ = ("_held_ps", "_holder", "_since_ps", "_there")

    def __init__(self, initiators: Sequence[str]) -> None:
        self._held_ps = dict.fromkeys(initiators, 0)
        self._there: dict[Transfer, None] = {}
        self._holder: Transfer | None = None
        """The first of them."""
        self._since_ps = 0

    def enter(self, transfer: Transfer, now_ps: int) -> None:
        """The target has been given a transfer."""
        if self._holder is None:
            self._holder, self._since_ps = transfer, now_ps
        self._there[transfer] = None

    def leave(self, transfer: Transfer, now_ps: int) -> None:
        """The target has served a transfer."""
        del self._there[transfer]
        if transfer is self._holder:
            self._held_ps[transfer.initiator] += now_ps - self._since_ps
            self._holder, self._since_ps = next(iter(self._there), None), now_ps

    def held_ps(self, now_ps: int) -> tuple[int, ...]:
        """How long each initiator has held the target so far."""
        self._advance(now_ps)
        return tuple(self._held_ps.values())

    def split(self, before_ps: tuple[int, ...], now_ps: int) -> dict[str, int]:
        """Initiator → how long it has held the target since :meth:`held_ps` returned ``before_ps``."""
        self._advance(now_ps)
        held_ps = self._held_ps
        return {
            name: now - before for (name, now), before in zip(held_ps.items(), before_ps, strict=True) if now > before
        }

    def _advance(self, now_ps: int) -> None:
        if self._holder is not None:
            self._held_ps[self._holder.initiator] += now_ps - self._since_ps
            self._since_ps = now_ps
