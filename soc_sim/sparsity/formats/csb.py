"""Compressed structured blocks: per tile its kept rows, its kept columns, and the dense kernel where they cross.

::

    tile        kept rows   kept columns   kernel
    5 0 0       0 1         0 2            5 0
    0 0 7                                  0 7

Meant for tiles pruned by whole rows and columns; zeros inside the kernel are stored. A tile carries its two counts, so
that tiles can be found one after another.

Source: R. Shi et al., "CSB-RNN: A Faster-than-Realtime RNN Acceleration Framework with Compressed Structured Blocks",
arXiv 2005.05758. The widths are reconstructed here: ⌈log2 R⌉ bits per kept row, ⌈log2 C⌉ per kept column, and counters
that hold 0 to R and 0 to C.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.sparsity.bitmap import Bitmap, any_in_column_blocks, any_in_row_blocks
from soc_sim.sparsity.formats.base import FormatSize, Matrix, index_bits


@dataclass(frozen=True, slots=True)
class CsbTile:
    """One weight tile."""

    shape: tuple[int, int]
    kept_rows: npt.NDArray[Any]
    kept_cols: npt.NDArray[Any]
    kernel: Matrix

    @classmethod
    def encode(cls, tile: Matrix) -> CsbTile:
        """Keeps rows and columns that are not zero."""
        nonzero = tile != 0
        rows, cols = np.flatnonzero(nonzero.any(axis=1)), np.flatnonzero(nonzero.any(axis=0))
        return cls((tile.shape[0], tile.shape[1]), rows, cols, tile[np.ix_(rows, cols)])

    def decode(self) -> Matrix:
        """The tile with its zeros."""
        tile = np.zeros(self.shape, dtype=self.kernel.dtype)
        tile[np.ix_(self.kept_rows, self.kept_cols)] = self.kernel
        return tile


@dataclass(frozen=True, slots=True)
class CsbMatrix:
    """All tiles, in rows of tiles."""

    rows: int
    cols: int
    tiles: tuple[tuple[CsbTile, ...], ...]

    @property
    def size(self) -> FormatSize:
        """Indices, two counters a tile, and the kernels."""
        counters = index_bits(self.rows + 1) + index_bits(self.cols + 1)
        return FormatSize(
            metadata_bits=sum(
                tile.kept_rows.size * index_bits(self.rows) + tile.kept_cols.size * index_bits(self.cols) + counters
                for tile in self._all()
            ),
            values=sum(tile.kernel.size for tile in self._all()),
        )

    def decode(self) -> Matrix:
        """The matrix with its zeros."""
        return np.block([[tile.decode() for tile in row] for row in self.tiles])

    def _all(self) -> Iterator[CsbTile]:
        return (tile for row in self.tiles for tile in row)


@dataclass(frozen=True, slots=True)
class Csb:
    """Compressed structured blocks."""

    name: str = "csb"

    def encode(self, matrix: Matrix, rows: int, cols: int) -> CsbMatrix:
        """Tile by tile."""
        m, k = matrix.shape
        return CsbMatrix(
            rows,
            cols,
            tuple(
                tuple(CsbTile.encode(matrix[i : i + rows, j : j + cols]) for j in range(0, k, cols))
                for i in range(0, m, rows)
            ),
        )

    def size(self, nonzero: Bitmap, rows: int, cols: int) -> FormatSize:
        """For every tile with p kept rows and q kept columns: p · ⌈log2 R⌉ + q · ⌈log2 C⌉, counters, p · q values."""
        m, k = nonzero.shape
        row_starts, col_starts = np.arange(0, m, rows), np.arange(0, k, cols)
        p = np.add.reduceat(any_in_column_blocks(nonzero, cols), row_starts, axis=0, dtype=np.int64)
        q = np.add.reduceat(any_in_row_blocks(nonzero, rows), col_starts, axis=1, dtype=np.int64)
        counters = index_bits(rows + 1) + index_bits(cols + 1)
        return FormatSize(
            metadata_bits=int(p.sum()) * index_bits(rows) + int(q.sum()) * index_bits(cols) + p.size * counters,
            values=int((p * q).sum()),
        )
