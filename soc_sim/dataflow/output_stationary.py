"""Output stationary: every PE owns one element of O until it is complete.

::

              X[k, n]   one column of O per column of PEs,
                 │      column j starts j cycles late
                 ▼
    W[m, k] ─► ┌────┬────┬────┐
    row i      │ o+=│ o+=│ o+=│ ─► W to the right neighbour
    starts i   ├────┼────┼────┤
    cycles     │ o+=│ o+=│ o+=│
    late       └────┴────┴────┘
                 │ X to the neighbour below; at the end O drains through the same links
                 ▼
              O[m, n]

A fold computes r × c elements of O. PE (i, j) meets W[i, k] and X[k, j] in cycle i + j + k, so the last MAC ends after
K + r + c − 2 cycles: K for the stream, r − 1 and c − 1 for the skew. Then r words of each column leave through its one
bottom link, which takes r more cycles: K + 2r + c − 2. Both operands are fetched again for every fold that needs them;
outputs are written once, complete, and nothing is ever read back.

``os_drain: hidden`` leaves out the drain, which makes the count comparable with SCALE-Sim. No hardware of this model
does that for nothing: the drain needs links that the next fold's inputs use.

Zeros of W, known when the model is deployed, shorten the stream. ``sOS`` leaves out the columns of a row block in which
all weights are zero, and fetches neither them nor the matching rows of X: a fold streams the Kz that are left, and a
row block without any is not run. ``csOS`` first drops the rows of W that are zero over the whole K and packs the others
into fewer row blocks. A single zero in a column that is kept saves no cycle: the decompression unit injects it, which
saves the read.

Status: the dataflows' names are published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied, paid
from soc_sim.dataflow.overlap import dense_output_cycles, output_cycles
from soc_sim.sparsity.bitmap import Bitmap, any_in_row_blocks, extents


@dataclass(frozen=True, slots=True)
class OutputStationary:
    """Dense output-stationary dataflow: rows of PEs are rows of O, columns of PEs are columns of O."""

    name: DataflowName = "dOS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of O."""
        row_blocks, col_blocks = blocks(m, array.rows), blocks(n, array.cols)
        folds = row_blocks * col_blocks
        if array.tile_overlap == "prefetch":
            cycles = dense_output_cycles(array, k, m, n)
        else:
            cycles = (
                folds * (k - 2)
                + _skew_and_drain(array) * occupied(array, m, array.rows) * col_blocks
                + occupied(array, n, array.cols) * row_blocks
            )
        return GemmCounts(
            cycles=cycles,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k * col_blocks,
            input_words=k * n * row_blocks,
            output_words=m * n,
            accumulator_reads=0 * m,
            zeros_injected=0 * m,
        )


@dataclass(frozen=True, slots=True)
class SparseOutputStationary:
    """Output stationary without the zero columns of each row block."""

    name: SparseDataflowName = "sOS"

    def counts(self, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: the dense fold, with the columns that a row block keeps for K."""
        kept = any_in_row_blocks(nonzero, array.rows).sum(axis=1)
        rows = extents(len(nonzero), array.rows)[kept > 0]
        paid_rows = paid(array, len(nonzero), array.rows)[kept > 0]
        kept = kept[kept > 0]
        col_blocks = blocks(n, array.cols)
        macs_of_a_column, nonzeros = int((kept * rows).sum()), int(np.count_nonzero(nonzero))
        if array.tile_overlap == "prefetch":
            cols = np.tile(paid(array, n, array.cols), len(rows))
            cycles = output_cycles(kept.repeat(col_blocks), paid_rows.repeat(col_blocks), cols)
        else:
            cycles = col_blocks * int((kept - 2 + _skew_and_drain(array) * paid_rows).sum())
            cycles += len(rows) * occupied(array, n, array.cols)
        return GemmCounts(
            cycles=cycles,
            folds=len(rows) * col_blocks,
            macs=macs_of_a_column * n,
            weight_words=nonzeros * col_blocks,
            input_words=int(kept.sum()) * n,
            output_words=int(rows.sum()) * n,
            accumulator_reads=0,
            zeros_injected=(macs_of_a_column - nonzeros) * col_blocks,
        )


@dataclass(frozen=True, slots=True)
class CompactedOutputStationary:
    """Output stationary without zero rows, and without the zero columns of each block of the others."""

    name: SparseDataflowName = "csOS"

    def counts(self, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: those of sOS for the rows that are not zero."""
        return SparseOutputStationary().counts(array, nonzero[nonzero.any(axis=1)], n)


def _skew_and_drain(array: Array) -> int:
    """How often a fold pays for its rows."""
    return 2 if array.os_drain == "exposed" else 1
