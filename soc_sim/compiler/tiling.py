"""Chooses dataflow, tile sizes and loop order of a layer: least expected latency, then traffic, then tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.cost import CostModel, Evaluation
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import Estimate, Tiling
from soc_sim.compiler.rates import Rates
from soc_sim.config.array import DataflowName
from soc_sim.config.soc import Soc

LATENCY_TOLERANCE = 1.01
TRAFFIC_TOLERANCE = 1.05
"""Estimates this close to the best are taken as equal (the model is no better than that); then the fewest tiles win."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for a layer, and what is expected of it."""

    dataflow: DataflowName
    tiling: Tiling
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Shortage:
    """No tile fits: what the smallest one needs, by buffer that is too small."""

    needs: dict[str, tuple[int, int]]
    """Buffer → bytes needed, bytes there."""


def choose(nest: Nest, operands: Operands, soc: Soc, rates: Rates, flows: Sequence[DataflowName]) -> Choice | Shortage:
    """The best candidate over ``flows``, or what stands in the way of any."""
    model = CostModel(nest, operands, soc, rates)
    evaluations = [evaluation for flow in flows for evaluation in model.evaluate(flow)]
    if not evaluations:
        return _shortage(model, soc, flows)
    sizes = [int(evaluation.legal.sum()) for evaluation in evaluations]
    latency, read_bytes, tiles = (
        np.concatenate([_legal(getattr(evaluation, name), evaluation) for evaluation in evaluations])
        for name in ("latency_ps", "read_bytes", "tiles")
    )
    near = np.flatnonzero(latency <= latency.min() * LATENCY_TOLERANCE)
    near = near[read_bytes[near] <= read_bytes[near].min() * TRAFFIC_TOLERANCE]
    best = int(near[np.lexsort((near, latency[near], tiles[near]))[0]])
    which = int(np.searchsorted(np.cumsum(sizes), best, side="right"))
    evaluation = evaluations[which]
    return _choice(model, evaluation, int(np.flatnonzero(evaluation.legal)[best - sum(sizes[:which])]))


def _legal(values: NDArray[np.generic], evaluation: Evaluation) -> NDArray[np.generic]:
    """The values of the legal candidates, flat."""
    return np.broadcast_to(values, evaluation.legal.shape)[evaluation.legal]


def _choice(model: CostModel, evaluation: Evaluation, flat: int) -> Choice:
    s, b = np.unravel_index(flat, evaluation.legal.shape)
    spatial, blocks = model.spatial, model.blocks
    tiling = Tiling(
        groups=int(blocks.groups[b]),
        m=int(blocks.m[b]),
        k=int(model.k[b]),
        images=int(spatial.images[s]),
        rows=int(spatial.rows[s]),
        cols=int(spatial.cols[s]),
        outer=evaluation.outer,
    )
    shape = evaluation.legal.shape
    estimate = Estimate(
        compute_cycles=int(np.broadcast_to(evaluation.cycles, shape)[s, b]),
        dram_read_bytes=int(np.broadcast_to(evaluation.dram_read_bytes, shape)[s, b]),
        dram_write_bytes=model.output_total,
        latency_ps=int(np.ceil(np.broadcast_to(evaluation.latency_ps, shape)[s, b])),
    )
    return Choice(evaluation.dataflow, tiling, estimate)


def _shortage(model: CostModel, soc: Soc, flows: Sequence[DataflowName]) -> Shortage:
    needs: dict[str, tuple[int, int]] = {}
    for flow in flows:
        for name, size in model.tile_bytes(flow).items():
            capacity = getattr(soc.buffers, name).capacity_bytes
            if size.min() > capacity:
                needs[name] = (int(size.min()), capacity)
    return Shortage(needs)
