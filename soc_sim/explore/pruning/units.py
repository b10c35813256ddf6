"""How the weights of each layer are cut, and which layer may lose how much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from soc_sim.config.prune import Prune
from soc_sim.config.sparsity import PatternName, Sparsity
from soc_sim.errors import ConfigurationError, suggestion
from soc_sim.explore.pruning.distil import output_layer
from soc_sim.explore.pruning.measure import simulate
from soc_sim.explore.pruning.model import Layer, TrainedModel
from soc_sim.explore.pruning.repair import Masks
from soc_sim.sparsity.pruning import Bounds, Units, units_of

AUTO: tuple[PatternName, ...] = ("tile_columns", "tile_rows")


def patterns_of(job: Prune, model: TrainedModel) -> dict[str, PatternName]:
    """Layer → what is pruned together there; layers that stay as they are do not occur.

    ``auto`` simulates random zeros of either pattern at the target (or at half) and takes what is faster in each layer.
    No channels go in the layer whose channels are the model's answers.

    Raises:
        ConfigurationError: a layer is named that does not exist.
    """
    known = [layer.name for layer in model.layers]
    faults = [
        f"pruning.layers: '{entry.name}' is no layer that can be pruned; allowed: {', '.join(known)}"
        f"{suggestion(entry.name, known)}"
        for entry in job.pruning.layers
        if entry.name not in known
    ]
    if faults:
        raise ConfigurationError(*faults)
    fixed = {entry.name for entry in job.pruning.layers if entry.max_sparsity == 0}
    names = [name for name in known if name not in fixed]
    if not names:
        raise ConfigurationError("pruning.layers: max_sparsity is 0 for every layer; nothing is left to prune")
    if job.pruning.pattern == "channels":
        last = output_layer(model)
        names = [name for name in names if last is None or name != last.name]
    if job.pruning.pattern != "auto":
        return dict.fromkeys(names, job.pruning.pattern)
    times = {pattern: _times(job, model, pattern) for pattern in AUTO}
    return {name: min(AUTO, key=lambda pattern: times[pattern].get(name, 0)) for name in names}


def _times(job: Prune, model: TrainedModel, pattern: PatternName) -> dict[str, int]:
    sparsity = Sparsity(pattern=pattern, level=job.target.sparsity or 0.5, seed=job.seed)
    return dict(simulate(job, model.network, sparsity).layer_latency_ps)


def cut(job: Prune, model: TrainedModel, patterns: Mapping[str, PatternName], level: float) -> dict[str, Units]:
    """Layer → its units; those of N:M depend on the level."""
    array = job.soc.array
    return {
        layer.name: units_of(patterns[layer.name], layer.m, layer.k, rows=array.rows, cols=array.cols, level=level)
        for layer in model.layers
        if layer.name in patterns
    }


def bounds_of(job: Prune, layers: Iterable[Layer], units: Mapping[str, Units], masks: Masks) -> dict[str, Bounds]:
    """How many weights of each layer may and must go now; no layer loses its last unit."""
    named = {entry.name: entry for entry in job.pruning.layers}
    found = {}
    for layer in layers:
        if layer.name not in units:
            continue
        own, cuts = named.get(layer.name), units[layer.name]
        gone = layer.size - int(np.count_nonzero(masks[layer.name]))
        unit = int(cuts.heights[0] * cuts.widths[0])
        most = min(layer.size - unit, math.floor((own.max_sparsity if own else 1.0) * layer.size))
        least = min(most, math.ceil((own.min_sparsity if own else 0.0) * layer.size))
        found[layer.name] = Bounds(max(0, least - gone), max(0, most - gone))
    return found
