"""Chooses dataflow, tile sizes and loop order of a layer: least by the objective, then traffic, then tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.cost import CostModel, Evaluation
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.latency import Deal
from soc_sim.compiler.neighbours import Beside, Ends
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.options import Options
from soc_sim.compiler.program import Estimate, Share, Tiling
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.config.array import DATAFLOWS, FLOWS, Flow, dense_family
from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName, Soc

TOLERANCE = 1.01
"""Of the time alone: the energy of what is counted is exact."""
TRAFFIC_TOLERANCE = 1.05
"""Estimates this close to the best are taken as equal (the model is no better than that); then the fewest tiles win."""
CORES_TOLERANCE = 1.05
"""More cores have to promise more than this: what they do to one another at the memory is only in part in the model."""
BANDS = 4
"""Tiles of rows that are enough for the host to work beside the array."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for a layer, and what is expected of it."""

    dataflow: Flow
    tiling: Tiling
    estimate: Estimate
    moved_bytes: int
    """Expected traffic of all memories."""
    weights: SparseLayer | None
    """Where zeros are left out, of memory at least; None for dense storage and execution."""
    regret: Mapping[Flow, float | None]
    """Dataflow → the least that it is expected to take by the objective, over the choice; None where it cannot run."""
    reorder_gain: float | None = None
    """The least with rows of the weights in order, over the choice; None where reordering was not asked for."""
    shares: Mapping[BufferName, Share] | None = None
    """Operand → its part of the buffer that several share; None where there is none."""
    demands_ps: Mapping[MemoryName, int] = field(default_factory=dict)
    """Memory → how long it is busy with the layer, by estimate."""
    least_ps: float = 0.0
    """What no candidate falls short of between any neighbours."""
    ends: Ends | None = None
    """How the layer begins and ends on a core that runs it alone."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """No tile fits: what the smallest one needs, by buffer that is too small."""

    needs: dict[str, tuple[int, int]]
    """Buffer → bytes needed, bytes there; empty: there are tiles that fit, but none that the dataflow can run."""


def choose(
    nest: Nest,
    operands: Operands,
    soc: Soc,
    rates: Rates,
    flows: Sequence[Flow],
    homes: Homes,
    deals: Sequence[Deal],
    weights: SparseLayer | None = None,
    options: Options | None = None,
    beside: Beside | None = None,
) -> Choice | Shortage:
    """The best candidate over ``flows``, or what stands in the way of any; with ``beside``, between neighbours.

    With ``weights``, dense execution of densely stored weights is among the candidates, and the first of equals.
    """
    options = options or Options()
    models = [CostModel(nest, operands, soc, rates, homes, deals, None, options)]
    if weights is not None:
        models.append(CostModel(nest, operands, soc, rates, homes, deals, weights, options))
        if options.reorder and weights.sparsity and not weights.expanded:
            models += [
                CostModel(nest, operands, soc, rates, homes, deals, moved, options) for moved in weights.reordered()
            ]
    supported = [flow for flow in FLOWS if dense_family(flow) in soc.array.dataflows]
    priced = [
        (model, evaluation)
        for model in models
        for flow in supported
        if _executes(model, flow)
        for evaluation in model.evaluate(flow)
    ]
    if beside is not None:
        priced = [
            (model, replace(found, between_ps=beside.time_ps(nest, operands, model.sizes, found.ends())))
            for model, found in priced
        ]
    wanted = [(model, evaluation) for model, evaluation in priced if evaluation.dataflow in flows]
    if not wanted:
        return _shortage(models[-1].sizes, flows)
    sizes = [int(evaluation.legal.sum()) for _, evaluation in wanted]
    cost = np.concatenate([_legal(_value(evaluation, options), evaluation) for _, evaluation in wanted])
    time_ps, read_bytes, cycles, tiles, least_ps = (
        np.concatenate([_legal(getattr(evaluation, name), evaluation) for _, evaluation in wanted])
        for name in ("judged_ps", "read_bytes", "cycles", "tiles", "least_ps")
    )
    cores = np.repeat([evaluation.deal.cores for _, evaluation in wanted], sizes)
    of_time = time_ps * _time_price(options)
    fewest = cores[cost <= _tolerated(cost, of_time, CORES_TOLERANCE)].min()
    among = cores == fewest
    near = np.flatnonzero(among & (cost <= _tolerated(cost[among], of_time[among], TOLERANCE)))
    if options.by_rows:
        bands = np.concatenate([_legal(_bands(model, evaluation), evaluation) for model, evaluation in wanted])
        near = near[bands[near] == bands[near].max()]
    near = near[read_bytes[near] <= read_bytes[near].min() * TRAFFIC_TOLERANCE]
    if weights is not None and weights.sparsity:
        # Where memory is the bound, zeros may as well be skipped.
        near = near[cycles[near] <= cycles[near].min() * TRAFFIC_TOLERANCE]
    best = int(near[np.lexsort((near, cost[near], tiles[near]))[0]])
    which = int(np.searchsorted(np.cumsum(sizes), best, side="right"))
    model, evaluation = wanted[which]
    regret = _regret([evaluation for _, evaluation in priced], options, float(cost[best]))
    choice = _choice(model, evaluation, int(np.flatnonzero(evaluation.legal)[best - sum(sizes[:which])]), regret)
    choice = replace(choice, least_ps=float(least_ps.min()))
    if options.reorder and weights is not None:
        in_order = [evaluation for model, evaluation in wanted if _in_order(model)]
        least = min((_least(evaluation, options) for evaluation in in_order), default=None)
        chosen = float(cost[best])
        choice = replace(choice, reorder_gain=least / chosen if least is not None and chosen else None)
    return choice


def _in_order(model: CostModel) -> bool:
    weights = model.sizes.weights
    return weights is None or (weights.order is None and weights.k_order is None)


def _least(evaluation: Evaluation, options: Options) -> float:
    return float(_legal(_value(evaluation, options), evaluation).min())


def _executes(model: CostModel, flow: Flow) -> bool:
    """Whether a flow is worth a look: sparse ones need weights with zeros, and each gains by one order at most."""
    weights = model.sizes.weights
    if weights is None:
        return flow in DATAFLOWS
    if weights.k_order is not None:
        return flow == "sIS"
    return weights.order is None or flow in ("sOS", "sWS", "csOS")


def _value(evaluation: Evaluation, options: Options) -> Floats:
    """What is to be least."""
    if options.objective == "latency":
        if evaluation.busiest_ps is None:
            return evaluation.judged_ps
        return evaluation.judged_ps + options.memory_price * evaluation.busiest_ps
    if evaluation.energy_pj is None:
        raise ValueError(f"{options.objective} cannot be the objective without prices")
    value = evaluation.energy_pj
    if options.objective == "edp":
        value = value + evaluation.latency_ps * options.pj_per_ps
    return value + (evaluation.judged_ps - evaluation.latency_ps) * _time_price(options)


def _time_price(options: Options) -> float:
    """What a picosecond adds to the value: the part of it that an estimate of time gets wrong."""
    if options.objective == "latency" or options.prices is None:
        return 1.0
    return options.prices.standby_w + (options.pj_per_ps if options.objective == "edp" else 0.0)


def _tolerated(cost: Floats, of_time: Floats, tolerance: float) -> float:
    """The most that counts as equal to the least: as if that had taken longer by the tolerance."""
    best = int(cost.argmin())
    return float((cost[best] - of_time[best]) + of_time[best] * tolerance)


def between_value(
    choice: Choice, beside: Beside, nest: Nest, operands: Operands, options: Options
) -> tuple[float, float]:
    """What a choice is worth between neighbours, by the objective, and how much of that is time."""
    estimate, price = choice.estimate, _time_price(options)
    if choice.ends is None:
        raise TypeError("nothing is known of how the layer begins and ends")
    time_ps = float(beside.time_ps(nest, operands, choice.tiling, choice.ends))
    if options.objective == "latency":
        return time_ps, time_ps
    counted_pj = (estimate.energy_pj or 0.0) - estimate.latency_ps * options.prices.standby_w if options.prices else 0.0
    return counted_pj + time_ps * price, time_ps * price


def _regret(evaluations: Sequence[Evaluation], options: Options, chosen: float) -> dict[Flow, float | None]:
    """The best of each dataflow over what was chosen."""
    least: dict[Flow, float] = {}
    for evaluation in evaluations:
        cost = _least(evaluation, options)
        least[evaluation.dataflow] = min(cost, least.get(evaluation.dataflow, cost))
    return {flow: least[flow] / chosen if flow in least and chosen else None for flow in FLOWS}


def _bands(model: CostModel, evaluation: Evaluation) -> NDArray[np.int64]:
    """For each candidate, how many bands of rows are complete one after another, as far as more are of use."""
    sizes = model.sizes
    in_turn = (sizes.m_tiles * sizes.g_tiles == 1) | ((evaluation.deal.outer == "n") & (sizes.g_tiles == 1))
    found: NDArray[np.int64] = np.where(in_turn, np.minimum(sizes.n_tiles, BANDS), 1)
    return found


def _legal(values: NDArray[Any], evaluation: Evaluation) -> NDArray[Any]:
    """The values of the legal candidates, flat."""
    return np.broadcast_to(values, evaluation.legal.shape)[evaluation.legal]


def _choice(model: CostModel, evaluation: Evaluation, flat: int, regret: Mapping[Flow, float | None]) -> Choice:
    s, b = np.unravel_index(flat, evaluation.legal.shape)
    spatial, blocks = model.sizes.spatial, model.sizes.blocks
    shape = evaluation.legal.shape
    tiling = Tiling(
        groups=int(blocks.groups[b]),
        m=int(blocks.m[b]),
        k=int(model.sizes.k[b]),
        images=int(spatial.images[s]),
        rows=int(spatial.rows[s]),
        cols=int(spatial.cols[s]),
        outer=evaluation.deal.outer,
        weights_held=evaluation.deal.held,
        inputs_held=evaluation.deal.held
        and bool(np.broadcast_to(model.sizes.inputs_fit, evaluation.legal.shape)[s, b]),
        side_by_side=bool(blocks.side_by_side[b]),
        split=evaluation.deal.split,
        cores=evaluation.deal.cores,
    )
    estimate = Estimate(
        compute_cycles=int(np.broadcast_to(evaluation.cycles, shape)[s, b]),
        dram_read_bytes=int(np.broadcast_to(evaluation.dram_read_bytes, shape)[s, b]),
        dram_write_bytes=model.dram_write_bytes,
        latency_ps=int(np.ceil(np.broadcast_to(evaluation.latency_ps, shape)[s, b])),
        energy_pj=None if evaluation.energy_pj is None else float(np.broadcast_to(evaluation.energy_pj, shape)[s, b]),
    )
    moved_bytes = int(np.broadcast_to(evaluation.moved_bytes, shape)[s, b])
    candidate = int(s), int(b)
    return Choice(
        evaluation.dataflow,
        tiling,
        estimate,
        moved_bytes,
        model.sizes.weights,
        regret,
        shares=model.shares(evaluation, candidate),
        demands_ps=model.demands_ps(evaluation, candidate),
        ends=evaluation.ends().at(candidate, shape),
    )


def _shortage(sizes: Sizes, flows: Sequence[Flow]) -> Shortage:
    """Of the tiles that a dataflow can run, the one that lacks the fewest bytes."""
    fewest, needs = np.inf, dict[str, tuple[int, int]]()
    for flow in flows:
        runs = sizes.runs(flow)
        tiles = {name: np.broadcast_to(size, runs.shape) for name, size in sizes.pad_bytes(flow).items()}
        rooms = {name: sizes.room_bytes(name) for name in tiles}
        lacking = np.where(runs, sum(np.maximum(0, tiles[name] - rooms[name]) for name in tiles), np.inf)
        if lacking.min() < fewest:
            fewest, best = lacking.min(), np.unravel_index(lacking.argmin(), lacking.shape)
            needs = {name: (int(size[best]), rooms[name]) for name, size in tiles.items() if size[best] > rooms[name]}
    return Shortage(needs)
