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
MOST_SUMMANDS = 255
"""Ones that a byte can count."""

Order = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


def group_rows(nonzero: Bitmap, height: int) -> Order:
    """The rows of W (m × k) in their new order: position → row, for blocks of ``height`` rows; deterministic.

    What a row would add to a block is what it has, less what it shares with the block; the latter grows by each column
    that is new to the block, and by the same column for all rows at once.
    """
    filled = nonzero.sum(axis=1)
    rows = np.flatnonzero(filled)
    own = np.ascontiguousarray(_looked_at(nonzero)[rows])
    columns = np.ascontiguousarray(own.T).view(np.uint8)
    weights, alone = filled[rows], own.sum(axis=1)
    left = np.ones(len(rows), bool)
    order: list[int] = []
    while left.any():
        if 2 * np.count_nonzero(left) < len(left):
            rows, own, weights, alone = rows[left], own[left], weights[left], alone[left]
            columns, left = np.ascontiguousarray(columns[:, left]), np.ones(len(rows), bool)
        best = int(np.argmax(np.where(left, weights, -1)))
        union, added = np.zeros(own.shape[1], bool), alone.copy()
        for more in range(min(height, int(np.count_nonzero(left))))[::-1]:
            order.append(int(rows[best]))
            left[best] = False
            if more:
                added -= _count(columns, np.flatnonzero(own[best] & ~union))
                union |= own[best]
                # The fewest columns, then the most weights, then the first.
                cost = added * (nonzero.shape[1] + 1) - weights
                best = int(np.argmin(np.where(left, cost, np.iinfo(np.int64).max)))
    return np.concatenate((np.array(order, np.int64), np.flatnonzero(filled == 0)))


def group_within(nonzero: Bitmap, height: int, chunk: int) -> Order:
    """The same, where rows may move only within consecutive blocks of ``chunk`` rows."""
    starts = range(0, len(nonzero), chunk)
    return np.concatenate([start + group_rows(nonzero[start : start + chunk], height) for start in starts])


def _looked_at(nonzero: Bitmap) -> Bitmap:
    """All columns; of large matrices 64 of every so many."""
    (rows, count), length = nonzero.shape, -(-nonzero.shape[1] // 64)
    stride = -(-rows * rows * length // (2 * MOST_WORDS))
    return nonzero if stride <= 1 else nonzero[:, np.arange(count) // 64 % stride == 0]


def _count(columns: Bytes, which: Order) -> Order:
    """How many of these columns (k × m, one byte each) each row has."""
    total = np.zeros(columns.shape[1], np.int64)
    for start in range(0, len(which), MOST_SUMMANDS):
        total += np.add.reduce(columns[which[start : start + MOST_SUMMANDS]], axis=0, dtype=np.uint8)
    return total
