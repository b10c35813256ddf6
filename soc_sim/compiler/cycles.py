"""Cycles of the array for every candidate tiling of a layer, and what buffers and decompression add to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import edges
from soc_sim.compiler.sizes import Floats, Sizes, extents
from soc_sim.compiler.views import Integers
from soc_sim.config.array import DataflowName, SparseDataflowName, dense_family
from soc_sim.config.core import BUFFERS, Scratchpad
from soc_sim.dataflow import counts


def dense_cycles(sizes: Sizes, dataflow: DataflowName) -> tuple[Integers, Floats]:
    """Cycles of the whole layer for every candidate, and how much longer buffers or decompression make a full tile.

    The closed form is evaluated once for every extent that occurs, then summed over the tiles as a product of
    matrices: candidates × extents (how many tiles have that extent) for each of n, m and k.
    """
    nest, array, s, b = sizes.nest, sizes.soc.array, sizes.spatial, sizes.blocks
    whole_k = dataflow == "dOS"  # fed in parts or not, a fold streams all of K
    n_values, n_counts = sizes.n_extents
    m_sizes, m_index = np.unique(b.m, return_inverse=True)
    c_sizes, c_index = np.unique(b.channels, return_inverse=True)
    m_values, m_counts = extents([dict(edges(nest.m, size)) for size in m_sizes.tolist()])
    k_values, k_counts = extents(
        [
            {nest.channels * nest.kernel: 1}
            if whole_k
            else {extent * nest.kernel: count for extent, count in edges(nest.channels, size)}
            for size in c_sizes.tolist()
        ]
    )
    table = counts(dataflow, array, m_values[None, :, None], k_values[None, None, :], n_values[:, None, None])
    by_tile = np.tensordot(n_counts, table.cycles.astype(np.float64), 1)
    grid = m_counts @ (by_tile @ k_counts.T)
    total = np.rint(grid[:, m_index, c_index]).astype(np.int64) * nest.groups
    k = np.full_like(sizes.k, nest.gemm.k) if whole_k else sizes.k
    full, groups = counts(dataflow, array, b.m[None], k[None], s.n[:, None]), b.groups[None]
    ratio = _ratio(
        sizes,
        groups * full.cycles,
        weight_words=full.weight_words * groups,
        entering=full.weight_words * groups,
        input_words=full.input_words * groups,
        output_words=(full.output_words + full.accumulator_reads) * groups,
        word_bytes=array.operand_bytes if whole_k else array.accumulator_bytes,
        tiles=1,
    )
    return total, ratio


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
    accesses = {
        "weights": weight_words * e + sizes.weight_tile * moved,
        "inputs": input_words * e + sizes.addend_tile * tiles + (sizes.addend_tile + sizes.input_tile) * moved,
        "outputs": output_words * word_bytes + sizes.output_elements * e * moved,
    }
    ratio: Floats = np.ones((1, 1))
    for name in BUFFERS:
        scratchpad: Scratchpad = getattr(soc.buffers, name)
        ratio = np.maximum(ratio, accesses[name] / (scratchpad.ports * soc.port_width_bytes(name) * cycles))
    if soc.array.decompression.words_per_cycle is not None:
        ratio = np.maximum(ratio, (entering + input_words) / (soc.array.decompression.words_per_cycle * cycles))
    return ratio
