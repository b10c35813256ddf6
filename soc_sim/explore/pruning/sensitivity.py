"""What the network loses when one layer alone is pruned: for the plot, and to compare errors of different layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soc_sim.config.prune import Prune
from soc_sim.explore.pruning.data import Part
from soc_sim.explore.pruning.model import Layer, TrainedModel
from soc_sim.explore.pruning.repair import Orders, Reference, gram_of
from soc_sim.sparsity.pruning import Moments, Units, fit, select, squared_error

LEVELS = (0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One layer pruned to one level, all others dense."""

    layer: str
    sparsity: float
    """Of this layer."""
    accuracy: float
    """On the validation part."""
    output_error: float
    """Squared error of the model's outputs on it, relative to their variance."""
    layer_error: float
    """Mean squared error of the layer's outputs on the calibration part, all channels together."""


def sensitivities(
    job: Prune, reference: Reference, orders: Orders, units: Mapping[str, Units], validation: Part
) -> list[Sensitivity]:
    """Each layer at each level; the weights that are left make up for the others within the layer."""
    model, found = reference.model, []
    (dense,) = model.run(validation.images)
    variance = float(dense.var(axis=0).mean()) or 1.0
    for layer in model.layers:
        if layer.name not in units:
            continue
        x = reference.inputs(model, layer)
        grams, weighed = gram_of(x), gram_of(x, reference.met(layer))
        for level in LEVELS:
            mask = layer_mask(layer, units[layer.name], orders, level)
            weights, error = _refitted(model, layer, mask, grams, weighed, job)
            (answers,) = weights.run(validation.images)
            found.append(
                Sensitivity(
                    layer.name,
                    1 - np.count_nonzero(mask) / mask.size,
                    accuracy_of(answers, validation),
                    float(((answers - dense) ** 2).mean()) / variance,
                    error,
                )
            )
    return found


def layer_mask(
    layer: Layer, units: Units, orders: Orders, level: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The weights that a layer keeps at a level, by its own order."""
    blocks = orders[layer.name]
    taken = select({layer.name: blocks}, round(level * layer.size))[layer.name]
    return masks_after(layer, units, orders, taken, np.ones((layer.groups, layer.m, layer.k), bool))


def masks_after(
    layer: Layer, units: Units, orders: Orders, taken: list[int], mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """``mask`` without the first units of each order of the layer."""
    per_group, result = len(units.heights), mask.copy()
    for group in range(layer.groups):
        kept = units.kept(mask[group])
        for block in range(per_group):
            index = group * per_group + block
            kept[block, orders[layer.name][index].units[: taken[index]]] = False
        result[group] &= units.mask(kept)
    return result


def prices(found: list[Sensitivity]) -> dict[str, float]:
    """Layer → what a squared error of its outputs costs at the model's outputs, the mean over the levels."""
    by_layer: dict[str, list[float]] = {}
    for entry in found:
        if entry.layer_error > 0:
            by_layer.setdefault(entry.layer, []).append(entry.output_error / entry.layer_error)
    return {layer: float(np.mean(ratios)) for layer, ratios in by_layer.items()}


def accuracy_of(answers: np.ndarray[tuple[int, ...], np.dtype[np.float32]], part: Part) -> float:
    """Share of the images whose strongest output is their label."""
    return float((answers.reshape(len(part), -1).argmax(axis=1) == part.labels).mean())


def _refitted(
    model: TrainedModel,
    layer: Layer,
    mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    grams: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    weighed: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    job: Prune,
) -> tuple[TrainedModel, float]:
    dense = model.weights(layer)
    found = np.zeros((layer.groups, layer.m, layer.k + 1))
    error = 0.0
    repair = job.repair
    for group in range(layer.groups):
        prior = np.column_stack((dense[group], np.zeros(layer.m)))
        if repair.method == "none":
            found[group, :, :-1] = dense[group] * mask[group]
        else:
            moments = Moments(grams[group], prior @ grams[group])
            bias = repair.bias and layer.shift is not None
            found[group] = fit(moments, mask[group], prior, repair.ridge, bias=bias)
        error += squared_error(found[group] - prior, weighed[group])
    return model.changed({layer.name: found[..., :-1]}, {layer.name: found[..., -1]}), error
