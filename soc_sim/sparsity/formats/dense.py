"""Dense: every element, zeros included, and no metadata."""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.formats.base import FormatSize, Matrix


@dataclass(frozen=True, slots=True)
class DenseMatrix:
    """The elements, row by row."""

    values: Matrix

    @property
    def size(self) -> FormatSize:
        """Values only."""
        return FormatSize(metadata_bits=0, values=self.values.size)

    def decode(self) -> Matrix:
        """The matrix itself."""
        return self.values


@dataclass(frozen=True, slots=True)
class Dense:
    """Every element."""

    name: str = "dense"

    def encode(self, matrix: Matrix, rows: int, cols: int) -> DenseMatrix:  # noqa: ARG002 — one tile is as good as many
        """The matrix, copied."""
        return DenseMatrix(matrix.copy())

    def size(self, nonzero: Bitmap, rows: int, cols: int) -> FormatSize:  # noqa: ARG002
        """M · K values."""
        return FormatSize(metadata_bits=0, values=nonzero.size)
