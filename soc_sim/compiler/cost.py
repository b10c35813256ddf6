"""The cost model: expected time and traffic of every candidate tiling of a layer, all at once.

``sizes`` has the candidates and their bytes, ``cycles`` the array's time (the dataflow's closed form, exact over the
real edge tiles, longer where a buffer's ports are the limit), ``latency`` what loads, stores, memories, interconnect
and controller make of it.

Left out: contention, row misses; loads that run ahead into the next layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.cycles import Work, dense_cycles, dense_work, sparse_cycles, sparse_work
from soc_sim.compiler.latency import LatencyModel, Order
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.options import Options
from soc_sim.compiler.prices import energy_pj
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Flow
from soc_sim.config.soc import Soc


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All candidates of one dataflow and loop order; arrays S × B."""

    dataflow: Flow
    outer: Order
    legal: NDArray[np.bool_]
    latency_ps: Floats
    energy_pj: Floats | None
    """None where no prices are known."""
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
        self,
        nest: Nest,
        operands: Operands,
        soc: Soc,
        rates: Rates,
        weights: SparseLayer | None = None,
        options: Options | None = None,
    ) -> None:
        options = options or Options()
        self.sizes = Sizes(nest, operands, soc, weights, side_by_side=options.side_by_side)
        self.prices = options.prices
        self._latency = LatencyModel(self.sizes, rates)

    def evaluate(self, dataflow: Flow) -> Iterator[Evaluation]:
        """Prices of all candidates, for both loop orders."""
        legal = self.sizes.legal(dataflow)
        if not legal.any():
            return
        match dataflow:
            case "dOS" | "dWS" | "dIS":
                cycles, ratio = dense_cycles(self.sizes, dataflow)
            case _:
                cycles, ratio, possible = sparse_cycles(self.sizes, dataflow)
                legal = legal & possible
                if not legal.any():
                    return
        tiles = self.sizes.g_tiles * self.sizes.m_tiles * self.sizes.k_tiles * self.sizes.n_tiles
        busy = cycles * ratio + tiles * self.sizes.soc.array.decompression.latency_cycles
        for outer in ("m", "n"):
            traffic = self._latency.traffic(outer)
            latency_ps, energy = self._latency.latency_ps(dataflow, busy, traffic), None
            if self.prices is not None:
                energy = energy_pj(self._latency, self.prices, dataflow, self._work(dataflow), traffic, latency_ps)
            yield Evaluation(
                dataflow,
                outer,
                legal,
                latency_ps,
                energy,
                cycles,
                traffic.weight_bytes + traffic.input_bytes,
                traffic.input_bytes + (0 if self.sizes.weights_apart else traffic.weight_bytes),
                tiles,
            )

    def _work(self, dataflow: Flow) -> Work:
        match dataflow:
            case "dOS" | "dWS" | "dIS":
                return dense_work(self.sizes, dataflow)
            case _:
                return sparse_work(self.sizes, dataflow)
