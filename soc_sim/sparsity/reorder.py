"""Rows of a weight matrix in an order in which blocks of them have more zero columns in common.

A row block pays for every column at which one of its rows is not zero, so rows with similar zeros belong together. To
find the best grouping is hard; this one is greedy: a block begins with the densest row that is left and takes, one by
one, the row that adds the fewest columns. Rows without any weight come last, by themselves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from soc_sim.sparsity.bitmap import Bitmap

MOST_WORDS = 100_000_000
"""Comparisons of 64 columns of two rows that are worth their time; of larger matrices every so many columns count."""

Words = npt.NDArray[np.uint64]
Order = npt.NDArray[np.int64]


def group_rows(nonzero: Bitmap, height: int) -> Order:
    """The rows of W (m × k) in their new order: position → row, for blocks of ``height`` rows; deterministic."""
    words = _packed(nonzero)
    rows, length = words.shape
    if (stride := -(-rows * rows * length // (2 * MOST_WORDS))) > 1:
        words = np.ascontiguousarray(words[:, ::stride])
    filled = nonzero.sum(axis=1)
    left = np.flatnonzero(filled)
    order: list[int] = []
    while len(left):
        seed = int(np.argmax(filled[left]))
        union = words[left[seed]].copy()
        order.append(int(left[seed]))
        left = np.delete(left, seed)
        for _ in range(min(height - 1, len(left))):
            added = _ones(words[left] & ~union)
            best = int(np.lexsort((-filled[left], added))[0])
            union |= words[left[best]]
            order.append(int(left[best]))
            left = np.delete(left, best)
    return np.concatenate((np.array(order, np.int64), np.flatnonzero(filled == 0)))


def group_within(nonzero: Bitmap, height: int, chunk: int) -> Order:
    """The same, where rows may move only within consecutive blocks of ``chunk`` rows."""
    starts = range(0, len(nonzero), chunk)
    return np.concatenate([start + group_rows(nonzero[start : start + chunk], height) for start in starts])


def _packed(nonzero: Bitmap) -> Words:
    """64 columns a word."""
    packed = np.packbits(np.ascontiguousarray(nonzero), axis=1)
    padding = -packed.shape[1] % 8
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, padding)))).view(np.uint64)


def _ones(words: Words) -> Order:
    """Bits that are set in each row."""
    if hasattr(np, "bitwise_count"):  # numpy 2
        counted: Order = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
        return counted
    bits: Order = np.unpackbits(words.view(np.uint8), axis=1).sum(axis=1, dtype=np.int64)
    return bits
