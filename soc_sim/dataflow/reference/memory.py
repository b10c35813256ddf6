"""What the load units read: both operands, behind the decompression unit (DecU), with every access counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soc_sim.dataflow.reference.grid import PAD, Padding, Word

Index = int | Padding
"""A position in an operand, or one that exists only because the grid is larger than the tile."""
Matrix = Sequence[Sequence[int | float]]


@dataclass(slots=True)
class Memory:
    """W and X. Padding is made by the load units and is no access."""

    weights: Matrix
    inputs: Matrix
    decompresses: bool
    """Whether the DecU knows the zeros of W; if so it answers them itself."""
    weight_words: int = 0
    input_words: int = 0
    zeros_injected: int = 0

    def weight(self, m: Index, k: Index) -> Word:
        """Element of W for a load unit."""
        if isinstance(m, Padding) or isinstance(k, Padding):
            return PAD
        if self.decompresses and not self.weights[m][k]:
            self.zeros_injected += 1
            return 0
        self.weight_words += 1
        return self.weights[m][k]

    def input(self, k: Index, n: Index) -> Word:
        """Element of X for a load unit."""
        if isinstance(k, Padding) or isinstance(n, Padding):
            return PAD
        self.input_words += 1
        return self.inputs[k][n]


@dataclass(slots=True)
class BlockDiagonal(Memory):
    """W of several groups on the diagonal. Off it, the load unit makes a word that no PE multiplies by."""

    block: tuple[int, int] = (1, 1)
    """Rows and columns of a group."""

    def weight(self, m: Index, k: Index) -> Word:
        """Element of W for a load unit."""
        if not isinstance(m, Padding) and not isinstance(k, Padding) and m // self.block[0] != k // self.block[1]:
            self.zeros_injected += 1
            return PAD
        return Memory.weight(self, m, k)
