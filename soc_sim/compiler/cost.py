"""The cost model: expected time and traffic of every candidate tiling of a layer, all at once.

``sizes`` has the candidates and their bytes, ``cycles`` the array's time (the dataflow's closed form, exact over the
real edge tiles, longer where a buffer's ports are the limit), ``latency`` what loads, stores, memories, interconnect
and controller make of it.

Left out: contention, row misses; loads that run ahead into the next layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.cycles import Work, dense_cycles, dense_work, sparse_cycles, sparse_work
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.latency import Deal, Latency, LatencyModel, Traffic
from soc_sim.compiler.neighbours import Ends
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.options import Options
from soc_sim.compiler.prices import energy_pj
from soc_sim.compiler.program import Share
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Flow, dense_family
from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName, Soc


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All candidates of one dataflow and loop order; arrays S × B."""

    dataflow: Flow
    deal: Deal
    legal: NDArray[np.bool_]
    latency_ps: Floats
    energy_pj: Floats | None
    """None where no prices are known."""
    busiest_ps: Floats | None
    """Time of the memory with the most to do; None where it has no price."""
    cycles: Integers
    read_bytes: Integers
    """From all memories."""
    moved_bytes: Integers
    """Of these and of what is written, without buffers."""
    dram_read_bytes: Integers
    tiles: Integers
    least_ps: Floats
    """What it takes between any neighbours: what the array, or a queue or a memory, needs without waits at the ends."""
    ends: Callable[[], Ends]
    """Of a layer that one core runs alone; worked out where they are asked for."""
    between_ps: Floats | None = None
    """Time between neighbours, where these are given."""

    @property
    def judged_ps(self) -> Floats:
        """The time by which candidates are compared."""
        return self.latency_ps if self.between_ps is None else self.between_ps


