"""Two-stage bitmap: a bit per column of a tile, a bit per element of each column that is not zero, then the values.

::

    tile         column bits    element bits of columns 0 and 2    values
    5 0 0        1 0 1          1 0   0 1                          5 7
    0 0 7

The controller reads the column bits to know what to skip; the decompression unit reads the element bits to know which
zeros to inject.

Status: the three arrays are published (FlexiSAGA, arXiv 2506.01566); the widths of their elements are reconstructed
here: one bit each, so that a tile takes C + R · cols + b · nnz bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from soc_sim.sparsity.bitmap import Bitmap, any_in_row_blocks, extents
from soc_sim.sparsity.formats.base import FormatSize, Matrix


@dataclass(frozen=True, slots=True)
class BitmapTile:
    """One weight tile."""

    column_bits: Bitmap
    """Whether each column has a value."""
    element_bits: Bitmap
    """Rows × kept columns: whether each element is a value."""
    values: Matrix
    """Column after column."""

    @classmethod
    def encode(cls, tile: Matrix) -> BitmapTile:
        """Keeps what is not zero."""
        nonzero = tile != 0
        columns = nonzero.any(axis=0)
        return cls(columns, nonzero[:, columns], tile.T[nonzero.T])

    def decode(self) -> Matrix:
        """The tile with its zeros."""
        tile = np.zeros((self.element_bits.shape[0], self.column_bits.size), dtype=self.values.dtype)
        kept = np.zeros(self.element_bits.shape[::-1], dtype=self.values.dtype)
        kept[self.element_bits.T] = self.values
        tile[:, self.column_bits] = kept.T
        return tile


@dataclass(frozen=True, slots=True)
class BitmapMatrix:
    """All tiles, in rows of tiles."""

    tiles: tuple[tuple[BitmapTile, ...], ...]

    @property
    def size(self) -> FormatSize:
        """One bit per entry of the two bit arrays."""
        return FormatSize(
            metadata_bits=sum(tile.column_bits.size + tile.element_bits.size for tile in self._all()),
            values=sum(tile.values.size for tile in self._all()),
        )

    def decode(self) -> Matrix:
        """The matrix with its zeros."""
        return np.block([[tile.decode() for tile in row] for row in self.tiles])

    def _all(self) -> Iterator[BitmapTile]:
        return (tile for row in self.tiles for tile in row)


@dataclass(frozen=True, slots=True)
class TwoStageBitmap:
    """Column bits, element bits, values."""

    name: str = "two_stage_bitmap"

    def encode(self, matrix: Matrix, rows: int, cols: int) -> BitmapMatrix:
        """Tile by tile."""
        m, k = matrix.shape
        return BitmapMatrix(
            tuple(
                tuple(BitmapTile.encode(matrix[i : i + rows, j : j + cols]) for j in range(0, k, cols))
                for i in range(0, m, rows)
            )
        )

    def size(self, nonzero: Bitmap, rows: int, cols: int) -> FormatSize:  # noqa: ARG002 — tiles side by side sum up to K
        """K column bits per row block, R element bits per non-zero column of it, and the non-zero values."""
        m, k = nonzero.shape
        kept = any_in_row_blocks(nonzero, rows).sum(axis=1)
        return FormatSize(
            metadata_bits=kept.size * k + int((extents(m, rows) * kept).sum()),
            values=int(np.count_nonzero(nonzero)),
        )
