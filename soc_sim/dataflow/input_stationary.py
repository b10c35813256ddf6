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

Zeros of W, known when the model is deployed, save folds and shorten the stream. ``sIS`` leaves out every k at which all
of W is zero and packs the others; a fold then streams only the Mz rows of W that are not zero within its own k. A
single zero in a row that is streamed saves no cycle: the decompression unit injects it, which saves the read.

Status: the dataflows' names are published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied, paid
from soc_sim.dataflow.overlap import dense_stationary_cycles, stationary_cycles
from soc_sim.sparsity.bitmap import Bitmap, extents


@dataclass(frozen=True, slots=True)
class InputStationary:
    """Dense input-stationary dataflow: rows of PEs are rows of X, columns of PEs are columns of X."""

    name: DataflowName = "dIS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of X."""
        row_blocks, col_blocks = blocks(k, array.rows), blocks(n, array.cols)
        folds = row_blocks * col_blocks
        if array.tile_overlap == "prefetch":
            cycles = dense_stationary_cycles(array, m, k, array.rows, n, array.cols)
        else:
            cycles = (
                folds * (m - 2)
                + 2 * occupied(array, k, array.rows) * col_blocks
                + occupied(array, n, array.cols) * row_blocks
            )
        return GemmCounts(
            cycles=cycles,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k * col_blocks,
            input_words=k * n,
            output_words=m * n * row_blocks,
            accumulator_reads=m * n * (row_blocks - 1),
            zeros_injected=0 * m,
        )


@dataclass(frozen=True, slots=True)
class SparseInputStationary:
    """Input stationary without the k that are zero in all of W, and without the zero rows of each block of k."""

    name: SparseDataflowName = "sIS"

    def counts(self, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: the dense folds of the k that are kept, with the rows that a fold keeps for M."""
        kept = np.flatnonzero(nonzero.any(axis=0))
        # A block ends where the next begins: the zero columns in between add nothing.
        streamed_rows = np.logical_or.reduceat(nonzero, kept[:: array.rows], axis=1)
        streamed = streamed_rows.sum(axis=0)
        rows = extents(len(kept), array.rows)
        col_blocks = blocks(n, array.cols)
        entering, nonzeros = int((streamed * rows).sum()), int(np.count_nonzero(nonzero))
        if array.tile_overlap == "prefetch":
            held = np.tile(paid(array, len(kept), array.rows), col_blocks)
            cols = paid(array, n, array.cols).repeat(len(rows))
            cycles = stationary_cycles(np.tile(streamed, col_blocks), held, cols)
        else:
            cycles = col_blocks * (int((streamed - 2).sum()) + 2 * occupied(array, len(kept), array.rows))
            cycles += len(rows) * occupied(array, n, array.cols)
        return GemmCounts(
            cycles=cycles,
            folds=len(rows) * col_blocks,
            macs=entering * n,
            weight_words=nonzeros * col_blocks,
            input_words=len(kept) * n,
            output_words=int(streamed.sum()) * n,
            accumulator_reads=(int(streamed.sum()) - int(streamed_rows.any(axis=1).sum())) * n,
            zeros_injected=(entering - nonzeros) * col_blocks,
        )
