"""The cost model: expected time and traffic of every candidate tiling of a layer, all at once.

Per candidate: cycles of the array (the dataflow's closed form, exact over the real edge tiles, longer where a buffer's
ports are the limit), time of each DMA queue, of the memory and of the interconnect that all share, and of the
controller. What is double-buffered overlaps: the longest counts. What is not adds to the array's time. The first loads
(fill) and the last store (drain) stand alone. Shapes in this module: S spatial candidates × B blocks.

Left out: contention, row misses and refresh; loads that run ahead into the next layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import Blocks, Spatial, blocks, edges, spatial
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.views import Integers, View, box_shape
from soc_sim.config.array import DataflowName, Flow, SparseDataflowName, dense_family
from soc_sim.config.core import BUFFERS, Scratchpad
from soc_sim.config.soc import Soc
from soc_sim.dataflow import counts

Floats = NDArray[np.float64]
Order = Literal["m", "n"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Passes and bytes over the whole layer, for one loop order; arrays S × B."""

    weight_bytes: Integers
    input_bytes: Integers
    """Second operands of fused additions included."""
    weight_loads: Integers
    input_loads: Integers
    shared_loops: Integers
    """Blocks of work that can be dealt out to cores."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All candidates of one dataflow and loop order; arrays S × B."""

    dataflow: Flow
    outer: Order
    legal: NDArray[np.bool_]
    latency_ps: Floats
    cycles: Integers
    read_bytes: Integers
    """From all memories."""
    dram_read_bytes: Integers
    tiles: Integers


