"""What is pruned together: W, m × k, cut into units of height × width.

The sizes are those of ``soc_sim.sparsity.patterns``: a tile column is R × 1, a tile row 1 × R, a channel 1 × k, a block
R × C. Edge units are smaller. N:M prunes single weights, at most so many of each four along k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.sparsity import PatternName
from soc_sim.sparsity.bitmap import Bitmap, extents
from soc_sim.sparsity.patterns import GROUP


@dataclass(frozen=True)
class Units:
    """The units of one matrix W, m × k: row blocks of ``height`` rows, each cut into pieces ``width`` columns wide."""

    m: int
    k: int
    height: int
    width: int
    most_per_group: int | None = None
    """Of N:M: how many weights of each four along k may go."""

    @cached_property
    def heights(self) -> NDArray[np.int64]:
        """Rows of each block."""
        return extents(self.m, self.height)

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """Columns of each unit of a block."""
        return extents(self.k, self.width)

    @cached_property
    def unit_of_column(self) -> NDArray[np.int64]:
        """For each column of W the unit it belongs to."""
        return np.arange(self.k) // self.width

    def rows(self, block: int) -> slice:
        """The rows of a block."""
        return slice(block * self.height, min(self.m, (block + 1) * self.height))

    def kept(self, mask: Bitmap) -> Bitmap:
        """Which units hold a weight that is kept, blocks × units; ``mask`` is m × k."""
        rows = np.logical_or.reduceat(mask, np.arange(0, self.m, self.height), axis=0)
        return np.logical_or.reduceat(rows, np.arange(0, self.k, self.width), axis=1)

    def mask(self, kept: Bitmap) -> Bitmap:
        """The weights, m × k, of the units that are kept, blocks × units."""
        return kept.repeat(self.heights, axis=0).repeat(self.widths, axis=1)

    def allowed(self, kept: Bitmap) -> int:
        """How many of a block's units may still go; ``kept`` are those of the block."""
        if self.most_per_group is None:
            return int(kept.sum())
        starts = np.arange(0, self.k, GROUP)
        gone = np.add.reduceat(~kept, starts, dtype=np.int64)
        return int(np.maximum(np.minimum(self.most_per_group, extents(self.k, GROUP)) - gone, 0).sum())


def units_of(pattern: PatternName, m: int, k: int, *, rows: int, cols: int, level: float = 1.0) -> Units:
    """The units of a pattern on an array of ``rows`` × ``cols`` PEs.

    Args:
        pattern: As in :func:`soc_sim.sparsity.patterns.prune`.
        m: Rows of W.
        k: Columns of W.
        rows: PE rows of the array, R.
        cols: PE columns of the array, C.
        level: Of N:M: the share of zeros, rounded to quarters.
    """
    match pattern:
        case "unstructured":
            return Units(m, k, 1, 1)
        case "tile_columns":
            return Units(m, k, rows, 1)
        case "tile_rows":
            return Units(m, k, 1, rows)
        case "channels":
            return Units(m, k, 1, k)
        case "blocks":
            return Units(m, k, rows, cols)
        case "n_of_m":
            return Units(m, k, 1, 1, most_per_group=round(level * GROUP))