class CostModel:
    """The candidates of one layer on one SoC; :meth:`evaluate` prices them for a dataflow.

    With ``weights`` these are stored and, by sparse dataflows, executed without their zeros; otherwise densely.
    """

    def __init__(
        self,
        nest: Nest,
        operands: Operands,
        soc: Soc,
        rates: Rates,
        homes: Homes,
        deals: Sequence[Deal],
        weights: SparseLayer | None = None,
        options: Options | None = None,
    ) -> None:
        options = options or Options()
        self.sizes = Sizes(nest, operands, soc, homes, weights, side_by_side=options.side_by_side)
        self.prices, self.memory_price = options.prices, options.memory_price
        self._deals = deals
        self._latency = LatencyModel(self.sizes, rates)

    def evaluate(self, dataflow: Flow) -> Iterator[Evaluation]:
        """Prices of all candidates, for every loop order and every way to deal them out to cores."""
        sizes = self.sizes
        legal = sizes.legal(dataflow)
        held = self._held(dataflow)
        if not legal.any() and not held.any():
            return
        match dataflow:
            case "dOS" | "dWS" | "dIS":
                cycles, ratio = dense_cycles(sizes, dataflow)
            case _:
                cycles, ratio, possible = sparse_cycles(sizes, dataflow)
                legal, held = legal & possible, held & possible
                if not legal.any() and not held.any():
                    return
        tiles = sizes.g_tiles * sizes.m_tiles * sizes.k_tiles * sizes.n_tiles
        busy = cycles * ratio + tiles * sizes.soc.array.decompression.latency_cycles
        deals = [deal for deal in self._deals if legal.any()]
        deals += [deal._replace(held=True) for deal in self._deals if deal.outer == "m" and held.any()]
        for deal in deals:
            traffic = self._latency.traffic(deal)
            latency, energy = self._latency.latency(dataflow, busy, traffic, held=deal.held), None
            if self.prices is not None:
                work = self._work(dataflow)
                energy = energy_pj(self._latency, self.prices, dataflow, work, traffic, cycles, latency.whole_ps)
            read_bytes = traffic.weight_bytes + traffic.input_bytes + traffic.addend_bytes
            yield Evaluation(
                dataflow,
                deal,
                held if deal.held else legal,
                latency.whole_ps,
                energy,
                self._latency.busiest_ps(traffic) if self.memory_price else None,
                cycles,
                read_bytes,
                read_bytes + self._written_bytes,
                self._from_dram(traffic),
                tiles,
                np.maximum(latency.computing_ps, latency.bound_ps),
                partial(self._ends, dataflow, deal, busy * self._latency.rates.array_cycle_ps, traffic, latency),
            )

    def _ends(self, dataflow: Flow, deal: Deal, array_ps: Floats, traffic: Traffic, latency: Latency) -> Ends:
        sizes, homes = self.sizes, self.sizes.homes
        rows, cols, *channels = self.sizes.operands.o.strides[1:]
        # Rows are complete one after another where they lie so.
        in_order = rows >= max(cols, *channels)
        bands = sizes.n_tiles // -(-sizes.nest.cols.size // sizes.spatial.cols[:, None]) if in_order else 1
        passes = sizes.g_tiles * (sizes.m_tiles if deal.outer == "m" else 1)
        tiles = sizes.tile_bytes(dataflow, held=deal.held)
        return Ends(
            latency.computing_ps,
            latency.bound_ps,
            latency.inputs_ps,
            latency.weights_ps,
            array_ps / np.maximum(traffic.input_loads, 1),
            array_ps / np.maximum(traffic.weight_loads, 1),
            latency.drain_ps,
            bands,
            np.maximum(latency.computing_ps, latency.bound_ps) / (passes * bands),
            tiles["weights"],
            tiles["inputs"],
            tiles["outputs"],
            homes.kept_bytes,
            homes.resident_bytes,
        )

    def shares(self, evaluation: Evaluation, candidate: tuple[int, int]) -> dict[BufferName, Share] | None:
        """What each operand has of the buffer that several share, for one of the candidates; None: there is none."""
        sharing = self.sizes.soc.buffers.pads.get("unified")
        if sharing is None:
            return None
        moves = self._latency.moves(self._latency.traffic(evaluation.deal))
        double = self._latency.double_buffered(evaluation.dataflow, moves)
        tiles, shape = self.sizes.tile_bytes(evaluation.dataflow), evaluation.legal.shape

        def one(values: NDArray[Any]) -> int:
            return int(np.broadcast_to(values, shape)[candidate])

        return {name: Share(one(tiles[name]), 1 + one(double[name])) for name in sharing}

    def demands_ps(self, evaluation: Evaluation, candidate: tuple[int, int]) -> dict[MemoryName, int]:
        """For how long each memory is busy with one of the candidates."""
        demands = self._latency.demands_ps(self._latency.traffic(evaluation.deal))
        shape = evaluation.legal.shape
        return {memory: math.ceil(np.broadcast_to(time, shape)[candidate]) for memory, time in demands.items()}

    def _held(self, dataflow: Flow) -> NDArray[np.bool_]:
        """Candidates that may hold blocks of weights in parts: folds that take K in parts, of constant weights.

        They are left out where operands share a buffer.
        """
        nothing = np.zeros((1, 1), bool)
        fed_in_parts = dense_family(dataflow) == "dOS" and self.sizes.nest.constant_weights
        if not fed_in_parts or self.sizes.homes.resident or "unified" in self.sizes.soc.buffers.pads:
            return nothing
        return self.sizes.legal(dataflow, held=True)

    def _work(self, dataflow: Flow) -> Work:
        match dataflow:
            case "dOS" | "dWS" | "dIS":
                return dense_work(self.sizes, dataflow)
            case _:
                return sparse_work(self.sizes, dataflow)

    @property
    def dram_write_bytes(self) -> int:
        """Results that go to main memory."""
        return self.sizes.output_total * (self.sizes.homes.outputs == "dram")

    @property
    def _written_bytes(self) -> int:
        return self.sizes.output_total * (self.sizes.homes.outputs != "inputs_buffer")

    def _from_dram(self, traffic: Traffic) -> Integers:
        homes = self.sizes.homes
        return (
            traffic.weight_bytes * (homes.weights == "dram")
            + traffic.input_bytes * (homes.inputs == "dram")
            + self.sizes.output_total * homes.addends.count("dram")
        )
