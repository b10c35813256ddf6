"""Folds that overlap: a shadow register and a second link per PE, clock by clock.

A word carries the number of its fold, as the controller would know it. Every place (a link, a register, a store unit)
takes one word at a time; two words for one place are a conflict, and so is a word that is not there when it is needed.
Input stationary is weight stationary with rows and columns exchanged: one model does for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from soc_sim.dataflow.overlap import output_starts, stationary_starts
from soc_sim.dataflow.reference.edges import Address, OutputBuffer
from soc_sim.dataflow.reference.grid import PE, Link, Padding, Word
from soc_sim.dataflow.reference.memory import Memory
from soc_sim.dataflow.reference.movements import FoldRun, Indices, address_of

T = TypeVar("T")
Tagged = tuple[int, Word]
"""A fold's number and a word of it."""
Place = tuple[int, int]
"""Row and column of a PE; an edge unit is in row or column 0."""


class ConflictError(Exception):
    """The folds follow one another too closely."""


class Places(dict[Place, Tagged]):
    """What lies in one kind of place: the incoming links or the shadow registers of all PEs, or the store units."""

    def put(self, place: Place, word: Tagged) -> None:
        """Takes a word if the place is free."""
        if place in self:
            raise ConflictError(f"two words in one place: {self[place]} and {word} at {place}")
        self[place] = word

    def value(self, place: Place, fold: int) -> Word:
        """Gives the word away, which must be one of this fold."""
        number, word = self.pop(place, (-1, 0))
        if number != fold:
            raise ConflictError(f"the word of fold {fold} has not reached {place}")
        return word


@dataclass(frozen=True, slots=True)
class OverlappedFold:
    """A fold that starts to stream in a given cycle.

    Stationary operand: ``side`` is the tile that each row preloads, one word per column; ``above`` the stream of each
    column; ``addresses`` what leaves each row. Outputs: ``side`` and ``above`` are the streams of each row and column;
    ``addresses`` what leaves each column.
    """

    start: int
    side: Sequence[Sequence[Word]]
    above: Sequence[Sequence[Word]]
    addresses: Sequence[Sequence[Address | Padding]]


def run_overlapped(
    family: str, memory: Memory, buffer: OutputBuffer, folds: Sequence[tuple[Indices, Indices, Indices]]
) -> FoldRun:
    """Runs all folds of a GEMM, given as their indices (ms, ks, ns), each stream as early as possible."""
    overlapped = place_folds(family, memory, folds)
    return (run_output_stationary if family == "OS" else run_stationary)(overlapped, buffer)


def place_folds(family: str, memory: Memory, folds: Sequence[tuple[Indices, Indices, Indices]]) -> list[OverlappedFold]:
    """The words of each fold, and when its stream starts according to ``soc_sim.dataflow.overlap``."""
    m, k, n = (np.array([len(fold[part]) for fold in folds], dtype=np.int64) for part in range(3))
    starts = {"OS": output_starts(k, m), "WS": stationary_starts(n, k), "IS": stationary_starts(m, k)}[family]
    placed = []
    for start, (ms, ks, ns) in zip(starts.tolist(), folds, strict=True):
        w = [[memory.weight(m, k) for k in ks] for m in ms]
        x = [[memory.input(k, n) for n in ns] for k in ks]
        by_row = [[address_of(m, n) for n in ns] for m in ms]
        match family:
            case "OS":
                placed.append(OverlappedFold(start, w, _exchanged(x), _exchanged(by_row[::-1])))
            case "WS":
                placed.append(OverlappedFold(start, w, x, by_row))
            case _:
                placed.append(OverlappedFold(start, _exchanged(x), _exchanged(w), _exchanged(by_row)))
    return placed


def _exchanged(matrix: Sequence[Sequence[T]]) -> list[list[T]]:
    """Columns as rows."""
    return [list(column) for column in zip(*matrix, strict=True)]


