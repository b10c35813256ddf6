"""The dataflows of the array: how a GEMM moves through the grid, and what that costs.

Pure functions of shapes, without a clock: read ``base`` for what is counted, then one file per family
(``output_stationary``, ``weight_stationary``, ``input_stationary``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from soc_sim.config.array import Array, DataflowName
from soc_sim.dataflow.base import Dataflow, GemmCounts, Size
from soc_sim.dataflow.input_stationary import InputStationary
from soc_sim.dataflow.output_stationary import OutputStationary
from soc_sim.dataflow.weight_stationary import WeightStationary

__all__ = ["DATAFLOWS", "Dataflow", "GemmCounts", "counts"]

DATAFLOWS: Mapping[DataflowName, Dataflow] = MappingProxyType(
    {flow.name: flow for flow in (OutputStationary(), WeightStationary(), InputStationary())}
)
"""Every dataflow by its name."""


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
