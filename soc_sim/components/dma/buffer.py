"""What the DMA sees of a scratchpad."""

from __future__ import annotations

from typing import Protocol

from soc_sim.kernel import CreditPool


class Pad(Protocol):
    """The memory it is part of."""

    @property
    def shared(self) -> bool:
        """Whether space is taken in the order of the program, when instructions are handed out."""


class Buffer(Protocol):
    """Space to fill, and somebody who counts."""

    @property
    def space(self) -> CreditPool: ...  # noqa: D102

    @property
    def pad(self) -> Pad: ...  # noqa: D102

    def moved(self, size_bytes: int, *, write: bool) -> None:
        """Bytes have been moved in or out."""
