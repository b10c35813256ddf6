"""The controller's schedule: which part of the GEMM each fold computes, in the order in which folds run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.sparsity.bitmap import Bitmap

Indices = Sequence[int]


@dataclass(frozen=True, slots=True)
class Fold:
    """One pass of the array: adds W[ms, ks] · X[ks, ns] to O[ms, ns]."""

    ms: Indices
    ks: Indices
    ns: Indices


def schedule(name: DataflowName | SparseDataflowName, array: Array, nonzero: Bitmap, n: int) -> Iterator[Fold]:
    """The folds of W[m,k] · X[k,n] under one dataflow.

    Args:
        name: The dataflow.
        array: The grid.
        nonzero: Which elements of W are not zero, m × k; dense flows take no notice.
        n: Columns of X.
    """
    ms, ks, ns = (range(size) for size in (*nonzero.shape, n))
    match name:
        case "dOS":
            return (Fold(rows, ks, cols) for rows in _cut(ms, array.rows) for cols in _cut(ns, array.cols))
        case "dWS":
            return (Fold(rows, cols, ns) for rows in _cut(ms, array.rows) for cols in _cut(ks, array.cols))
        case "dIS":
            return (Fold(ms, rows, cols) for cols in _cut(ns, array.cols) for rows in _cut(ks, array.rows))
        case "sOS":
            return _skipping_columns(array, nonzero, ms, ns)
        case "csOS":
            return _skipping_columns(array, nonzero, _true(np.logical_or.reduce(nonzero, axis=1)), ns)
        case "sWS":
            return (
                Fold(rows, cols, ns)
                for rows in _cut(ms, array.rows)
                for cols in _cut(_kept_columns(nonzero, rows), array.cols)
            )
        case "sIS":
            blocks = [
                (_true(np.logical_or.reduce(nonzero[:, rows], axis=1)), rows)
                for rows in _cut(_kept_columns(nonzero, ms), array.rows)
            ]
            return (Fold(kept, rows, cols) for cols in _cut(ns, array.cols) for kept, rows in blocks)


def _skipping_columns(array: Array, nonzero: Bitmap, ms: Indices, ns: Indices) -> Iterator[Fold]:
    for rows in _cut(ms, array.rows):
        if ks := _kept_columns(nonzero, rows):
            yield from (Fold(rows, ks, cols) for cols in _cut(ns, array.cols))


def _kept_columns(nonzero: Bitmap, rows: Indices) -> list[int]:
    """The k at which one of these rows is not zero."""
    return _true(np.logical_or.reduce(nonzero[rows]))


def _true(flags: Bitmap) -> list[int]:
    found: list[int] = np.flatnonzero(flags).tolist()
    return found


def _cut(indices: Indices, extent: int) -> list[Indices]:
    return [indices[start : start + extent] for start in range(0, len(indices), extent)]
