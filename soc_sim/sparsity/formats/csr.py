"""Compressed sparse rows: the values of each row with their columns, and where each row begins. Knows no tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.formats.base import FormatSize, Matrix, index_bits


@dataclass(frozen=True, slots=True)
class CsrMatrix:
    """Three arrays: a column index per value, a row pointer per row and one more, the values."""

    shape: tuple[int, int]
    columns: npt.NDArray[Any]
    row_pointers: npt.NDArray[Any]
    values: Matrix

    @property
    def size(self) -> FormatSize:
        """A column index tells K columns apart; a row pointer holds 0 to the number of values."""
        column_bits, pointer_bits = index_bits(self.shape[1]), index_bits(len(self.values) + 1)
        return FormatSize(
            metadata_bits=self.columns.size * column_bits + self.row_pointers.size * pointer_bits,
            values=self.values.size,
        )

    def decode(self) -> Matrix:
        """The matrix with its zeros."""
        matrix = np.zeros(self.shape, dtype=self.values.dtype)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.row_pointers))
        matrix[rows, self.columns] = self.values
        return matrix


@dataclass(frozen=True, slots=True)
class Csr:
    """Compressed sparse rows."""

    name: str = "csr"

    def encode(self, matrix: Matrix, rows: int, cols: int) -> CsrMatrix:  # noqa: ARG002 — knows no tiles
        """The non-zero elements, row by row."""
        nonzero = matrix != 0
        row_pointers = np.concatenate(([0], np.cumsum(np.count_nonzero(nonzero, axis=1))))
        return CsrMatrix((matrix.shape[0], matrix.shape[1]), np.nonzero(nonzero)[1], row_pointers, matrix[nonzero])

    def size(self, nonzero: Bitmap, rows: int, cols: int) -> FormatSize:  # noqa: ARG002
        """The non-zero values, ⌈log2 K⌉ bits for each, and (M + 1) · ⌈log2 (nnz + 1)⌉ bits of row pointers."""
        m, k = nonzero.shape
        values = int(np.count_nonzero(nonzero))
        return FormatSize(metadata_bits=values * index_bits(k) + (m + 1) * index_bits(values + 1), values=values)
