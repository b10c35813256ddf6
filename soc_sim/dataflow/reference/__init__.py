"""The register-level model: the array clock by clock, with real numbers, small enough to be read.

It proves the closed forms of ``soc_sim.dataflow``: it knows which words enter at the edges and what a PE does in a
cycle, and nothing about how long that ought to take. Read ``grid`` (what the hardware can do), ``edges`` (load and
store units), then ``movements`` (the three families), then ``overlapped`` (folds that share the grid).

Left out: memories that are not ready (a stall freezes the whole grid and changes no count here), word widths (numbers
are Python's own), and ``os_drain: hidden``, which is no movement of words but a way of counting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import SPARSE_DATAFLOWS, Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.base import GemmCounts
from soc_sim.dataflow.packed import packed_schedule
from soc_sim.dataflow.reference.edges import OutputBuffer
from soc_sim.dataflow.reference.film import Film
from soc_sim.dataflow.reference.grid import PAD, Watch
from soc_sim.dataflow.reference.memory import BlockDiagonal, Memory
from soc_sim.dataflow.reference.movements import (
    FoldRun,
    Indices,
    input_stationary,
    output_stationary,
    weight_stationary,
)
from soc_sim.dataflow.reference.overlapped import run_overlapped
from soc_sim.dataflow.schedule import Fold, schedule
from soc_sim.errors import InputError

__all__ = ["Film", "ReferenceRun", "run", "run_packed"]

Movement = Callable[[Memory, OutputBuffer, Indices, Indices, Indices, Watch | None], FoldRun]
_MOVEMENTS: dict[str, Movement] = {"OS": output_stationary, "WS": weight_stationary, "IS": input_stationary}
"""Family → movement: sparse flows move words as the dense ones do, they only leave some out."""


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """The outcome of a GEMM on the register-level model."""

    output: npt.NDArray[Any]
    """O, m × n, of the operands' type."""
    counts: GemmCounts


def run(
    name: DataflowName | SparseDataflowName,
    array: Array,
    weights: npt.NDArray[Any],
    inputs: npt.NDArray[Any],
    film: Film | None = None,
) -> ReferenceRun:
    """Executes W · X on the grid, fold after fold.

    Args:
        name: The dataflow.
        array: The grid and how folds at its edges are run.
        weights: W, m × k, int64 or float64.
        inputs: X, k × n, of the same type.
        film: Is shown the grid after every cycle.

    Returns:
        The result and the counts, both as they came out of the grid.

    Raises:
        InputError: The array hides the drain, which no movement of words can do; or folds overlap, which is not filmed.
    """
    memory = Memory(weights.tolist(), inputs.tolist(), decompresses=name in SPARSE_DATAFLOWS)
    return _run(
        name, array, memory, schedule(name, array, weights != 0, inputs.shape[1]), weights, inputs.shape[1], film
    )


def run_packed(name: DataflowName, array: Array, weights: npt.NDArray[Any], inputs: npt.NDArray[Any]) -> ReferenceRun:
    """Executes several GEMMs side by side on the grid: one whose W is block-diagonal (``dataflow.packed``).

    Args:
        name: The dataflow.
        array: The grid and how folds at its edges are run.
        weights: W of each group, groups × m × k, int64 or float64.
        inputs: X of each group, groups × k × n, of the same type.

    Returns:
        The results, (groups · m) × n, and the counts.

    Raises:
        InputError: as in :func:`run`.
    """
    groups, m, k = weights.shape
    n = inputs.shape[2]
    diagonal = np.zeros((groups * m, groups * k), weights.dtype)
    for group, matrix in enumerate(weights):
        diagonal[group * m : (group + 1) * m, group * k : (group + 1) * k] = matrix
    memory = BlockDiagonal(diagonal.tolist(), inputs.reshape(groups * k, n).tolist(), decompresses=False, block=(m, k))
    return _run(name, array, memory, packed_schedule(name, array, groups, m, k, n), diagonal, n)


def _run(
    name: DataflowName | SparseDataflowName,
    array: Array,
    memory: Memory,
    planned: Iterable[Fold],
    weights: npt.NDArray[Any],
    n: int,
    film: Film | None = None,
) -> ReferenceRun:
    """Executes folds one after another, or overlapped."""
    family = name[-2:]
    if array.os_drain == "hidden" and family == "OS":
        raise InputError(
            "os_drain: 'hidden' is a way of counting, the register-level model has none; allowed: 'exposed'"
        )
    buffer = OutputBuffer()
    folds = [_indices(family, array, fold) for fold in planned]
    if array.tile_overlap == "prefetch" and film is not None:
        raise InputError("tile_overlap: folds that share the grid are not shown; allowed: 'none'")
    if array.tile_overlap == "prefetch":
        runs = [run_overlapped(family, memory, buffer, folds)]
    else:
        runs = []
        for number, fold in enumerate(folds, 1):
            if film is not None:
                film.fold(number, len(folds), *fold)
            runs.append(_MOVEMENTS[family](memory, buffer, *fold, film.cycle if film else None))
    output = np.zeros((len(weights), n), dtype=weights.dtype)  # what no fold produces is zero
    for address, value in buffer.elements.items():
        output[address] = value
    counts = GemmCounts(
        cycles=sum(fold.cycles for fold in runs),
        folds=len(folds),
        macs=sum(fold.macs for fold in runs),
        weight_words=memory.weight_words,
        input_words=memory.input_words,
        output_words=buffer.writes,
        accumulator_reads=buffer.reads,
        zeros_injected=memory.zeros_injected,
    )
    return ReferenceRun(output, counts)


def _indices(family: str, array: Array, fold: Fold) -> tuple[Indices, Indices, Indices]:
    """What the fold covers; the two dimensions that lie on the grid are padded if edge folds pay for all of it."""
    if array.edge_tiles == "actual":
        return fold.ms, fold.ks, fold.ns
    match family:
        case "OS":
            return _padded(fold.ms, array.rows), fold.ks, _padded(fold.ns, array.cols)
        case "WS":
            return _padded(fold.ms, array.rows), _padded(fold.ks, array.cols), fold.ns
        case _:
            return fold.ms, _padded(fold.ks, array.rows), _padded(fold.ns, array.cols)


def _padded(indices: Sequence[int], extent: int) -> Indices:
    return [*indices, *[PAD] * (extent - len(indices))]
