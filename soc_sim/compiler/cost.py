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
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import Blocks, Spatial, blocks, edges, spatial
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.views import Integers, View, box_shape
from soc_sim.config.array import DataflowName
from soc_sim.config.core import BUFFERS, Scratchpad
from soc_sim.config.soc import Soc
from soc_sim.dataflow import GemmCounts, counts

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

    dataflow: DataflowName
    outer: Order
    legal: NDArray[np.bool_]
    latency_ps: Floats
    cycles: Integers
    read_bytes: Integers
    """From all memories."""
    dram_read_bytes: Integers
    tiles: Integers


class CostModel:
    """The candidates of one layer on one SoC; :meth:`evaluate` prices them for a dataflow."""

    def __init__(self, nest: Nest, operands: Operands, soc: Soc, rates: Rates) -> None:
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
        self.weight_total = nest.weight_bytes(soc.array)
        self.input_total = s.pixels_read[:, None] * (nest.groups * nest.channels * e)
        self.output_total = gemm.groups * gemm.m * gemm.n * e

        self.lines = self._lines()

    def tile_bytes(self, dataflow: DataflowName) -> dict[str, Integers]:
        """Bytes of the largest tile in each buffer."""
        array = self.soc.array
        word = array.operand_bytes if dataflow == "dOS" else array.accumulator_bytes
        return {
            "weights": self.weight_tile,
            "inputs": self.input_tile + self.addend_tile,
            "outputs": self.output_elements * word,
        }

    def legal(self, dataflow: DataflowName) -> NDArray[np.bool_]:
        """Candidates that fit the buffers and that the dataflow can run."""
        legal = np.ones((len(self.spatial.n), len(self.k)), bool)
        for name, size in self.tile_bytes(dataflow).items():
            legal &= size <= getattr(self.soc.buffers, name).capacity_bytes
        if dataflow == "dOS":
            # A fold that is fed in parts holds its sums in the PEs, so it must be the only one of its tile.
            array, b = self.soc.array, self.blocks
            single = (b.m <= array.rows)[None] & (b.groups == 1)[None] & (self.spatial.n <= array.cols)[:, None]
            legal &= (self.k_tiles == 1) | single
        return legal

    def evaluate(self, dataflow: DataflowName) -> Iterator[Evaluation]:
        """Prices of all candidates, for both loop orders."""
        legal = self.legal(dataflow)
        if not legal.any():
            return
        cycles, port_ratio = self._cycles(dataflow)
        for outer in ("m", "n"):
            traffic = self._traffic(outer)
            yield Evaluation(
                dataflow,
                outer,
                legal,
                self._latency(dataflow, cycles * port_ratio, traffic),
                cycles,
                traffic.weight_bytes + traffic.input_bytes,
                traffic.input_bytes + (0 if self.weights_apart else traffic.weight_bytes),
                self.g_tiles * self.m_tiles * self.k_tiles * self.n_tiles,
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

    def _latency(self, dataflow: DataflowName, cycles: Floats, traffic: Traffic) -> Floats:
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
        """Cycles of the whole layer for every candidate, and how much longer the buffers' ports make a full tile.

        The closed form is evaluated once for every extent that occurs, then summed over the tiles as a product of
        matrices: candidates × extents (how many tiles have that extent) for each of n, m and k.
        """
        nest, array, s, b = self.nest, self.soc.array, self.spatial, self.blocks
        whole_k = dataflow == "dOS"  # fed in parts or not, a fold streams all of K
        n_values, n_counts = _extents(
            [_columns(nest, sizes) for sizes in zip(s.images.tolist(), s.rows.tolist(), s.cols.tolist(), strict=True)]
        )
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
        return total, self._port_ratio(dataflow, counts(dataflow, array, b.m[None], k[None], s.n[:, None]))

    def _port_ratio(self, dataflow: DataflowName, full: GemmCounts) -> Floats:
        """Time the buffers' ports need for the array's and the DMA's accesses of a full tile, over its cycles."""
        soc, e = self.soc, self.soc.array.operand_bytes
        word = e if dataflow == "dOS" else soc.array.accumulator_bytes
        groups = self.blocks.groups[None]
        accesses = {
            "weights": full.weight_words * groups * e,
            "inputs": full.input_words * groups * e + 2 * self.addend_tile,
            "outputs": (full.output_words + full.accumulator_reads) * groups * word,
        }
        moved = {"weights": self.weight_tile, "inputs": self.input_tile, "outputs": self.output_elements * word}
        ratio: Floats = np.ones((1, 1))
        for name in BUFFERS:
            scratchpad: Scratchpad = getattr(soc.buffers, name)
            bytes_per_cycle = scratchpad.ports * soc.port_width_bytes(name)
            ratio = np.maximum(ratio, (accesses[name] + moved[name]) / (bytes_per_cycle * groups * full.cycles))
        return ratio


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
