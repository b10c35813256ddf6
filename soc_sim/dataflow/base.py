"""What every dataflow answers: the counts of a GEMM on the bare array, in closed form.

Counts are exact integers. Sizes may be numpy arrays: thousands of candidate tiles, or all tiles of a layer, at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from soc_sim.config.array import Array, DataflowName, SparseDataflowName
from soc_sim.sparsity.bitmap import Bitmap

Size = Any
"""``int``, or an int64 array; results have the broadcast shape of the arguments."""


@dataclass(frozen=True, slots=True)
class GemmCounts:
    """What one GEMM O[M,N] = W[M,K] · X[K,N] costs on the array; words are operands or partial sums."""

    cycles: Size
    folds: Size
    macs: Size
    """Multiply-accumulates the PEs perform."""
    weight_words: Size
    """Words of W that load units fetch, each re-fetch counted."""
    input_words: Size
    """Words of X that load units fetch, each re-fetch counted."""
    output_words: Size
    """Words that store units write, partial sums included."""
    accumulator_reads: Size
    """Partial sums that store units read back to add to."""
    zeros_injected: Size
    """Words of W that enter the grid as zeros from the decompression unit, without a memory access."""


class Dataflow(Protocol):
    """One way to run a GEMM on the array."""

    @property
    def name(self) -> DataflowName:
        """What configurations and results call it."""

    def counts(self, array: Array, m: Size, k: Size, n: Size) -> GemmCounts:
        """Counts of W[m,k] · X[k,n], all sizes positive."""


class SparseDataflow(Protocol):
    """One way to run a GEMM whose W has zeros at known places."""

    @property
    def name(self) -> SparseDataflowName:
        """What configurations and results call it."""

    def counts(self, array: Array, nonzero: Bitmap, n: int) -> GemmCounts:
        """Counts of W[m,k] · X[k,n]; ``nonzero`` has the shape of W."""
