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

Zeros of W, known when the model is deployed, save folds. ``sWS`` packs the columns of a row block that are not zero
side by side: ceil(Kz/C) folds instead of ceil(K/C), and the rows of X that match zero columns are not fetched. A single
zero in a column that is kept saves no cycle: the decompression unit injects it, which saves the read.

Status: the dataflows' names are published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied, paid
from soc_sim.dataflow.overlap import dense_stationary_cycles, stationary_cycles
from soc_sim.sparsity.bitmap import Bitmap, any_in_row_blocks, extents


@dataclass(frozen=True, slots=True)
class WeightStationary:
    """Dense weight-stationary dataflow: rows of PEs are rows of W, columns of PEs are columns of W."""

    name: DataflowName = "dWS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of W."""
        row_blocks, col_blocks = blocks(m, array.rows), blocks(k, array.cols)
        folds = row_blocks * col_blocks
        if array.tile_overlap == "prefetch":
            cycles = dense_stationary_cycles(array, n, k, array.cols, m, array.rows)
        else:
            cycles = (
                folds * (n - 2)
                + occupied(array, m, array.rows) * col_blocks
                + 2 * occupied(array, k, array.cols) * row_blocks
            )
        return GemmCounts(
            cycles=cycles,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k,
            input_words=k * n * row_blocks,
            output_words=m * n * col_blocks,
            accumulator_reads=m * n * (col_blocks - 1),
            zeros_injected=0 * m,
        )


@dataclass(frozen=True, slots=True)
class SparseWeightStationary:
    """Weight stationary with the non-zero columns of each row block packed side by side."""

    name: SparseDataflowName = "sWS"

    def counts(self, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: the dense folds of each row block, with the columns that it keeps for K."""
        kept = any_in_row_blocks(nonzero, array.rows).sum(axis=1)
        rows = extents(len(nonzero), array.rows)
        col_blocks = blocks(kept, array.cols)
        paid_rows = paid(array, len(nonzero), array.rows)
        held, nonzeros, folds = int((kept * rows).sum()), int(np.count_nonzero(nonzero)), int(col_blocks.sum())
        if array.tile_overlap == "prefetch":
            cols = [paid(array, columns, array.cols) for columns in kept.tolist()]
            cycles = stationary_cycles(np.full(folds, n), np.concatenate(cols), paid_rows.repeat(col_blocks))
        else:
            cycles = folds * (n - 2) + int((paid_rows * col_blocks).sum())
            cycles += 2 * int(occupied(array, kept, array.cols).sum())
        return GemmCounts(
            cycles=cycles,
            folds=folds,
            macs=held * n,
            weight_words=nonzeros,
            input_words=int(kept.sum()) * n,
            output_words=int((rows * col_blocks).sum()) * n,
            accumulator_reads=int((rows * np.maximum(col_blocks - 1, 0)).sum()) * n,
            zeros_injected=held - nonzeros,
        )