def run_stationary(folds: Sequence[OverlappedFold], buffer: OutputBuffer) -> FoldRun:
    """Runs weight-stationary folds, or input-stationary ones with rows and columns exchanged.

    The preload of a fold ends when its stream starts; row i does both i cycles late.

    Raises:
        ConflictError: A stream starts too early.
    """
    pes: defaultdict[Place, PE] = defaultdict(PE)
    runs: dict[Place, int] = {}
    shadows, above, left, second = Places(), Places(), Places(), Places()
    expected = [[list(reversed(row)) for row in fold.addresses] for fold in folds]
    cycle = 0
    while any(map(any, expected)):
        strobed: dict[int, int] = {}
        for number, fold in enumerate(folds):
            cols = len(fold.above)
            for i, row in enumerate(fold.side):
                position = cycle - (fold.start - cols) - i
                if 0 <= position < cols:
                    second.put((i, 0), (number, row[cols - 1 - position]))
                    if position == cols - 1:
                        strobed[i] = number
            _enter(above, number, fold.above, cycle - fold.start, along=1)
        next_above, next_left, next_second, stores = Places(), Places(), Places(), Places()
        for (i, j), (number, value) in above.items():
            pe, fold = pes[i, j], folds[number]
            if runs.get((i, j)) != number:
                runs[i, j], pe.held = number, shadows.value((i, j), number)
            total = pe.multiply_add(pe.held, value, left.value((i, j), number) if j else None)
            if i + 1 < len(fold.side):
                next_above.put((i + 1, j), (number, value))
            assert total is not None  # noqa: S101 — held and value are there
            if j + 1 < len(fold.above):
                next_left.put((i, j + 1), (number, total))
            else:
                stores.put((i, 0), (number, total))
        for (i, j), word in second.items():
            if i in strobed:
                shadows.put((i, j), word)
            else:
                next_second.put((i, j + 1), word)
        for (i, _), (number, total) in stores.items():
            _store(buffer, expected[number][i].pop(), total)
        above, left, second = next_above, next_left, next_second
        cycle += 1
    return FoldRun(cycle, sum(pe.macs for pe in pes.values()))


def run_output_stationary(folds: Sequence[OverlappedFold], buffer: OutputBuffer) -> FoldRun:
    """Runs output-stationary folds; column j drains as soon as its lowest PE is complete.

    Raises:
        ConflictError: A stream starts too early.
    """
    pes: defaultdict[Place, PE] = defaultdict(PE)
    words: defaultdict[tuple[int, Place], int] = defaultdict(int)
    shadows, above, left, second = Places(), Places(), Places(), Places()
    expected = [[list(reversed(column)) for column in fold.addresses] for fold in folds]
    cycle = 0
    while any(map(any, expected)):
        next_above, next_left, next_second, stores = Places(), Places(), Places(), Places()
        for place, word in second.items():
            _down(place, word, folds, next_second, stores)
        for number, fold in enumerate(folds):
            _enter(left, number, fold.side, cycle - fold.start, along=0)
            _enter(above, number, fold.above, cycle - fold.start, along=1)
            drained = cycle - fold.start - len(fold.side[0]) - len(fold.side) + 1
            if 0 <= drained < len(fold.above):
                for i in range(len(fold.side)):
                    word = (number, shadows.value((i, drained), number))
                    _down((i, drained), word, folds, next_second, stores)
        for (i, j), (number, value) in above.items():
            pe, fold, weight = pes[i, j], folds[number], left.value((i, j), number)
            pe.held = pe.multiply_add(weight, value, pe.held)
            words[number, (i, j)] += 1
            if words[number, (i, j)] == len(fold.side[0]):
                assert pe.held is not None  # noqa: S101 — it was just added to
                shadows.put((i, j), (number, pe.held))
                pe.held = None
            if i + 1 < len(fold.side):
                next_above.put((i + 1, j), (number, value))
            if j + 1 < len(fold.above):
                next_left.put((i, j + 1), (number, weight))
        for (_, j), (number, total) in stores.items():
            _store(buffer, expected[number][j].pop(), total)
        above, left, second = next_above, next_left, next_second
        cycle += 1
    return FoldRun(cycle, sum(pe.macs for pe in pes.values()))


def _enter(links: Places, number: int, streams: Sequence[Sequence[Word]], cycle: int, along: int) -> None:
    """What the load units of one edge emit, unit i being i cycles late."""
    for unit, stream in enumerate(streams):
        if 0 <= cycle - unit < len(stream):
            links.put((0, unit) if along else (unit, 0), (number, stream[cycle - unit]))


def _down(place: Place, word: Tagged, folds: Sequence[OverlappedFold], links: Places, stores: Places) -> None:
    """A result on its way down the second links, or out of them."""
    i, j = place
    if i + 1 < len(folds[word[0]].side):
        links.put((i + 1, j), word)
    else:
        stores.put((0, j), word)


def _store(buffer: OutputBuffer, address: Address | Padding, value: Link) -> None:
    if value is not None and not isinstance(value, Padding) and not isinstance(address, Padding):
        buffer.add(address, value)
