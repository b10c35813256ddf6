"""Chooses dataflow, tile sizes and loop order of a layer: the candidate with the least expected latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soc_sim.compiler.cost import CostModel, Evaluation
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import Estimate, Tiling
from soc_sim.compiler.rates import Rates
from soc_sim.config.array import DataflowName
from soc_sim.config.soc import Soc

TOLERANCE = 1.005
"""Estimates this close are taken as equal (the model is no better than that); then traffic decides, then tiles."""


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
    keys = [_candidates(evaluation) for evaluation in evaluations]
    fastest = min(float(latency.min()) for latency, *_ in keys)
    best: tuple[tuple[float, ...], Evaluation, int] | None = None
    for evaluation, (latency, read_bytes, tiles, index) in zip(evaluations, keys, strict=True):
        near = np.flatnonzero(latency <= fastest * TOLERANCE)
        if not len(near):
            continue
        first = near[np.lexsort((latency[near], tiles[near], read_bytes[near]))[0]]
        key = (float(read_bytes[first]), float(tiles[first]), float(latency[first]))
        if best is None or key < best[0]:
            best = key, evaluation, int(index[first])
    assert best is not None
    return _choice(model, best[1], best[2])


def _candidates(evaluation: Evaluation) -> tuple[np.ndarray, ...]:
    """Legal candidates as flat arrays: latency, bytes read, tiles, flat index."""
    index = np.flatnonzero(evaluation.legal)
    shape = evaluation.legal.shape
    latency, read_bytes, tiles = (
        np.broadcast_to(values, shape).reshape(-1)[index]
        for values in (evaluation.latency_ps, evaluation.read_bytes, evaluation.tiles)
    )
    return latency, read_bytes, tiles, index


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
