"""Weight stationary: every PE holds one weight while all columns of X pass by.

::

                X[k, n]   row k of X runs down column k of the tile,
                   │      column j starts j cycles late
                   ▼
    W[m, k] ─►  ┌─────┬─────┬─────┐
    preload,    │  w  │  w  │  w  │ ─► partial sums O[m, n]
    then idle   ├─────┼─────┼─────┤    leave by the right edge
                │  w  │  w  │  w  │ ─►
                └─────┴─────┴─────┘

A fold holds r rows (m) and c columns (k) of W. Preload shifts c words into each row through its one left link: c
cycles. Then PE (i, j) meets X[j, n] and the partial sum of its left neighbour in cycle i + j + n, so the stream takes
N + r + c − 2 cycles: 2c + r + N − 2 in all. Each weight is fetched once; X is fetched once per block of rows. A block
of k yields only a part of every sum, so from the second block on store units read what is in the output buffer and add.

Status: the dataflow's name is published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.array import Array, DataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied


@dataclass(frozen=True, slots=True)
class WeightStationary:
    """Dense weight-stationary dataflow: rows of PEs are rows of W, columns of PEs are columns of W."""

    name: DataflowName = "dWS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of W."""
        row_blocks, col_blocks = blocks(m, array.rows), blocks(k, array.cols)
        folds = row_blocks * col_blocks
        return GemmCounts(
            cycles=folds * (n - 2)
            + occupied(array, m, array.rows) * col_blocks
            + 2 * occupied(array, k, array.cols) * row_blocks,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k,
            input_words=k * n * row_blocks,
            output_words=m * n * col_blocks,
            accumulator_reads=m * n * (col_blocks - 1),
        )
