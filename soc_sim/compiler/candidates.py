"""Tile sizes worth a look, from ladders that depend on the layer and the grid, never on the buffers.

A larger buffer therefore chooses among all that a smaller one could, and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.nest import Nest, Window
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Array
from soc_sim.dataflow.packed import packable


def _ladder(limit: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24, ... up to ``limit``."""
    steps, power = [1], 2
    while power <= limit:
        steps += [power, power * 3 // 2] if power > 1 else [power]
        power *= 2
    return [step for step in steps if step <= limit]


def _sizes(total: int, unit: int) -> list[int]:
    """Powers of two below ``unit``, ladder multiples of it, and ``total``."""
    small = [1 << bit for bit in range(unit.bit_length()) if 1 << bit < min(unit, total)]
    return sorted({*small, *(unit * step for step in _ladder(total // unit)), total})


def _shares(total: int) -> list[int]:
    """``total`` cut into 1, 2, 3, 4, 6, 8, ... parts."""
    return sorted({-(-total // parts) for parts in (*_ladder(total), total)})


@dataclass(frozen=True, slots=True)
class Spatial:
    """Candidates of images × output rows × output columns; one entry each, and what follows from them."""

    images: Integers
    rows: Integers
    cols: Integers
    tiles: Integers
    tile_in_rows: Integers
    """Largest number of input rows a tile reads; padding is not read."""
    tile_in_cols: Integers
    pixels_read: Integers
    """Input pixels that all tiles together read, overlaps counted each time."""

    @property
    def n(self) -> Integers:
        """Columns of the GEMM in a full tile."""
        return self.images * self.rows * self.cols


@dataclass(frozen=True, slots=True)
class Blocks:
    """Candidates of groups × output channels × input channels."""

    groups: Integers
    m: Integers
    channels: Integers
    side_by_side: NDArray[np.bool_]
    """Whether the groups of a tile lie side by side on the array, or run one after another."""


def spatial(nest: Nest, array: Array) -> Spatial:
    """Whole images where a tile has several; bands of rows; parts of rows."""
    rows, cols = nest.rows, nest.cols
    entries = [(images, rows.size, cols.size) for images in _shares(nest.images) if images > 1]
    row_sizes = _sizes(rows.size, array.cols) if cols.size == 1 else _shares(rows.size)
    col_sizes = _shares(cols.size)
    wide = set(col_sizes[-3:])
    entries += [(1, r, c) for r in row_sizes for c in col_sizes if c in wide or r <= 2]
    images_, rows_, cols_ = (np.array(sizes, np.int64) for sizes in zip(*entries, strict=True))
    in_rows = {size: _reads(rows, size) for size in set(row_sizes) | {rows.size}}
    in_cols = {size: _reads(cols, size) for size in col_sizes}
    count = -(-nest.images // images_) * -(-rows.size // rows_) * -(-cols.size // cols_)
    largest_rows, total_rows = np.array([in_rows[entry[1]] for entry in entries], np.int64).T
    largest_cols, total_cols = np.array([in_cols[entry[2]] for entry in entries], np.int64).T
    return Spatial(images_, rows_, cols_, count, largest_rows, largest_cols, nest.images * total_rows * total_cols)


def _reads(window: Window, size: int) -> tuple[int, int]:
    """Inputs that blocks of ``size`` outputs read: the largest block's, and the sum over all blocks."""
    extents = []
    for start in range(0, window.size, size):
        low, high = window.reads(start, min(window.size, start + size))
        extents.append(high - low)
    return max(extents), sum(extents)


def blocks(nest: Nest, array: Array, *, side_by_side: bool = True) -> Blocks:
    """Blocks of one group; or several whole groups, one after another or, if wanted, side by side on the array."""
    entries = [
        (1, m, channels, False)
        for m in _sizes(nest.m, array.rows)
        for channels in _sizes(nest.channels, max(array.rows, array.cols))
    ]
    several = [groups for groups in _shares(nest.groups) if groups > 1]
    entries += [(groups, nest.m, nest.channels, False) for groups in several]
    if side_by_side and packable(array, nest.groups, nest.m):
        entries += [(groups, nest.m, nest.channels, True) for groups in several]
    groups, m, channels = (np.array([entry[i] for entry in entries], np.int64) for i in range(3))
    return Blocks(groups, m, channels, np.array([entry[3] for entry in entries]))


def edges(total: int, size: int) -> Sequence[tuple[int, int]]:
    """Extents of the blocks of ``size`` that cover ``total``: (extent, how many)."""
    full, rest = divmod(total, size)
    return [(extent, count) for extent, count in ((size, full), (rest, 1)) if extent and count]