class CostModel:
    """The candidates of one layer on one SoC; :meth:`evaluate` prices them for a dataflow.

    With ``weights`` these are stored and, by sparse dataflows, executed without their zeros; otherwise densely.
    """

    def __init__(
        self, nest: Nest, operands: Operands, soc: Soc, rates: Rates, weights: SparseLayer | None = None
    ) -> None:
        self.nest, self.operands, self.soc, self.rates = nest, operands, soc, rates
        self.spatial: Spatial = spatial(nest, soc.array)
        self.blocks: Blocks = blocks(nest, soc.array)
        s, b, e = self.spatial, self.blocks, soc.array.operand_bytes
        self.k = b.channels * nest.kernel
        self.n_tiles = s.tiles[:, None]
        self.g_tiles = -(-nest.groups // b.groups)[None]
        self.m_tiles = -(-nest.m // b.m)[None]
        self.k_tiles = -(-nest.channels // b.channels)[None]
        self.weights_apart = operands.w is None and soc.weight_memory is not None
        self.constants = nest.channel_words * soc.array.accumulator_bytes
        # Bytes of the largest tile of each operand.
        self.weight_tile = (b.groups * b.m * (self.k * e + self.constants))[None]
        pixels = s.images * s.tile_in_rows * s.tile_in_cols
        self.input_tile = pixels[:, None] * (b.groups * b.channels * e)[None]
        self.output_elements = s.n[:, None] * (b.groups * b.m)[None]
        self.addend_tile = self.output_elements * (len(operands.residuals) * e)
        # Bytes of one pass over each operand.
        gemm = nest.gemm
        self.weight_total: Integers = np.full((1, 1), nest.weight_bytes(soc.array))
        self.input_total = s.pixels_read[:, None] * (nest.groups * nest.channels * e)
        self.output_total = gemm.groups * gemm.m * gemm.n * e

        self.weights, self.compressible = weights, np.ones(len(b.m), bool)
        if weights is not None:
            largest, total, self.compressible = weights.tile_bytes(b, self.constants)
            self.weight_tile, self.weight_total = largest[None], total[None]
        self.lines = self._lines()

    def tile_bytes(self, dataflow: Flow) -> dict[str, Integers]:
        """Bytes of the largest tile in each buffer."""
        array = self.soc.array
        word = array.operand_bytes if dense_family(dataflow) == "dOS" else array.accumulator_bytes
        return {
            "weights": self.weight_tile,
            "inputs": self.input_tile + self.addend_tile,
            "outputs": self.output_elements * word,
        }

    def legal(self, dataflow: Flow) -> NDArray[np.bool_]:
        """Candidates that fit the buffers and that the dataflow can run."""
        legal = np.broadcast_to(self.compressible, (len(self.spatial.n), len(self.k)))
        for name, size in self.tile_bytes(dataflow).items():
            legal = legal & (size <= getattr(self.soc.buffers, name).capacity_bytes)
        if dense_family(dataflow) == "dOS":
            # A fold that is fed in parts holds its sums in the PEs, so it must be the only one of its tile.
            array, b = self.soc.array, self.blocks
            single = (b.m <= array.rows)[None] & (b.groups == 1)[None] & (self.spatial.n <= array.cols)[:, None]
            legal = legal & ((self.k_tiles == 1) | single)
        return legal

    def evaluate(self, dataflow: Flow) -> Iterator[Evaluation]:
        """Prices of all candidates, for both loop orders."""
        legal = self.legal(dataflow)
        if not legal.any():
            return
        match dataflow:
            case "dOS" | "dWS" | "dIS":
                cycles, ratio = self._cycles(dataflow)
            case _:
                cycles, ratio, possible = self._sparse_cycles(dataflow)
                legal = legal & possible
                if not legal.any():
                    return
        tiles = self.g_tiles * self.m_tiles * self.k_tiles * self.n_tiles
        busy = cycles * ratio + tiles * self.soc.array.decompression.latency_cycles
        for outer in ("m", "n"):
            traffic = self._traffic(outer)
            yield Evaluation(
                dataflow,
                outer,
                legal,
                self._latency(dataflow, busy, traffic),
                cycles,
                traffic.weight_bytes + traffic.input_bytes,
                traffic.input_bytes + (0 if self.weights_apart else traffic.weight_bytes),
                tiles,
            )

    def _traffic(self, outer: Order) -> Traffic:
        """Each tile is loaded again unless it is the one loaded last; k runs innermost."""
        one_k, one_m, one_n = self.k_tiles == 1, self.m_tiles == 1, self.n_tiles == 1
        units = self.g_tiles * (self.m_tiles if outer == "m" else self.n_tiles)
        # A tile that all blocks of the outer loop share is loaded once by each core that has some of them.
        copies = np.where(self.g_tiles == 1, np.minimum(self.soc.cores, units), 1)
        if outer == "m":
            weight_passes = np.where(one_k, 1, self.n_tiles)
            input_passes = np.where(one_k & one_n, np.minimum(copies, self.m_tiles), self.m_tiles)
        else:
            input_passes = np.where(one_k, 1, self.m_tiles)
            weight_passes = np.where(one_k & one_m, np.minimum(copies, self.n_tiles), self.n_tiles)
        addends = len(self.operands.residuals)
        return Traffic(
            weight_passes * self.weight_total,
            input_passes * self.input_total + addends * self.output_total,
            weight_passes * (self.g_tiles * self.m_tiles * self.k_tiles),
            input_passes * (self.g_tiles * self.n_tiles * self.k_tiles)
            + addends * self.g_tiles * self.n_tiles * self.m_tiles,
            units,
        )

    def _latency(self, dataflow: Flow, cycles: Floats, traffic: Traffic) -> Floats:
        soc, rates = self.soc, self.rates
        share = -(-traffic.shared_loops // soc.cores) / traffic.shared_loops
        tiles = self.tile_bytes(dataflow)
        x_rounding, x_regions, x_requests = self.lines["inputs"]
        o_rounding, o_regions, o_requests = self.lines["outputs"]
        stores = self.g_tiles * self.m_tiles * self.n_tiles
        w_rounding, w_regions, w_requests = self.lines["weights"]
        weight_rate = rates.weight_load_ps_per_byte if self.weights_apart else rates.dram_load_ps_per_byte
        descriptor, request = rates.descriptor_ps, rates.request_ps
        queues = {
            "weights": traffic.weight_bytes * np.maximum(weight_rate, w_requests * request)
            + traffic.weight_loads * w_regions * descriptor,
            "inputs": traffic.input_bytes * np.maximum(rates.dram_load_ps_per_byte, x_requests * request)
            + traffic.input_loads * x_regions * descriptor,
            "outputs": self.output_total * np.maximum(rates.store_ps_per_byte, o_requests * request)
            + stores * o_regions * descriptor,
        }
        loads = {"weights": traffic.weight_loads, "inputs": traffic.input_loads, "outputs": stores}
        weight_memory_ps = traffic.weight_bytes * w_rounding * rates.weights.read_ps_per_byte
        dram_ps = (
            traffic.input_bytes * x_rounding * rates.dram.read_ps_per_byte
            + self.output_total * o_rounding * rates.dram.write_ps_per_byte
        )
        # At worst reads and writes alternate from chunk to chunk.
        dram_reads = traffic.input_bytes + (0 if self.weights_apart else traffic.weight_bytes)
        turns = np.minimum(dram_reads, self.output_total) / (soc.dma.chunk_bytes * getattr(soc.dram, "channels", 1))
        dram_ps = dram_ps + turns * rates.dram.turnaround_ps
        shared = np.maximum(dram_ps, weight_memory_ps) if self.weights_apart else dram_ps + weight_memory_ps
        read = traffic.weight_bytes + traffic.input_bytes
        fabric = (
            read + self.output_total if soc.interconnect.kind == "bus" else np.maximum(read, self.output_total)
        ) * rates.fabric_ps_per_byte
        tiles_run = stores * self.k_tiles
        instructions = traffic.weight_loads + traffic.input_loads + tiles_run + stores
        array = cycles * rates.array_cycle_ps
        serial: Floats = np.zeros((1, 1))
        for name, time in queues.items():
            # A queue whose next tile has no room waits for the array; the first tile belongs to fill or drain.
            double = 2 * tiles[name] <= getattr(soc.buffers, name).capacity_bytes
            serial = serial + np.where(double, 0.0, time * (1 - 1 / loads[name]))
        channels: dict[str, Floats] = {}
        for name, channel in soc.dma.channel_of.items():
            channels[channel] = channels.get(channel, np.zeros((1, 1))) + queues[name]
        steady = np.maximum.reduce(
            np.broadcast_arrays(array + serial, *channels.values(), instructions * rates.dispatch_ps)
        )
        fill = np.maximum(
            queues["weights"] / loads["weights"] + rates.weight_latency_ps,
            queues["inputs"] / loads["inputs"] + rates.load_latency_ps,
        )
        drain = queues["outputs"] / stores + rates.load_latency_ps
        latency: Floats = np.maximum(np.maximum(steady * share, shared), fabric) + fill + drain
        return latency

    def _lines(self) -> dict[str, tuple[Floats | float, Integers | int, Floats | float]]:
        """Per operand: bytes a memory moves for one that is wanted, regions of a tile, requests for a byte.

        Short lines fill whole bursts of the memory, and each is a request of its own.
        """
        s, b, burst, request_bytes = self.spatial, self.blocks, self.rates.dram.burst_bytes, self.soc.dma.burst_bytes
        # A tile that is all padding reads nothing; its lines are then of no account.
        in_rows, in_cols = (np.maximum(size, 1)[:, None] for size in (s.tile_in_rows, s.tile_in_cols))
        images = s.images[:, None]
        groups, m, channels = b.groups[None], b.m[None], b.channels[None]

        def of(view: View, *sizes: Integers) -> tuple[Floats, Integers, Floats]:
            line_bytes, _, regions = box_shape(view, sizes)
            # A line that is not whole bursts begins anywhere within one.
            bursts = np.where(line_bytes % burst == 0, line_bytes // burst, 1 + (line_bytes - 1) / burst)
            return bursts * burst / line_bytes, regions, -(-line_bytes // request_bytes) / line_bytes

        w, kernel = self.operands.w, (np.array(self.nest.rows.kernel), np.array(self.nest.cols.kernel))
        return {
            "weights": (1.0, 1, 0.0) if w is None else of(w, groups, m, channels, *kernel),
            "inputs": of(self.operands.x, images, in_rows, in_cols, groups, channels),
            "outputs": of(self.operands.o, images, s.rows[:, None], s.cols[:, None], groups, m),
        }

    def _cycles(self, dataflow: DataflowName) -> tuple[Integers, Floats]:
        """Cycles of the whole layer for every candidate, and how much longer buffers or decompression make a full tile.

        The closed form is evaluated once for every extent that occurs, then summed over the tiles as a product of
        matrices: candidates × extents (how many tiles have that extent) for each of n, m and k.
        """
        nest, array, s, b = self.nest, self.soc.array, self.spatial, self.blocks
        whole_k = dataflow == "dOS"  # fed in parts or not, a fold streams all of K
        n_values, n_counts = self._n_extents
        m_sizes, m_index = np.unique(b.m, return_inverse=True)
        c_sizes, c_index = np.unique(b.channels, return_inverse=True)
        m_values, m_counts = _extents([dict(edges(nest.m, size)) for size in m_sizes.tolist()])
        k_values, k_counts = _extents(
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
        k = np.full_like(self.k, nest.gemm.k) if whole_k else self.k
        full, groups = counts(dataflow, array, b.m[None], k[None], s.n[:, None]), b.groups[None]
        ratio = self._ratio(
            groups * full.cycles,
            weight_words=full.weight_words * groups,
            entering=full.weight_words * groups,
            input_words=full.input_words * groups,
            output_words=(full.output_words + full.accumulator_reads) * groups,
            word_bytes=array.operand_bytes if whole_k else array.accumulator_bytes,
            tiles=1,
        )
        return total, ratio

    def _sparse_cycles(self, dataflow: SparseDataflowName) -> tuple[Integers, Floats, NDArray[np.bool_]]:
        """As :meth:`_cycles` with the zeros of these weights, slowed down as the mean tile is; and what is possible."""
        if self.weights is None:
            raise ValueError("a sparse dataflow needs weights")
        array = self.soc.array
        found = self.weights.sums(dataflow, self.blocks)
        n_values, n_counts = self._n_extents
        col_blocks = -(-n_values // array.cols)
        paid = n_values if array.edge_tiles == "actual" else col_blocks * array.cols
        streamed = n_values if array.tile_overlap == "none" else np.maximum(n_values, array.cols)

        def over_tiles(per_tile: Integers) -> Integers:
            return np.rint(n_counts @ per_tile).astype(np.int64)[:, None]

        tiles, blocks, n = self.n_tiles, over_tiles(col_blocks), over_tiles(n_values)
        cycles = (
            found.per_col_block * blocks
            + found.per_col * over_tiles(paid)
            + found.per_n * over_tiles(streamed)
            + found.per_tile * tiles
        )
        passes = tiles if dataflow == "sWS" else blocks
        dense = self.weights.format == "dense"
        output_stationary = dense_family(dataflow) == "dOS"
        ratio = self._ratio(
            np.maximum(cycles, 1),
            weight_words=(found.entering if dense else self.weights.values) * passes,
            entering=found.entering * passes,
            input_words=found.inputs * n,
            output_words=found.outputs * n * (1 if output_stationary else 2),
            word_bytes=array.operand_bytes if output_stationary else array.accumulator_bytes,
            tiles=self.g_tiles * self.m_tiles * self.k_tiles * self.n_tiles,
        )
        return cycles, ratio, found.legal[None]

    def _ratio(
        self,
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
        soc, e = self.soc, self.soc.array.operand_bytes
        # What the DMA moves for one tile meets the array at work on another.
        moved = tiles * (1 - 1 / (self.g_tiles * self.m_tiles * self.k_tiles * self.n_tiles))
        accesses = {
            "weights": weight_words * e + self.weight_tile * moved,
            "inputs": input_words * e + self.addend_tile * tiles + (self.addend_tile + self.input_tile) * moved,
            "outputs": output_words * word_bytes + self.output_elements * e * moved,
        }
        ratio: Floats = np.ones((1, 1))
        for name in BUFFERS:
            scratchpad: Scratchpad = getattr(soc.buffers, name)
            ratio = np.maximum(ratio, accesses[name] / (scratchpad.ports * soc.port_width_bytes(name) * cycles))
        if soc.array.decompression.words_per_cycle is not None:
            ratio = np.maximum(ratio, (entering + input_words) / (soc.array.decompression.words_per_cycle * cycles))
        return ratio

    @cached_property
    def _n_extents(self) -> tuple[Integers, Floats]:
        """Columns of the GEMM that tiles have, and for each spatial candidate how many have them."""
        s = self.spatial
        sizes = zip(s.images.tolist(), s.rows.tolist(), s.cols.tolist(), strict=True)
        return _extents([_columns(self.nest, size) for size in sizes])


def _columns(nest: Nest, sizes: tuple[int, int, int]) -> dict[int, int]:
    """Columns of the GEMM in the tiles of a spatial candidate → how many tiles have them."""
    images, rows, cols = sizes
    found: dict[int, int] = {}
    for image, image_count in edges(nest.images, images):
        for row, row_count in edges(nest.rows.size, rows):
            for col, col_count in edges(nest.cols.size, cols):
                n = image * row * col
                found[n] = found.get(n, 0) + image_count * row_count * col_count
    return found


def _extents(rows: list[dict[int, int]]) -> tuple[Integers, Floats]:
    """All extents that occur, and a matrix: candidates × extents → how many."""
    values = sorted({extent for row in rows for extent in row})
    position = {extent: index for index, extent in enumerate(values)}
    matrix = np.zeros((len(rows), len(values)))
    for index, row in enumerate(rows):
        for extent, count in row.items():
            matrix[index, position[extent]] = count
    return np.array(values, np.int64), matrix
