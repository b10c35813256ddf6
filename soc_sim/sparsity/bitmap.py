"""Bitmaps: which elements of a matrix are not zero, and what that means for blocks of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bitmap = npt.NDArray[np.bool_]
"""Rows × columns; true where an element is not zero."""


def extents(size: int, extent: int) -> npt.NDArray[np.int64]:
    """The extent of each block of ``size``: full ones, then the rest."""
    return np.minimum(extent, size - np.arange(0, size, extent))


def any_in_row_blocks(nonzero: Bitmap, extent: int) -> Bitmap:
    """For each block of ``extent`` rows and each column: whether one of its elements is not zero (blocks × columns)."""
    # Reshaping whole blocks is some fifty times faster than logical_or.reduceat along this axis.
    rows, cols = nonzero.shape
    whole = rows // extent * extent
    kept: Bitmap = np.logical_or.reduce(nonzero[:whole].reshape(rows // extent, extent, cols), axis=1)
    return kept if whole == rows else np.vstack([kept, np.logical_or.reduce(nonzero[whole:])])


def any_in_column_blocks(nonzero: Bitmap, extent: int) -> Bitmap:
    """For each row and each block of ``extent`` columns: whether one of its elements is not zero (rows × blocks)."""
    kept: Bitmap = np.logical_or.reduceat(nonzero, np.arange(0, nonzero.shape[1], extent), axis=1)
    return kept
