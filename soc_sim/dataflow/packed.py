"""Several groups side by side on the array: one GEMM whose W is block-diagonal.

A grouped convolution is a small GEMM for each group, in the extreme (depthwise) with one row and as many columns as the
kernel has elements: nearly all of the grid idles. Packed, the rows of the groups lie below one another, their columns
and the rows of X side by side::

              X of a │ X of b │ X of c          W =  a · ·       O =  O of a
              ▼ ▼ ▼    ▼ ▼ ▼    ▼ ▼ ▼                · b ·            O of b
    W[a] ─►  a a a   ·  ·  ·   ·  ·  ·               · · c            O of c

Off the diagonal there is nothing to multiply: the load unit makes the word itself (counted as an injected zero, no
access), and the PE that meets it passes on what comes by (its *move* operation: no multiply-accumulate). A fold takes
as many cycles as any other of its extents:

- WS: columns of all groups in a row, C to a fold, however the groups lie in it; only the rows of groups that have a
  column in the fold take part, at most R. 2c + r + N − 2 cycles.
- OS: as many whole groups as have room in R rows; the K of all of them stream one after another. K + 2r + c − 2.
- IS: rows of X of all groups, R to a fold; the rows of W stream whose group has one there. 2r + c + M − 2.

So WS takes ⌈G·k/C⌉ folds where one GEMM for each group takes G·⌈k/C⌉, and OS pays skew and drain once for many groups.
The top edge takes C words a cycle, and each word of X meets the m rows of its group only: more than m of the R rows
cannot be busy on average, whatever the dataflow.

Left out: sparse dataflows (they execute one group after another), groups of more than R/2 rows.

Status: reconstructed here. ``reference.run_packed`` proves the counts and the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import Array, DataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied, paid
from soc_sim.dataflow.overlap import output_cycles, stationary_cycles
from soc_sim.dataflow.schedule import Fold

Sizes = npt.NDArray[np.int64]


def packable(array: Array, groups: int, m: int) -> bool:
    """Whether at least two groups of m rows fit side by side."""
    return groups > 1 and 2 * m <= array.rows


@dataclass(frozen=True, slots=True)
class _Block:
    """Columns ``start`` to ``stop`` of all groups' columns in a row, and the groups that have one of them."""

    start: int
    stop: int
    first: int
    last: int


@lru_cache(maxsize=4096)
def _blocks(name: DataflowName, array: Array, groups: int, m: int, k: int) -> tuple[_Block, ...]:
    """The parts of the packed K, in order."""
    most, found, start = array.rows // m, [], 0
    while start < groups * k:
        first = start // k
        match name:
            case "dOS":
                stop = (first + most) * k
            case "dWS":
                stop = min(start + array.cols, (first + most) * k)
            case _:
                stop = start + array.rows
        stop = min(stop, groups * k)
        found.append(_Block(start, stop, first, (stop - 1) // k))
        start = stop
    return tuple(found)


def packed_schedule(name: DataflowName, array: Array, groups: int, m: int, k: int, n: int) -> Iterator[Fold]:
    """The folds of ``groups`` GEMMs of m × k × n; row g·m + i is row i of group g, and so for columns."""
    columns = [range(start, min(n, start + array.cols)) for start in range(0, n, array.cols)]
    parts = [
        (range(part.first * m, (part.last + 1) * m), range(part.start, part.stop))
        for part in _blocks(name, array, groups, m, k)
    ]
    match name:
        case "dOS":
            return (Fold(ms, ks, ns) for ms, ks in parts for ns in columns)
        case "dWS":
            return (Fold(ms, ks, range(n)) for ms, ks in parts)
        case _:
            return (Fold(ms, ks, ns) for ns in columns for ms, ks in parts)


def packed_counts(name: DataflowName, array: Array, groups: int, m: int, k: int, n: Size) -> GemmCounts:
    """Counts of ``groups`` GEMMs W[m,k] · X[k,n] packed side by side; ``n`` may be an array.

    ``zeros_injected`` are the words off the diagonal. Multiply-accumulates are those of the groups alone.
    """
    parts = _blocks(name, array, groups, m, k)
    columns = np.array([part.stop - part.start for part in parts], np.int64)
    rows = m * np.array([part.last - part.first + 1 for part in parts], np.int64)
    weights, entering, sums = groups * m * k, int((rows * columns).sum()), int(rows.sum())
    passes = 1 if name == "dWS" else blocks(n, array.cols)
    folds = len(parts) * passes
    return GemmCounts(
        cycles=_cycles(name, array, rows, columns, n),
        folds=folds + 0 * n,
        macs=weights * n,
        weight_words=weights * passes + 0 * n,
        input_words=groups * k * n,
        output_words=sums * n,
        accumulator_reads=(sums - groups * m) * n,
        zeros_injected=(entering - weights) * passes + 0 * n,
    )


def _cycles(name: DataflowName, array: Array, rows: Sizes, columns: Sizes, n: Size) -> Size:
    """Cycles of all folds; ``rows`` and ``columns`` are the extents of W that each part covers."""
    full = array.edge_tiles == "full"
    if array.tile_overlap == "prefetch":
        if isinstance(n, np.ndarray):
            values, index = np.unique(n, return_inverse=True)
            found = np.array([_cycles(name, array, rows, columns, value) for value in values.tolist()], np.int64)
            return found[index].reshape(n.shape)
        return _overlapped(name, array, rows, columns, n)
    count, all_columns, all_rows = len(rows), int(columns.sum()), int(rows.sum())
    held = count * (array.cols if name == "dWS" else array.rows) if full else all_columns
    height = count * array.rows if full else all_rows
    if name == "dWS":
        return 2 * held + height + count * (n - 2)
    passes, beside = blocks(n, array.cols), count * occupied(array, n, array.cols)
    if name == "dIS":
        return passes * (2 * held + all_rows - 2 * count) + beside
    skew = 2 if array.os_drain == "exposed" else 1
    return passes * (all_columns - 2 * count + skew * height) + beside


def _overlapped(name: DataflowName, array: Array, rows: Sizes, columns: Sizes, n: int) -> int:
    """The same where folds share the grid (``overlap``)."""
    full, across = array.edge_tiles == "full", paid(array, n, array.cols)
    height = np.full_like(rows, array.rows) if full else rows
    match name:
        case "dWS":
            return stationary_cycles(
                np.full_like(columns, n), np.full_like(columns, array.cols) if full else columns, height
            )
        case "dIS":
            held = np.tile(np.full_like(columns, array.rows) if full else columns, len(across))
            return stationary_cycles(np.tile(rows, len(across)), held, across.repeat(len(rows)))
        case _:
            repeated = columns.repeat(len(across)), height.repeat(len(across))
            return output_cycles(*repeated, np.tile(across, len(rows)))
