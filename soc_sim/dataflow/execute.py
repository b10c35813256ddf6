"""The numbers of a GEMM, fold by fold in the order of a dataflow, and their comparison with W · X.

Within a fold the sums are numpy's: which of its PEs adds when changes floating-point rounding only, and the
register-level model (``reference``) is there to show that each adds what it should.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.schedule import Indices, schedule

Matrix = npt.NDArray[Any]
"""int64 or float64."""

_EXACT_IN_FLOAT64 = 2**53


def largest_sum(weights: Matrix, inputs: Matrix) -> int:
    """A bound on the magnitude of every partial sum of W · X; for integers, exact in Python's own arithmetic."""
    terms: int = weights.shape[1]
    return terms * _largest(weights) * _largest(inputs)


def execute(name: DataflowName | SparseDataflowName, array: Array, weights: Matrix, inputs: Matrix) -> Matrix:
    """W · X as the folds of a dataflow add it up.

    Args:
        name: The dataflow.
        array: The grid.
        weights: W, m × k, int64 or float64.
        inputs: X, k × n, of the same type.

    Returns:
        O, m × n, of the same type; integers are exact if :func:`largest_sum` fits in 63 bits.
    """
    n, dtype, nonzero = inputs.shape[1], weights.dtype, weights != 0
    weights, inputs = _for_fast_products(weights, inputs)
    output = np.zeros((len(weights), n), dtype=weights.dtype)
    for fold in schedule(name, array, nonzero, n):
        output[_block(fold.ms, fold.ns)] += weights[_block(fold.ms, fold.ks)] @ inputs[_block(fold.ks, fold.ns)]
    return output.astype(dtype)


def matches(output: Matrix, weights: Matrix, inputs: Matrix) -> bool:
    """Whether ``output`` is W · X.

    Integers must be equal. Floats may differ by the rounding of two sums of K products in different orders:
    K · ε · (|W| · |X|) per element, twice the bound of N. J. Higham, *Accuracy and Stability of Numerical Algorithms*,
    2nd ed., SIAM 2002, section 3.1, to first order.
    """
    dtype = weights.dtype
    weights, inputs = _for_fast_products(weights, inputs)
    with np.errstate(over="ignore", invalid="ignore"):  # sums beyond float64 become infinite on both sides
        expected = weights @ inputs
        if dtype.kind == "i":
            return bool(np.array_equal(output, expected.astype(dtype)))
        tolerance = weights.shape[1] * np.finfo(dtype).eps * (np.abs(weights) @ np.abs(inputs))
        return bool(np.all((output == expected) | (np.abs(output - expected) <= tolerance)))


def _for_fast_products(weights: Matrix, inputs: Matrix) -> tuple[Matrix, Matrix]:
    # Integers go through the fast floating-point product where that is exact.
    if weights.dtype.kind == "i" and largest_sum(weights, inputs) < _EXACT_IN_FLOAT64:
        return weights.astype(np.float64), inputs.astype(np.float64)
    return weights, inputs


def _block(rows: Indices, cols: Indices) -> tuple[Any, ...]:
    """The index of rows × columns; ranges become slices, because those do not copy."""
    selections = tuple(slice(part.start, part.stop) if isinstance(part, range) else part for part in (rows, cols))
    return selections if any(isinstance(part, slice) for part in selections) else np.ix_(rows, cols)


def _largest(matrix: Matrix) -> int:
    return max(abs(int(matrix.min())), abs(int(matrix.max())))
