"""The edges of the grid: load units feed the left column and the top row, store units empty the right and the bottom.

Each unit moves at most one word per cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from soc_sim.dataflow.reference.grid import Link, Padding, Word


class LoadUnits:
    """The load units of one edge, each with its own sequence of words."""

    def __init__(self, sequences: Sequence[Sequence[Word]], *, skewed: bool) -> None:
        """Hands each unit its words; if skewed, unit i starts i cycles after unit 0."""
        self._sequences = sequences
        self._delay = 1 if skewed else 0
        self._cycle = 0
        self._last_cycle = max(len(words) + unit * self._delay for unit, words in enumerate(sequences))

    @property
    def done(self) -> bool:
        """Whether every word has entered the grid."""
        return self._cycle >= self._last_cycle

    def emit(self) -> list[Link]:
        """The words that enter the grid in this cycle."""
        words = [self._word(unit) for unit in range(len(self._sequences))]
        self._cycle += 1
        return words

    def _word(self, unit: int) -> Link:
        position = self._cycle - unit * self._delay
        sequence = self._sequences[unit]
        return sequence[position] if 0 <= position < len(sequence) else None


Address = tuple[int, int]
"""An element (m, n) of O."""


@dataclass(slots=True)
class OutputBuffer:
    """Where partial sums meet: the first word for an element is written, later ones are added to it."""

    elements: dict[Address, int | float] = field(default_factory=dict)
    writes: int = 0
    reads: int = 0

    def add(self, address: Address, value: int | float) -> None:
        """Writes; or reads, adds and writes."""
        if address in self.elements:
            self.reads += 1
            value = self.elements[address] + value
        self.elements[address] = value
        self.writes += 1


class StoreUnits:
    """The store units of one edge: each knows which elements of O arrive, in which order."""

    def __init__(self, addresses: Sequence[Sequence[Address | Padding]], buffer: OutputBuffer) -> None:
        self._expected = [list(reversed(sequence)) for sequence in addresses]
        self._buffer = buffer

    @property
    def done(self) -> bool:
        """Whether everything has arrived."""
        return not any(self._expected)

    def absorb(self, words: Sequence[Link]) -> None:
        """Takes the words that left the grid in this cycle; padding is dropped."""
        for expected, word in zip(self._expected, words, strict=True):
            if word is None:
                continue
            address = expected.pop()
            if not isinstance(word, Padding) and not isinstance(address, Padding):
                self._buffer.add(address, word)
