"""Arrows of viewers, from a load of the DMA to the instruction that waited for it.

The number of an arrow is the load's instruction plus one. An arrow leaves every load, because what waits for it comes
later; it arrives only where its load has been written, which a selection may have left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from soc_sim.observe.trace.columns import Slices, Tables


class Flows:
    """Which slices have an arrow."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._loads = np.zeros(0, np.bool_)
        """Slice name → whether it is a load."""
        self._written = np.zeros(1024, np.bool_)
        """Instruction → whether its load has been written."""

    def note(self, block: Slices) -> None:
        """These slices are written now: arrows from the loads among them may arrive, in this block or later."""
        if len(self._loads) < len(self._tables.names):
            self._loads = np.array([name.startswith("load") for name in self._tables.names], np.bool_)
        written = block.instructions[self.leaves(block)]
        if len(written):
            if (most := int(written.max())) >= len(self._written):
                self._written = np.concatenate([self._written, np.zeros(most + 1, np.bool_)])
            self._written[written] = True

    def leaves(self, slices: Slices) -> npt.NDArray[np.bool_]:
        """For each slice, shape (n,), whether an arrow leaves it."""
        return self._loads[slices.names] & (slices.instructions >= 0)

    def arrives(self, slices: Slices) -> npt.NDArray[np.bool_]:
        """For each slice, shape (n,), whether an arrow arrives at it."""
        waited_for = slices.waited_for
        known = (waited_for >= 0) & (waited_for < len(self._written))
        return known & self._written[np.where(known, waited_for, 0)]

    def leaving(self, slices: Slices) -> Iterator[tuple[int, int]]:
        """(time, number) of the arrows that leave."""
        chosen = self.leaves(slices)
        return zip(slices.starts_ps[chosen].tolist(), (slices.instructions[chosen] + 1).tolist(), strict=True)

    def arriving(self, slices: Slices) -> Iterator[tuple[int, int]]:
        """(time, number) of the arrows that arrive."""
        chosen = self.arrives(slices)
        return zip(slices.starts_ps[chosen].tolist(), (slices.waited_for[chosen] + 1).tolist(), strict=True)
