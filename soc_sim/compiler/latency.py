"""Traffic of every candidate tiling of a layer, and the time that it takes beside the array's.

What is double-buffered overlaps: the longest of array, DMA queues, memory, interconnect and controller counts. What is
not adds to the array's time. The first loads (fill) and the last store (drain) stand alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.views import Integers, View, box_shape
from soc_sim.config.array import Flow

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


class LatencyModel:
    """Prices the candidates of one layer by what they move."""

    def __init__(self, sizes: Sizes, rates: Rates) -> None:
        self.sizes, self.rates = sizes, rates
        self.lines = self._lines()

    def traffic(self, outer: Order) -> Traffic:
        """Each tile is loaded again unless it is the one loaded last; k runs innermost."""
        one_k, one_m, one_n = self.sizes.k_tiles == 1, self.sizes.m_tiles == 1, self.sizes.n_tiles == 1
        units = self.sizes.g_tiles * (self.sizes.m_tiles if outer == "m" else self.sizes.n_tiles)
        # A tile that all blocks of the outer loop share is loaded once by each core that has some of them.
        copies = np.where(self.sizes.g_tiles == 1, np.minimum(self.sizes.soc.cores, units), 1)
        if outer == "m":
            weight_passes = np.where(one_k, 1, self.sizes.n_tiles)
            input_passes = np.where(one_k & one_n, np.minimum(copies, self.sizes.m_tiles), self.sizes.m_tiles)
        else:
            input_passes = np.where(one_k, 1, self.sizes.m_tiles)
            weight_passes = np.where(one_k & one_m, np.minimum(copies, self.sizes.n_tiles), self.sizes.n_tiles)
        addends = len(self.sizes.operands.residuals)
        return Traffic(
            weight_passes * self.sizes.weight_total,
            input_passes * self.sizes.input_total + addends * self.sizes.output_total,
            weight_passes * (self.sizes.g_tiles * self.sizes.m_tiles * self.sizes.k_tiles),
            input_passes * (self.sizes.g_tiles * self.sizes.n_tiles * self.sizes.k_tiles)
            + addends * self.sizes.g_tiles * self.sizes.n_tiles * self.sizes.m_tiles,
            units,
        )

    def latency_ps(self, dataflow: Flow, cycles: Floats, traffic: Traffic) -> Floats:
        """Expected time, with ``cycles`` of the array in all."""
        soc, rates = self.sizes.soc, self.rates
        share = -(-traffic.shared_loops // soc.cores) / traffic.shared_loops
        tiles = self.sizes.tile_bytes(dataflow)
        x_rounding, x_regions, x_requests = self.lines["inputs"]
        o_rounding, o_regions, o_requests = self.lines["outputs"]
        stores = self.sizes.g_tiles * self.sizes.m_tiles * self.sizes.n_tiles
        w_rounding, w_regions, w_requests = self.lines["weights"]
        weight_rate = rates.weight_load_ps_per_byte if self.sizes.weights_apart else rates.dram_load_ps_per_byte
        descriptor, request = rates.descriptor_ps, rates.request_ps
        queues = {
            "weights": traffic.weight_bytes * np.maximum(weight_rate, w_requests * request)
            + traffic.weight_loads * w_regions * descriptor,
            "inputs": traffic.input_bytes * np.maximum(rates.dram_load_ps_per_byte, x_requests * request)
            + traffic.input_loads * x_regions * descriptor,
            "outputs": self.sizes.output_total * np.maximum(rates.store_ps_per_byte, o_requests * request)
            + stores * o_regions * descriptor,
        }
        loads = {"weights": traffic.weight_loads, "inputs": traffic.input_loads, "outputs": stores}
        weight_memory_ps = traffic.weight_bytes * w_rounding * rates.weights.read_ps_per_byte
        dram_ps = (
            traffic.input_bytes * x_rounding * rates.dram.read_ps_per_byte
            + self.sizes.output_total * o_rounding * rates.dram.write_ps_per_byte
        )
        # At worst reads and writes alternate from chunk to chunk.
        dram_reads = traffic.input_bytes + (0 if self.sizes.weights_apart else traffic.weight_bytes)
        turns = np.minimum(dram_reads, self.sizes.output_total) / (
            soc.dma.chunk_bytes * getattr(soc.dram, "channels", 1)
        )
        dram_ps = dram_ps + turns * rates.dram.turnaround_ps
        shared = np.maximum(dram_ps, weight_memory_ps) if self.sizes.weights_apart else dram_ps + weight_memory_ps
        read = traffic.weight_bytes + traffic.input_bytes
        fabric = (
            read + self.sizes.output_total
            if soc.interconnect.kind == "bus"
            else np.maximum(read, self.sizes.output_total)
        ) * rates.fabric_ps_per_byte
        tiles_run = stores * self.sizes.k_tiles
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
        s, b, burst, request_bytes = (
            self.sizes.spatial,
            self.sizes.blocks,
            self.rates.dram.burst_bytes,
            self.sizes.soc.dma.burst_bytes,
        )
        # A tile that is all padding reads nothing; its lines are then of no account.
        in_rows, in_cols = (np.maximum(size, 1)[:, None] for size in (s.tile_in_rows, s.tile_in_cols))
        images = s.images[:, None]
        groups, m, channels = b.groups[None], b.m[None], b.channels[None]

        def of(view: View, *sizes: Integers) -> tuple[Floats, Integers, Floats]:
            line_bytes, _, regions = box_shape(view, sizes)
            # A line that is not whole bursts begins anywhere within one.
            bursts = np.where(line_bytes % burst == 0, line_bytes // burst, 1 + (line_bytes - 1) / burst)
            return bursts * burst / line_bytes, regions, -(-line_bytes // request_bytes) / line_bytes

        w, kernel = (
            self.sizes.operands.w,
            (np.array(self.sizes.nest.rows.kernel), np.array(self.sizes.nest.cols.kernel)),
        )
        return {
            "weights": (1.0, 1, 0.0) if w is None else of(w, groups, m, channels, *kernel),
            "inputs": of(self.sizes.operands.x, images, in_rows, in_cols, groups, channels),
            "outputs": of(self.sizes.operands.o, images, s.rows[:, None], s.cols[:, None], groups, m),
        }
