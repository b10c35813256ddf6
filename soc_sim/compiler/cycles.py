"""Cycles of the array for every candidate tiling of a layer, and what buffers and decompression add to them.

Also the words that pass between array and buffers, for the energy of a candidate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import edges
from soc_sim.compiler.sizes import Floats, Sizes, extents
from soc_sim.compiler.views import Integers
from soc_sim.config.array import DataflowName, SparseDataflowName, dense_family
from soc_sim.config.core import BufferName
from soc_sim.dataflow import counts
from soc_sim.dataflow.banks import port_cycles
from soc_sim.dataflow.packed import packed_counts

_FIELDS = ("cycles", "weight_words", "zeros_injected", "input_words", "output_words", "accumulator_reads")


@dataclass(frozen=True, slots=True)
class Work:
    """What the array does and moves for a whole layer; arrays S × B or what broadcasts to it."""

    macs: Integers | int
    """Injected zeros included."""
    weight_words: Integers
    """Read from the weights buffer; injected zeros not."""
    input_words: Integers
    output_words: Integers
    """Written, partial sums included."""
    accumulator_words: Integers
    """Partial sums read back."""
    entering: Integers
    """Words of W that enter the array, injected zeros included."""
    passed: Floats | Integers
    """PEs that a word of W passes, over all words: with groups side by side more than are multiplied."""


class _DenseSums:
    """Counts of a dense dataflow, summed over the tiles of every candidate.

    The closed form is evaluated once for every extent that occurs, then summed over the tiles as a product of
    matrices: candidates × extents (how many tiles have that extent) for each of n, m and k.
    """

    def __init__(self, sizes: Sizes, dataflow: DataflowName) -> None:
        nest, b = sizes.nest, sizes.blocks
        self.sizes, self.dataflow = sizes, dataflow
        self.n_values, self.n_counts = sizes.n_extents
        m_sizes, self.m_index = np.unique(b.m, return_inverse=True)
        c_sizes, self.c_index = np.unique(b.channels, return_inverse=True)
        m_values, self.m_counts = extents([dict(edges(nest.m, size)) for size in m_sizes.tolist()])
        k_values, self.k_counts = extents(
            [
                # Fed in parts or not, an output-stationary fold streams all of K.
                {nest.channels * nest.kernel: 1}
                if dataflow == "dOS"
                else {extent * nest.kernel: count for extent, count in edges(nest.channels, size)}
                for size in c_sizes.tolist()
            ]
        )
        self.table = counts(
            dataflow, sizes.soc.array, m_values[None, :, None], k_values[None, None, :], self.n_values[:, None, None]
        )

    def of(self, field: str) -> Integers:
        """One of the counts, S × B."""
        by_tile = np.tensordot(self.n_counts, np.asarray(getattr(self.table, field), np.float64), 1)
        grid = self.m_counts @ (by_tile @ self.k_counts.T)
        total: Integers = np.rint(grid[:, self.m_index, self.c_index]).astype(np.int64) * self.sizes.nest.groups
        for index in np.flatnonzero(self.sizes.blocks.side_by_side).tolist():
            total[:, index] = self._side_by_side(field, int(self.sizes.blocks.groups[index]))
        return total

    def _side_by_side(self, field: str, groups: int) -> Integers:
        """The same for tiles of so many groups side by side."""
        nest, total = self.sizes.nest, np.zeros(len(self.n_counts))
        for extent, count in edges(nest.groups, groups):
            packed = packed_counts(self.dataflow, self.sizes.soc.array, extent, nest.m, nest.gemm.k, self.n_values)
            total += count * (self.n_counts @ np.asarray(getattr(packed, field), np.float64))
        return np.rint(total).astype(np.int64)


def dense_work(sizes: Sizes, dataflow: DataflowName) -> Work:
    """What a dense dataflow does; of compressed weights only the values are read."""
    sums, gemm = _DenseSums(sizes, dataflow), sizes.nest.gemm
    weights, outputs = sums.of("weight_words"), sums.of("output_words")
    entering: Integers = weights + sums.of("zeros_injected")
    passed = gemm.macs * (entering / np.maximum(weights, 1))
    if sizes.weights is not None and sizes.weights.compressed_in_buffer:
        weights = np.rint(weights * (1 - sizes.weights.sparsity)).astype(np.int64)
    # The first of the sums that belong to one result is written, all others are added to it.
    read_back = outputs - gemm.groups * gemm.m * gemm.n
    return Work(gemm.macs, weights, sums.of("input_words"), outputs, read_back, entering, passed)


def sparse_work(sizes: Sizes, dataflow: SparseDataflowName) -> Work:
    """What a sparse dataflow does; rows of results that no fold produces are not written."""
    if sizes.weights is None:
        raise ValueError("a sparse dataflow needs weights")
    found, gemm = sizes.weights.sums(dataflow, sizes.blocks), sizes.nest.gemm
    n_values, n_counts = sizes.n_extents
    blocks = np.rint(n_counts @ -(-n_values // sizes.soc.array.cols)).astype(np.int64)[:, None]
    passes = sizes.n_tiles if dataflow == "sWS" else blocks
    values = found.entering if sizes.weights.format == "dense" else np.full((1, 1), sizes.weights.values)
    outputs = found.outputs[None] * gemm.n
    # Which result a fold of sIS is the first to write is not known: every result is taken to be written once.
    read_back = np.maximum(outputs - gemm.groups * gemm.m * gemm.n, 0)
    macs = found.entering[None] * gemm.n
    entering: Integers = found.entering * passes
    return Work(macs, values * passes, found.inputs[None] * gemm.n, outputs, read_back, entering, macs)


def dense_cycles(sizes: Sizes, dataflow: DataflowName) -> tuple[Integers, Floats]:
    """Cycles of the whole layer for every candidate, and how much longer buffers or decompression make a full tile."""
    full = _full_tile(sizes, dataflow)
    ratio = _ratio(
        sizes,
        full["cycles"],
        weight_words=full["weight_words"],
        entering=full["weight_words"] + full["zeros_injected"],
        input_words=full["input_words"],
        output_words=full["output_words"] + full["accumulator_reads"],
        word_bytes=sizes.soc.array.operand_bytes if dataflow == "dOS" else sizes.soc.array.accumulator_bytes,
        tiles=1,
    )
    return _DenseSums(sizes, dataflow).of("cycles"), ratio


def _full_tile(sizes: Sizes, dataflow: DataflowName) -> dict[str, Integers]:
    """Counts of a tile of the full extent, S × B, all its groups together."""
    array, b, n = sizes.soc.array, sizes.blocks, sizes.spatial.n
    k = np.full_like(sizes.k, sizes.nest.gemm.k) if dataflow == "dOS" else sizes.k
    one = counts(dataflow, array, b.m[None], k[None], n[:, None])
    found = {field: getattr(one, field) * b.groups[None] for field in _FIELDS}
    for index in np.flatnonzero(b.side_by_side).tolist():
        packed = packed_counts(dataflow, array, int(b.groups[index]), sizes.nest.m, sizes.nest.gemm.k, n)
        for field in _FIELDS:
            found[field][:, index] = getattr(packed, field)
    return found


def sparse_cycles(sizes: Sizes, dataflow: SparseDataflowName) -> tuple[Integers, Floats, NDArray[np.bool_]]:
    """As :func:`dense_cycles` with these weights' zeros, slowed down as the mean tile is; and what is possible."""
    if sizes.weights is None:
        raise ValueError("a sparse dataflow needs weights")
    array = sizes.soc.array
    found = sizes.weights.sums(dataflow, sizes.blocks)
    n_values, n_counts = sizes.n_extents
    col_blocks = -(-n_values // array.cols)
    paid = n_values if array.edge_tiles == "actual" else col_blocks * array.cols
    streamed = n_values if array.tile_overlap == "none" else np.maximum(n_values, array.cols)

    def over_tiles(per_tile: Integers) -> Integers:
        return np.rint(n_counts @ per_tile).astype(np.int64)[:, None]

    tiles, blocks, n = sizes.n_tiles, over_tiles(col_blocks), over_tiles(n_values)
    cycles = (
        found.per_col_block * blocks
        + found.per_col * over_tiles(paid)
        + found.per_n * over_tiles(streamed)
        + found.per_tile * tiles
    )
    passes = tiles if dataflow == "sWS" else blocks
    dense = sizes.weights.format == "dense"
    output_stationary = dense_family(dataflow) == "dOS"
    ratio = _ratio(
        sizes,
        np.maximum(cycles, 1),
        weight_words=(found.entering if dense else sizes.weights.values) * passes,
        entering=found.entering * passes,
        input_words=found.inputs * n,
        output_words=found.outputs * n * (1 if output_stationary else 2),
        word_bytes=array.operand_bytes if output_stationary else array.accumulator_bytes,
        tiles=sizes.g_tiles * sizes.m_tiles * sizes.k_tiles * sizes.n_tiles,
    )
    return cycles, ratio, found.legal[None]


def _ratio(
    sizes: Sizes,
    cycles: Integers,
    *,
    weight_words: Integers,
    entering: Integers,
    input_words: Integers,
    output_words: Integers,
    word_bytes: int,
    tiles: Integers | int,
) -> Floats:
    """Time that ports of buffers or the decompression unit need for so many tiles, over the array's cycles."""
    soc, e = sizes.soc, sizes.soc.array.operand_bytes
    # What the DMA moves for one tile meets the array at work on another.
    moved = tiles * (1 - 1 / (sizes.g_tiles * sizes.m_tiles * sizes.k_tiles * sizes.n_tiles))
    loaded, results = sizes.tile_bytes("dOS"), sizes.output_elements * e
    kept = results * (sizes.homes.outputs == "inputs_buffer")
    # Partial sums are read and written, results of output-stationary flows only written.
    sums = output_words * word_bytes
    read_back = sums / 2 if word_bytes > e else 0
    accesses: dict[BufferName, tuple[Any, Any, Any]] = {
        "weights": (weight_words * e, 0, loaded["weights"] * moved),
        "inputs": (input_words * e + sizes.addend_tile * tiles, 0, (loaded["inputs"] + kept) * moved),
        "outputs": (read_back, sums - read_back, results * moved),
    }
    ratio: Floats = np.ones((1, 1))
    for operands in soc.buffers.pads.values():
        first = operands[0]
        streams = [size for name in operands for size in accesses[name][:2]]
        dma_bytes = sum(accesses[name][2] for name in operands)
        needed = port_cycles(soc.buffers.of(first), soc.port_width_bytes(first), cycles, streams, dma_bytes)
        ratio = np.maximum(ratio, needed / cycles)
    if soc.array.decompression.words_per_cycle is not None:
        ratio = np.maximum(ratio, (entering + input_words) / (soc.array.decompression.words_per_cycle * cycles))
    return ratio
