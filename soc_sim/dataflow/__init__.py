"""The dataflows of the array: how a GEMM moves through the grid, and what that costs.

Pure functions of shapes and bitmaps, without a clock: read ``base`` for what is counted, then one file per family
(``output_stationary``, ``weight_stationary``, ``input_stationary``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.base import Dataflow, GemmCounts, Size, SparseDataflow
from soc_sim.dataflow.input_stationary import InputStationary, SparseInputStationary
from soc_sim.dataflow.output_stationary import CompactedOutputStationary, OutputStationary, SparseOutputStationary
from soc_sim.dataflow.weight_stationary import SparseWeightStationary, WeightStationary
from soc_sim.sparsity.bitmap import Bitmap

__all__ = [
    "DATAFLOWS",
    "SPARSE_DATAFLOWS",
    "Dataflow",
    "GemmCounts",
    "SparseDataflow",
    "counts",
    "counts_of_bitmap",
]

DATAFLOWS: Mapping[DataflowName, Dataflow] = MappingProxyType(
    {flow.name: flow for flow in (OutputStationary(), WeightStationary(), InputStationary())}
)
"""Every dense dataflow by its name."""

SPARSE_DATAFLOWS: Mapping[SparseDataflowName, SparseDataflow] = MappingProxyType(
    {
        flow.name: flow
        for flow in (
            SparseOutputStationary(),
            SparseWeightStationary(),
            SparseInputStationary(),
            CompactedOutputStationary(),
        )
    }
)
"""Every dataflow that skips zeros of W, by its name."""


def counts(name: DataflowName, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
    """Counts of one GEMM O[m,n] = W[m,k] · X[k,n], or of many at once.

    Args:
        name: A key of ``DATAFLOWS``.
        array: The grid and how its cycles are counted.
        m: Rows of W and O: an int, or an int64 array.
        k: Columns of W, rows of X.
        n: Columns of X and O.

    Returns:
        Exact counts: ints if all sizes are ints, else int64 arrays of their broadcast shape.
    """
    if any(isinstance(size, np.ndarray) for size in (m, k, n)):
        m, k, n = np.broadcast_arrays(m, k, n)
    return DATAFLOWS[name].counts(array, m, k, n)


def counts_of_bitmap(name: DataflowName | SparseDataflowName, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
    """Counts of one GEMM O[m,n] = W[m,k] · X[k,n] whose zeros of W are known.

    Args:
        name: A key of ``DATAFLOWS``, which pay for every zero, or of ``SPARSE_DATAFLOWS``.
        array: The grid and how its cycles are counted.
        nonzero: Which elements of W are not zero, m × k.
        n: Columns of X and O.

    Returns:
        Exact counts as ints; all zero if nothing has to be computed.
    """
    match name:
        case "dOS" | "dWS" | "dIS":
            m, k = nonzero.shape
            return DATAFLOWS[name].counts(array, m, k, n)
        case _:
            return SPARSE_DATAFLOWS[name].counts(array, nonzero, n)
