"""Input stationary: every PE holds one element of X while all rows of W pass by.

::

              X[k, n]   preload from the top, then idle
                 │
                 ▼
    W[m, k] ─► ┌────┬────┬────┐
    column k   │ x  │ x  │ x  │   row i starts i cycles late
    of W runs  ├────┼────┼────┤
    along row  │ x  │ x  │ x  │
    k of the   └────┴────┴────┘
    tile         │    │    │
                 ▼    ▼    ▼
              partial sums O[m, n] leave by the bottom edge

A fold holds r rows (k) and c columns (n) of X. Preload shifts r words into each column through its one top link: r
cycles. Then PE (i, j) meets W[m, i] and the partial sum of the neighbour above in cycle i + j + m, so the stream takes
M + r + c − 2 cycles: 2r + c + M − 2 in all. Each element of X is fetched once; W is fetched once per block of columns.
A block of k yields only a part of every sum, so from the second block on store units read what is in the output buffer
and add.

Status: the dataflow's name is published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.array import Array, DataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied


@dataclass(frozen=True, slots=True)
class InputStationary:
    """Dense input-stationary dataflow: rows of PEs are rows of X, columns of PEs are columns of X."""

    name: DataflowName = "dIS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of X."""
        row_blocks, col_blocks = blocks(k, array.rows), blocks(n, array.cols)
        folds = row_blocks * col_blocks
        return GemmCounts(
            cycles=folds * (m - 2)
            + 2 * occupied(array, k, array.rows) * col_blocks
            + occupied(array, n, array.cols) * row_blocks,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k * col_blocks,
            input_words=k * n,
            output_words=m * n * row_blocks,
            accumulator_reads=m * n * (row_blocks - 1),
        )
