"""How a dimension of a GEMM is cut into folds: blocks of at most the grid's extent, the last one shorter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import Array
from soc_sim.dataflow.base import Bitmap, Size


def blocks(size: Size, extent: int) -> Size:
    """Number of blocks of at most ``extent`` that cover ``size``."""
    return -(-size // extent)


def occupied(array: Array, size: Size, extent: int) -> Size:
    """PEs along one edge of the grid that folds pay for, summed over the blocks of ``size``.

    The blocks' own extents sum to ``size``; with ``edge_tiles: full`` each block pays for the whole ``extent``.
    """
    return size if array.edge_tiles == "actual" else blocks(size, extent) * extent


def extents(size: int, extent: int) -> npt.NDArray[np.int64]:
    """The extent of each block: full ones, then the rest."""
    return np.minimum(extent, size - np.arange(0, size, extent))


def any_in_row_blocks(nonzero: Bitmap, extent: int) -> Bitmap:
    """For each block of ``extent`` rows and each column: whether one of its elements is not zero (blocks × columns)."""
    rows, cols = nonzero.shape
    whole = rows // extent * extent
    kept: Bitmap = np.logical_or.reduce(nonzero[:whole].reshape(rows // extent, extent, cols), axis=1)
    return kept if whole == rows else np.vstack([kept, np.logical_or.reduce(nonzero[whole:])])
