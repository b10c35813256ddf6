"""Which weights of one layer are zero, at a given level: by chance, or those of the smallest norm.

All patterns but N:M prune whole units until as many weights are zero as the level asks for: the result is within one
unit of it. The order of the units is random, or that of their L2 norm over their number of weights
(``soc_sim.sparsity.pruning.orders``). Pruning of a trained network over all its layers is ``soc_sim.explore.pruning``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.sparsity import PatternName
from soc_sim.sparsity.bitmap import Bitmap, extents

PATTERNS: tuple[PatternName, ...] = get_args(PatternName)
GROUP = 4
"""Weights of one group of N:M sparsity; 2:4 is what NVIDIA's Ampere supports (A. Mishra et al., arXiv 2104.08378)."""


def prune(
    pattern: PatternName,
    m: int,
    k: int,
    level: float,
    *,
    rows: int,
    cols: int,
    seed: int | Sequence[int],
    groups: int = 1,
    weights: NDArray[np.floating] | None = None,
) -> Bitmap:
    """Which weights of W, m × k, are kept; or of several such matrices one below the other.

    Args:
        pattern: What is pruned together. ``unstructured``: single weights. ``tile_columns``: columns of a block of
            ``rows`` rows, what sOS, csOS and sWS skip. ``tile_rows``: rows of a block of ``rows`` columns, what sIS
            skips. ``channels``: whole rows of W. ``blocks``: ``rows`` × ``cols``. ``n_of_m``: of each four weights
            along k the same number, the level rounded to quarters.
        m: Rows of W (of each group: units end where a group ends).
        k: Columns of W.
        level: Share of zeros, 0 to 1.
        rows: PE rows of the array, R.
        cols: PE columns of the array, C.
        seed: Decides which units are pruned.
        groups: Matrices of this shape that reach the level together.
        weights: groups · m × k; what has the smallest norm goes first. None: the order is random.
    """
    rng = np.random.default_rng(seed)
    match pattern:
        case "unstructured":
            return _prune_units(rng, groups, m, k, level, 1, 1, weights)
        case "tile_columns":
            return _prune_units(rng, groups, m, k, level, rows, 1, weights)
        case "tile_rows":
            return _prune_units(rng, groups, m, k, level, 1, rows, weights)
        case "channels":
            return _prune_units(rng, groups, m, k, level, 1, k, weights)
        case "blocks":
            return _prune_units(rng, groups, m, k, level, rows, cols, weights)
        case "n_of_m":
            return _prune_groups(rng, groups * m, k, level, weights)


def _prune_units(
    rng: np.random.Generator,
    groups: int,
    m: int,
    k: int,
    level: float,
    height: int,
    width: int,
    weights: NDArray[np.floating] | None,
) -> Bitmap:
    if height == width == 1:  # the same as below without the sizes, of which there are as many as weights
        count = math.ceil(level * groups * m * k - 0.5)
        if weights is not None:
            return _largest(np.abs(weights), count)
        kept = np.ones(groups * m * k, dtype=bool)
        kept[rng.permutation(kept.size)[:count]] = False
        return kept.reshape(groups * m, k)
    heights, widths = np.tile(extents(m, height), groups), extents(k, width)
    sizes = np.outer(heights, widths).ravel()
    if weights is None:
        order = rng.permutation(sizes.size)
    else:
        square = _sums_of_squares(weights.reshape(groups, m, k), height, width)
        order = np.argsort(np.sqrt(square).ravel() / sizes, kind="stable")
    pruned = np.concatenate(([0], np.cumsum(sizes[order])))
    count = int(np.abs(pruned - level * groups * m * k).argmin())
    kept = np.ones(sizes.size, dtype=bool)
    kept[order[:count]] = False
    return kept.reshape(heights.size, widths.size).repeat(heights, axis=0).repeat(widths, axis=1)


def _largest(values: NDArray[np.floating], without: int) -> Bitmap:
    """All but ``without`` of the smallest, of equals the last."""
    if without == 0:
        return np.ones(values.shape, dtype=bool)
    limit = np.partition(values, without - 1, axis=None)[without - 1]
    kept: Bitmap = values >= limit
    equal = np.flatnonzero(values == limit)
    kept.ravel()[equal[: without - np.count_nonzero(~kept)]] = False
    return kept


def _sums_of_squares(weights: NDArray[np.floating], height: int, width: int) -> NDArray[np.floating]:
    """Of each unit; groups · row blocks × units of a block."""
    _, m, k = weights.shape
    whole = m // height * height
    # Whole blocks without a copy of the squares, then the rest.
    blocks = weights[:, :whole].reshape(len(weights), m // height, height, k)
    by_column = np.einsum("gbrk,gbrk->gbk", blocks, blocks)
    if whole < m:
        rest = np.einsum("grk,grk->gk", weights[:, whole:], weights[:, whole:])
        by_column = np.concatenate((by_column, rest[:, None]), axis=1)
    by_column = by_column.reshape(-1, k)
    return by_column if width == 1 else np.add.reduceat(by_column, np.arange(0, k, width), axis=1)


def _prune_groups(
    rng: np.random.Generator, m: int, k: int, level: float, weights: NDArray[np.floating] | None
) -> Bitmap:
    # The weights with the lowest of four ranks go; by chance, a last, shorter group loses those of the same ranks.
    groups = -(-k // GROUP)
    if weights is None:
        values = rng.random((m, groups, GROUP))
    else:
        padding = ((0, 0), (0, groups * GROUP - k))
        values = np.pad(np.abs(weights), padding, constant_values=np.inf).reshape(m, groups, GROUP)
    ranks = values.argsort(axis=2, kind="stable").argsort(axis=2, kind="stable")
    return (ranks >= round(level * GROUP)).reshape(m, groups * GROUP)[:, :k]
