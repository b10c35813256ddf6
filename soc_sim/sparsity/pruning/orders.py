"""In which order the units of a row block go, the least important first, and what each costs.

Three scores. Norm: the L2 norm of a unit over its number of weights (C. Guo et al., "Accelerating Sparse DNN Models
without Hardware-Support via Tile-Wise Sparsity", SC 2020). Activation: the same with each weight times the root mean
square of the input it meets (M. Sun et al., "A Simple and Effective Pruning Approach for Large Language Models",
arXiv 2306.11695, for single weights). Second order: the squared error of the layer's output after the other weights
have made up for the unit, removed one after another (E. Frantar and D. Alistarh, "Optimal Brain Compression", NeurIPS
2022, here for several rows that lose the same columns).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.patterns import GROUP
from soc_sim.sparsity.pruning.units import Units

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Order:
    """The units of one row block that may go, first to last."""

    units: NDArray[np.int64]
    costs: Floats
    """What each costs for each weight it removes, in this order, never falling."""
    sizes: NDArray[np.int64]
    """Weights of each unit."""


def sorted_order(units: Units, w: Floats, kept: Bitmap, rms: Floats | None = None) -> Order:
    """By norm, or by norm times activation.

    Args:
        units: How W is cut.
        w: Rows of the block × k.
        kept: Which units are there still.
        rms: Root mean square of the input of each column; None: the norm alone.
    """
    weighed = w if rms is None else w * rms
    square = np.add.reduceat((weighed**2).sum(axis=0), np.arange(0, units.k, units.width))
    sizes = units.widths * len(w)
    costs = np.sqrt(square) / sizes
    candidates = np.flatnonzero(kept)
    order = candidates[np.argsort(costs[candidates], kind="stable")]
    if units.most_per_group is not None:
        order = _within_groups(order, kept, units.most_per_group)
    return Order(order, costs[order], sizes[order])


def second_order(units: Units, w: Floats, kept: Bitmap, gram: Floats) -> Order:
    """By the error that is left after all other weights of the rows have made up for the loss.

    Args:
        units: How W is cut.
        w: Rows of the block × (k + 1): the bias is the last column and stays.
        kept: Which units are there still.
        gram: (k + 1) × (k + 1), the mean of x·xᵀ over the inputs x, with a constant 1 at their end; positive definite.
    """
    of_column = np.append(units.unit_of_column, -1)
    columns = np.flatnonzero(np.append(kept[units.unit_of_column], True))
    inverse = np.asarray(np.linalg.inv(gram[np.ix_(columns, columns)]), np.float64)
    weights: Floats = w[:, columns].astype(np.float64)
    unit_of = of_column[columns]
    sizes, alive, loss = units.widths * len(w), kept.copy(), 0.0
    order, costs = [], []
    for _ in range(units.allowed(kept)):
        errors = _errors(weights, inverse, unit_of, alive, units)
        unit = int(errors.argmin())
        loss = max(loss, float(errors[unit]) / sizes[unit])
        order.append(unit)
        costs.append(loss)
        gone = np.flatnonzero(unit_of == unit)
        solved = np.linalg.solve(inverse[np.ix_(gone, gone)], inverse[gone])
        left = np.flatnonzero(unit_of != unit)
        weights = weights[:, left] - weights[:, gone] @ solved[:, left]
        inverse = inverse[np.ix_(left, left)] - inverse[np.ix_(left, gone)] @ solved[:, left]
        unit_of = unit_of[left]
        alive[unit] = False
        if units.most_per_group is not None:
            group = unit // GROUP * GROUP
            members = slice(group, group + GROUP)
            if np.count_nonzero(~alive[members]) >= units.most_per_group:
                alive[members] = False
    chosen = np.array(order, np.int64)
    return Order(chosen, np.array(costs), sizes[chosen])


def _errors(
    weights: Floats, inverse: Floats, unit_of: NDArray[np.int64], alive: Bitmap, units: Units
) -> NDArray[np.float64]:
    """Squared error by the loss of each unit; infinite for those that may not go."""
    errors = np.full(len(alive), np.inf)
    if units.width == 1:
        here = unit_of >= 0
        here[here] = alive[unit_of[here]]
        errors[unit_of[here]] = (weights[:, here] ** 2).sum(axis=0) / np.diagonal(inverse)[here]
        return errors
    for unit in np.flatnonzero(alive):
        gone = np.flatnonzero(unit_of == unit)
        part = weights[:, gone]
        errors[unit] = float((part * np.linalg.solve(inverse[np.ix_(gone, gone)], part.T).T).sum())
    return errors


def _within_groups(order: NDArray[np.int64], kept: Bitmap, most: int) -> NDArray[np.int64]:
    """The same order without what would be one too many of its group of four."""
    gone = np.add.reduceat(~kept, np.arange(0, len(kept), GROUP), dtype=np.int64)
    chosen = []
    for unit in order.tolist():
        if gone[unit // GROUP] < most:
            gone[unit // GROUP] += 1
            chosen.append(unit)
    return np.array(chosen, np.int64)
