"""The grid: R × C processing elements that exchange one word per link and cycle, to the right and downwards.

A cycle: every PE takes the word on its left link and the word on its top link, performs one operation, and puts at most
one word on its right link and one on its bottom link. The neighbours see these words in the next cycle. That is all the
hardware can do; a dataflow is a choice of operations and of the words that enter at the edges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Padding(Enum):
    """A word without a value: it fills a tile that is smaller than the grid."""

    PAD = "·"


PAD = Padding.PAD
Word = int | float | Padding
Link = Word | None
"""What a link carries in one cycle; ``None`` is nothing."""


@dataclass(slots=True)
class PE:
    """A register file and an ALU."""

    held: Link = None
    """The stationary operand, or the output that grows here."""
    macs: int = 0
    """Multiply-accumulates so far."""

    def multiply_add(self, weight: Link, value: Link, addend: Link) -> Link:
        """``addend + weight · value``; padding takes no part, and a missing addend counts as zero."""
        if weight is None or value is None:
            return addend
        if isinstance(weight, Padding) or isinstance(value, Padding):
            return PAD if addend is None else addend
        self.macs += 1
        product = weight * value
        return product if addend is None or isinstance(addend, Padding) else addend + product


Operation = Callable[[PE, Link, Link], tuple[Link, Link]]
"""What a PE does in one cycle: (itself, word from the left, word from the top) to (word right, word down)."""


class Grid:
    """PEs and the links between them."""

    def __init__(self, rows: int, cols: int, watch: Watch | None = None) -> None:
        """``watch`` is told after every cycle."""
        self._watch = watch
        self.pes = [[PE() for _ in range(cols)] for _ in range(rows)]
        self._right: list[list[Link]] = [[None] * cols for _ in range(rows)]
        self._down: list[list[Link]] = [[None] * cols for _ in range(rows)]
        self.cycles = 0
        """Steps so far."""

    def step(self, operation: Operation, left: Sequence[Link], top: Sequence[Link]) -> tuple[list[Link], list[Link]]:
        """One clock cycle.

        Args:
            operation: What every PE does.
            left: The word that enters each row.
            top: The word that enters each column.

        Returns:
            The words that leave by the right edge (one per row) and by the bottom edge (one per column).
        """
        right, down = self._right, self._down
        moves = [
            [
                operation(pe, right[i][j - 1] if j else left[i], down[i - 1][j] if i else top[j])
                for j, pe in enumerate(row)
            ]
            for i, row in enumerate(self.pes)
        ]
        self._right = [[to_right for to_right, _ in row] for row in moves]
        self._down = [[to_bottom for _, to_bottom in row] for row in moves]
        self.cycles += 1
        if self._watch is not None:
            self._watch(self, left, top)
        return [row[-1] for row in self._right], self._down[-1]

    @property
    def links(self) -> tuple[list[list[Link]], list[list[Link]]]:
        """The words that PEs have put on their right and on their bottom links."""
        return self._right, self._down

    @property
    def busy(self) -> bool:
        """Whether a word is on its way from one PE to another."""
        return any(word is not None for row in self._right for word in row[:-1]) or any(
            word is not None for row in self._down[:-1] for word in row
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all PEs so far."""
        return sum(pe.macs for row in self.pes for pe in row)


Watch = Callable[[Grid, Sequence[Link], Sequence[Link]], None]
"""Sees the grid after a cycle, and what entered by the left and by the top edge."""
