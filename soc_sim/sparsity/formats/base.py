"""What every weight format answers: how large a matrix gets, and what it looks like encoded.

A format cuts W into weight tiles of R rows and C columns, as the array does; tiles at the edges are smaller, and so are
their arrays. Sizes are exact bits of what would lie in memory, metadata included; alignment is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from soc_sim.sparsity.bitmap import Bitmap

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class FormatSize:
    """What an encoded matrix takes."""

    metadata_bits: int
    """Bits that say where the values belong."""
    values: int
    """Stored elements, each as wide as a weight."""

    def bits(self, value_bits: int) -> int:
        """All bits, for weights of ``value_bits``."""
        return self.metadata_bits + self.values * value_bits


class Encoded(Protocol):
    """A matrix in a format."""

    @property
    def size(self) -> FormatSize:
        """Counted from the stored arrays."""

    def decode(self) -> Matrix:
        """The matrix that was encoded."""


class Format(Protocol):
    """One way to store a matrix with zeros."""

    @property
    def name(self) -> str:
        """What configurations and results call it."""

    def encode(self, matrix: Matrix, rows: int, cols: int) -> Encoded:
        """The matrix, cut into tiles of ``rows`` × ``cols``."""

    def size(self, nonzero: Bitmap, rows: int, cols: int) -> FormatSize:
        """The size of the encoded matrix, from its bitmap alone: quick enough for a whole layer."""


def index_bits(choices: int) -> int:
    """Bits that tell ``choices`` things apart: ⌈log2 choices⌉."""
    return (choices - 1).bit_length()
