"""Synthetic sparsity: which weights are zero, at a given level, the same for the same seed.

Real pruning chooses by importance; here the choice is random, and only the shape of what is pruned together is real.
All patterns but N:M prune whole units, in a random order, until as many weights are zero as the level asks for: the
result is within one unit of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np

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
    """
    rng = np.random.default_rng(seed)
    match pattern:
        case "unstructured":
            return _prune_units(rng, groups, m, k, level, 1, 1)
        case "tile_columns":
            return _prune_units(rng, groups, m, k, level, rows, 1)
        case "tile_rows":
            return _prune_units(rng, groups, m, k, level, 1, rows)
        case "channels":
            return _prune_units(rng, groups, m, k, level, 1, k)
        case "blocks":
            return _prune_units(rng, groups, m, k, level, rows, cols)
        case "n_of_m":
            return _prune_groups(rng, groups * m, k, level)


def _prune_units(
    rng: np.random.Generator, groups: int, m: int, k: int, level: float, height: int, width: int
) -> Bitmap:
    if height == width == 1:  # the same as below without the sizes, of which there are as many as weights
        kept = np.ones(groups * m * k, dtype=bool)
        kept[rng.permutation(kept.size)[: math.ceil(level * kept.size - 0.5)]] = False
        return kept.reshape(groups * m, k)
    heights, widths = np.tile(extents(m, height), groups), extents(k, width)
    sizes = np.outer(heights, widths).ravel()
    order = rng.permutation(sizes.size)
    pruned = np.concatenate(([0], np.cumsum(sizes[order])))
    count = int(np.abs(pruned - level * groups * m * k).argmin())
    kept = np.ones(sizes.size, dtype=bool)
    kept[order[:count]] = False
    return kept.reshape(heights.size, widths.size).repeat(heights, axis=0).repeat(widths, axis=1)


def _prune_groups(rng: np.random.Generator, m: int, k: int, level: float) -> Bitmap:
    # The weights with the lowest of four random ranks go; a last, shorter group loses those of the same ranks.
    groups = -(-k // GROUP)
    ranks = rng.random((m, groups, GROUP)).argsort(axis=2).argsort(axis=2)
    return (ranks >= round(level * GROUP)).reshape(m, groups * GROUP)[:, :k]
