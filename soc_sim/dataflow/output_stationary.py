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

Status: the dataflow's name is published (FlexiSAGA, arXiv 2506.01566); movements and cycles are reconstructed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.array import Array, DataflowName
from soc_sim.dataflow.base import GemmCounts, Size
from soc_sim.dataflow.folds import blocks, occupied


@dataclass(frozen=True, slots=True)
class OutputStationary:
    """Dense output-stationary dataflow: rows of PEs are rows of O, columns of PEs are columns of O."""

    name: DataflowName = "dOS"

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]: one fold per block of R rows and C columns of O."""
        row_blocks, col_blocks = blocks(m, array.rows), blocks(n, array.cols)
        folds = row_blocks * col_blocks
        skew_and_drain = 2 if array.os_drain == "exposed" else 1
        return GemmCounts(
            cycles=folds * (k - 2)
            + skew_and_drain * occupied(array, m, array.rows) * col_blocks
            + occupied(array, n, array.cols) * row_blocks,
            folds=folds,
            macs=m * k * n,
            weight_words=m * k * col_blocks,
            input_words=k * n * row_blocks,
            output_words=m * n,
            accumulator_reads=0 * m,
        )
