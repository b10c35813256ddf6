"""One fold on the grid, clock by clock, for each of the three families.

Every function takes the indices that the fold covers (padding included, if the fold pays for the whole grid), steps the
grid until the last result has left, and says how long that took. No formula is used: the cycles, and the results, come
out of the words' movements alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soc_sim.dataflow.reference.edges import Address, LoadUnits, OutputBuffer, StoreUnits
from soc_sim.dataflow.reference.grid import PAD, PE, Grid, Link, Padding, Watch
from soc_sim.dataflow.reference.memory import Index, Memory

Indices = Sequence[Index]


@dataclass(frozen=True, slots=True)
class FoldRun:
    """What one fold took."""

    cycles: int
    macs: int


def output_stationary(
    memory: Memory, buffer: OutputBuffer, ms: Indices, ks: Indices, ns: Indices, watch: Watch | None = None
) -> FoldRun:
    """PE (i, j) sums up O[ms[i], ns[j]]: W passes to the right, X passes down, then the sums drain downwards."""
    grid = Grid(len(ms), len(ns), watch)
    left = LoadUnits([[memory.weight(m, k) for k in ks] for m in ms], skewed=True)
    top = LoadUnits([[memory.input(k, n) for k in ks] for n in ns], skewed=True)
    bottom = StoreUnits([[address_of(m, n) for m in reversed(ms)] for n in ns], buffer)
    while not (left.done and top.done) or grid.busy:
        grid.step(_sum_in_place, left.emit(), top.emit())
    while not bottom.done:
        _, words = grid.step(_drain, left.emit(), top.emit())
        bottom.absorb(words)
    return FoldRun(grid.cycles, grid.macs)


def weight_stationary(
    memory: Memory, buffer: OutputBuffer, ms: Indices, ks: Indices, ns: Indices, watch: Watch | None = None
) -> FoldRun:
    """PE (i, j) holds W[ms[i], ks[j]]: X passes down, partial sums pass to the right and leave there."""
    grid = Grid(len(ms), len(ks), watch)
    left = LoadUnits([[memory.weight(m, k) for k in reversed(ks)] for m in ms], skewed=False)
    top = LoadUnits([[memory.input(k, n) for n in ns] for k in ks], skewed=True)
    right = StoreUnits([[address_of(m, n) for n in ns] for m in ms], buffer)
    nothing: list[Link] = [None] * len(ks)
    while not left.done:
        words = left.emit()
        grid.step(_keep_from_left if left.done else _pass_right, words, nothing)
    while not right.done:
        words, _ = grid.step(_sum_to_right, left.emit(), top.emit())
        right.absorb(words)
    return FoldRun(grid.cycles, grid.macs)


def input_stationary(
    memory: Memory, buffer: OutputBuffer, ms: Indices, ks: Indices, ns: Indices, watch: Watch | None = None
) -> FoldRun:
    """PE (i, j) holds X[ks[i], ns[j]]: W passes to the right, partial sums pass down and leave there."""
    grid = Grid(len(ks), len(ns), watch)
    top = LoadUnits([[memory.input(k, n) for k in reversed(ks)] for n in ns], skewed=False)
    left = LoadUnits([[memory.weight(m, k) for m in ms] for k in ks], skewed=True)
    bottom = StoreUnits([[address_of(m, n) for m in ms] for n in ns], buffer)
    nothing: list[Link] = [None] * len(ks)
    while not top.done:
        words = top.emit()
        grid.step(_keep_from_top if top.done else _pass_down, nothing, words)
    while not bottom.done:
        _, words = grid.step(_sum_down, left.emit(), top.emit())
        bottom.absorb(words)
    return FoldRun(grid.cycles, grid.macs)


def address_of(m: Index, n: Index) -> Address | Padding:
    """The element of O that a row and a column of the fold make, unless one of them is padding."""
    return PAD if isinstance(m, Padding) or isinstance(n, Padding) else (m, n)


# The operations: what a PE does with the word from the left and the word from the top.


def _sum_in_place(pe: PE, weight: Link, value: Link) -> tuple[Link, Link]:
    pe.held = pe.multiply_add(weight, value, pe.held)
    return weight, value


def _drain(pe: PE, _: Link, from_top: Link) -> tuple[Link, Link]:
    # The first word down is the PE's own; after that it hands on what comes from above.
    own, pe.held = pe.held, None
    return None, from_top if own is None else own


def _pass_right(_: PE, weight: Link, __: Link) -> tuple[Link, Link]:
    return weight, None


def _keep_from_left(pe: PE, weight: Link, _: Link) -> tuple[Link, Link]:
    # Strobed in the cycle in which the last word enters: now every PE has its own word on its link.
    pe.held = weight
    return None, None


def _sum_to_right(pe: PE, partial: Link, value: Link) -> tuple[Link, Link]:
    return pe.multiply_add(pe.held, value, partial), value


def _pass_down(_: PE, __: Link, value: Link) -> tuple[Link, Link]:
    return None, value


def _keep_from_top(pe: PE, _: Link, value: Link) -> tuple[Link, Link]:
    pe.held = value
    return None, None


def _sum_down(pe: PE, weight: Link, partial: Link) -> tuple[Link, Link]:
    return weight, pe.multiply_add(weight, pe.held, partial)
