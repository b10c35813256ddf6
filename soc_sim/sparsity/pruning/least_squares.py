"""Weights that make up for what has gone: W' that brings W'·x' nearest to what the layer gave before.

x' is what the layer gets from pruned predecessors, with a constant 1 at its end, so that the bias is corrected, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.sparsity.bitmap import Bitmap

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """What least squares needs to know of the samples."""

    gram: Floats
    """(k + 1) × (k + 1): the mean of x'·x'ᵀ."""
    cross: Floats
    """m × (k + 1): the mean of y·x'ᵀ, with the wanted outputs y."""

    def ridged(self, ridge: float) -> Floats:
        """The Gram matrix with ``ridge`` times its diagonal added, positive definite for inputs that are always 0."""
        diagonal = np.diagonal(self.gram)
        floor = 1e-9 * float(diagonal.mean()) + np.finfo(float).tiny
        ridged: Floats = self.gram + np.diag(ridge * diagonal + floor)
        return ridged


def fit(moments: Moments, mask: Bitmap, prior: Floats, ridge: float, *, bias: bool = True) -> Floats:
    """The weights, m × (k + 1), that minimise the mean squared error plus the ridge's pull towards ``prior``.

    Args:
        moments: Of the samples.
        mask: Which weights may differ from zero, m × k.
        prior: m × (k + 1): what the weights were.
        ridge: Relative to the mean square of each input.
        bias: Whether the last column is free; else it keeps the prior's value.

    Returns:
        Zero where ``mask`` is false.
    """
    gram = moments.ridged(ridge)
    # The ridge pulls towards the prior, not towards zero.
    cross = moments.cross + prior * (np.diagonal(gram) - np.diagonal(moments.gram))
    result = np.zeros_like(prior)
    result[:, -1] = prior[:, -1]
    patterns, belongs = np.unique(mask, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        rows = np.flatnonzero(belongs.reshape(-1) == index)
        columns = np.flatnonzero(np.append(pattern, bias))
        if not len(columns):
            continue
        wanted = cross[np.ix_(rows, columns)]
        if not bias:
            wanted = wanted - np.outer(prior[rows, -1], gram[-1, columns])
        result[np.ix_(rows, columns)] = np.linalg.solve(gram[np.ix_(columns, columns)], wanted.T).T
    return result


def squared_error(change: Floats, gram: Floats) -> float:
    """The mean over the samples of |change · x|²; ``change`` is m × (k + 1)."""
    return float(((change @ gram) * change).sum())
