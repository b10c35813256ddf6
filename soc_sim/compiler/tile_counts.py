"""What each tile costs on the array: the dataflow's counts, exact for the zeros of this very tile, in bytes.

Three things differ from the counts of a GEMM on a bare array. K in parts: an output-stationary fold goes on where it
stopped, and sums of the other flows are added to what the buffer holds. Storage: what the weights buffer is read for
depends on the format, metadata are read with each pass over the weights, and without metadata (``dense``) zeros are
read like other words. The decompression unit: a tile takes as long as that needs for all words that enter the array.

Rows of O that no fold produces are zero in the buffer without a write.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from soc_sim.compiler.program import TileCounts
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.tiles import Step, Tiles
from soc_sim.config.array import Array, Flow, dense_family
from soc_sim.dataflow import GemmCounts, counts, counts_of_bitmap
from soc_sim.dataflow.packed import packed_counts
from soc_sim.sparsity.bitmap import Bitmap

SMALL = 256
"""Elements of matrices that are worth remembering: those of many groups are small, and often equal."""
_NOTHING = GemmCounts(0, 0, 0, 0, 0, 0, 0, 0)


class TileCounter:
    """Counts of the tiles of one layer under one dataflow, each remembered."""

    def __init__(self, array: Array, flow: Flow, tiles: Tiles) -> None:
        self.array, self.flow, self.tiles = array, flow, tiles
        self.family = dense_family(flow)
        self.word_bytes = array.operand_bytes if self.family == "dOS" else array.accumulator_bytes
        self._known: dict[object, GemmCounts] = {}
        self._tiles: dict[tuple[int, ...], TileCounts] = {}

    def counts(self, step: Step, addend_bytes: int) -> TileCounts:
        """Counts of one tile; ``addend_bytes``: read from the inputs buffer for a fused addition."""
        tiles = self.tiles
        n = tiles.pixels[step.n].size
        sizes = tiles.groups[step.group].size, tiles.m[step.m].size, tiles.channels[step.k].size
        # Dense tiles of one shape are equal; with zeros, those of one weight tile.
        key = (step.group, step.m, step.k, n) if tiles.weights and not tiles.expands else (*sizes, step.k, n)
        if key not in self._tiles:
            self._tiles[key] = self._in_bytes(step, self._gemm(step, n), n)
        found = self._tiles[key]
        return replace(found, input_bytes=found.input_bytes + addend_bytes) if addend_bytes else found

    def _gemm(self, step: Step, n: int) -> GemmCounts:
        """All groups of the tile, one after another or side by side."""
        tiles = self.tiles
        parts = len(tiles.channels)
        if self.family == "dOS" and parts > 1:
            return self._part(step, n)
        match self.flow:
            case "dOS" | "dWS" | "dIS":
                groups, k = tiles.groups[step.group].size, tiles.channels[step.k].size * tiles.nest.kernel
                m = tiles.m[step.m].size
                if tiles.tiling.side_by_side:
                    found = packed_counts(self.flow, self.array, groups, m, k, n)
                else:
                    found = _times(counts(self.flow, self.array, m, k, n), groups)
            case _:
                found = _NOTHING
                for matrix in self._matrices(step):
                    found = _plus(found, self._of_bitmap(matrix, n))
        # Behind the first part of K, every sum is added to one that is there already.
        return replace(found, accumulator_reads=found.output_words) if step.k else found

    def _part(self, step: Step, n: int) -> GemmCounts:
        """One part of K of a single output-stationary fold: skew and drain, and the results, belong to the last one."""
        tiles = self.tiles
        m, is_last = tiles.m[step.m].size, step.k == len(tiles.channels) - 1
        k = tiles.channels[step.k].size * tiles.nest.kernel
        match self.flow:
            case "dOS" | "dWS" | "dIS":
                whole = counts("dOS", self.array, m, tiles.nest.gemm.k, n)
                rows, streamed, streamed_in_all, values = m, k, tiles.nest.gemm.k, m * k
            case _:
                part = self._matrices(step)[0]
                matrix = self._weights.nonzero[tiles.groups[step.group].start, slice(*tiles.m[step.m])]
                whole = self._of_bitmap(matrix, n)
                rows = int(matrix.any(axis=1).sum()) if self.flow == "csOS" else m
                streamed, streamed_in_all = (int(some.any(axis=0).sum()) for some in (part, matrix))
                values = int(np.count_nonzero(part))
        return GemmCounts(
            cycles=whole.cycles - (streamed_in_all - streamed) if is_last and whole.folds else streamed,
            folds=whole.folds if is_last else 0,
            macs=rows * streamed * n,
            weight_words=values,
            input_words=streamed * n,
            output_words=whole.output_words if is_last else 0,
            accumulator_reads=0,
            zeros_injected=rows * streamed - values,
        )

    @property
    def _weights(self) -> SparseLayer:
        if self.tiles.weights is None:
            raise ValueError(f"{self.flow} skips zeros, but nothing is known of them")
        return self.tiles.weights

    def _matrices(self, step: Step) -> Bitmap:
        """The weight tile, groups × m × k."""
        return self.tiles.nonzero(self._weights, step)

    def _of_bitmap(self, matrix: Bitmap, n: int) -> GemmCounts:
        if matrix.size > SMALL:
            return counts_of_bitmap(self.flow, self.array, matrix, n)
        key = matrix.shape, matrix.tobytes(), n
        if key not in self._known:
            self._known[key] = counts_of_bitmap(self.flow, self.array, matrix, n)
        return self._known[key]

    def _in_bytes(self, step: Step, gemm: GemmCounts, n: int) -> TileCounts:
        operand, weights = self.array.operand_bytes, self.tiles.weights
        entering, metadata_bytes = gemm.weight_words + gemm.zeros_injected, 0
        # What lies beside the groups' own weights is no word of the tile.
        injected = gemm.zeros_injected if self.tiles.tiling.side_by_side else 0
        macs_gated = 0
        if weights is not None and weights.compressed_in_buffer and gemm.folds + gemm.cycles:
            passes = 1 if self.family == "dWS" else -(-n // self.array.cols)
            values = int(np.count_nonzero(self._matrices(step)))
            injected = entering - passes * values
            macs_gated = gemm.macs - values * n
            metadata_bytes = passes * self.tiles.metadata_bytes(step)
        return TileCounts(
            gemm.cycles,
            gemm.folds,
            gemm.macs,
            (entering - injected) * operand + metadata_bytes,
            gemm.input_words * operand,
            gemm.output_words * self.word_bytes,
            gemm.accumulator_reads * self.word_bytes,
            metadata_bytes,
            injected,
            self._decompression_stall(gemm.cycles, entering + gemm.input_words),
            macs_gated,
        )

    def _decompression_stall(self, cycles: int, words: int) -> int:
        unit = self.array.decompression
        if not words:
            return 0
        needed = -(-words // unit.words_per_cycle) if unit.words_per_cycle else 0
        return unit.latency_cycles + max(0, needed - cycles)


def _times(gemm: GemmCounts, groups: int) -> GemmCounts:
    return GemmCounts(
        gemm.cycles * groups,
        gemm.folds * groups,
        gemm.macs * groups,
        gemm.weight_words * groups,
        gemm.input_words * groups,
        gemm.output_words * groups,
        gemm.accumulator_reads * groups,
        gemm.zeros_injected * groups,
    )


def _plus(one: GemmCounts, other: GemmCounts) -> GemmCounts:
    return GemmCounts(
        one.cycles + other.cycles,
        one.folds + other.folds,
        one.macs + other.macs,
        one.weight_words + other.weight_words,
        one.input_words + other.input_words,
        one.output_words + other.output_words,
        one.accumulator_reads + other.accumulator_reads,
        one.zeros_injected + other.zeros_injected,
    )
