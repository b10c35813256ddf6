"""The controller's schedule: which part of the GEMM each fold computes, in the order in which folds run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from soc_sim.config.array import Array, DataflowName


@dataclass(frozen=True, slots=True)
class Fold:
    """One pass of the array: adds W[ms, ks] · X[ks, ns] to O[ms, ns]."""

    ms: range
    ks: range
    ns: range


def schedule(name: DataflowName, array: Array, m: int, k: int, n: int) -> Iterator[Fold]:
    """The folds of W[m,k] · X[k,n] under one dataflow."""
    ms, ks, ns = range(m), range(k), range(n)
    match name:
        case "dOS":
            return (Fold(rows, ks, cols) for rows in _cut(ms, array.rows) for cols in _cut(ns, array.cols))
        case "dWS":
            return (Fold(rows, cols, ns) for rows in _cut(ms, array.rows) for cols in _cut(ks, array.cols))
        case "dIS":
            return (Fold(ms, rows, cols) for cols in _cut(ns, array.cols) for rows in _cut(ks, array.rows))


def _cut(indices: range, extent: int) -> list[range]:
    return [indices[start : start + extent] for start in range(0, len(indices), extent)]
