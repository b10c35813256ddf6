"""One level of pruning: which weights go, and what the others become, layer after layer in network order.

Each layer is fitted to what the dense model's layer puts out, from what its pruned predecessors give it. Where a Relu
follows, an output that the Relu cuts off in both need not be reproduced: its target is moved to where the fit has put
it (X. Zhang et al., "Accelerating Very Deep Convolutional Networks for Classification and Detection", TPAMI 2016, solve
the same problem with an auxiliary variable).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.prune import Repair, ScoreName
from soc_sim.explore.pruning.distil import distil
from soc_sim.explore.pruning.model import Layer, TrainedModel
from soc_sim.explore.pruning.samples import columns, outputs, positions
from soc_sim.sparsity.pruning import Moments, Order, Units, fit, second_order, sorted_order

Array = NDArray[Any]
Masks = Mapping[str, NDArray[np.bool_]]
"""Layer → groups × m × k, true where a weight is kept."""
Orders = dict[str, list[Order]]


@dataclass(frozen=True)
class Reference:
    """What the dense model does with the calibration images."""

    model: TrainedModel
    images: Array
    rows: Mapping[str, NDArray[np.int64]]
    """Layer → output positions that are looked at."""
    targets: Mapping[str, NDArray[np.float32]]
    """Layer → its outputs there, groups × positions × m, before an addition that follows."""
    limits: Mapping[str, NDArray[np.float32]]
    """Layer in front of a Relu → what its outputs may not exceed where they need not be met: the edge of the Relu, or
    the maximum of the window they lie in; same shape. An output that reaches its limit is to be met."""
    logits: Array

    @classmethod
    def of(cls, model: TrainedModel, images: Array, samples: int, seed: int) -> Reference:
        """Runs the dense model once."""
        logits, *found = model.run(images, [layer.output for layer in model.layers])
        rows = {
            layer.name: positions(layer, output, samples, seed)
            for layer, output in zip(model.layers, found, strict=True)
        }
        targets = {
            layer.name: outputs(layer, output, rows[layer.name])
            for layer, output in zip(model.layers, found, strict=True)
        }
        limits = {
            layer.name: limits_of(model, layer, output, rows[layer.name])
            for layer, output in zip(model.layers, found, strict=True)
            if layer.rectified and _offsets(model, layer) is not None
        }
        return cls(model, images, rows, targets, limits, logits)

    def met(self, layer: Layer) -> NDArray[np.bool_] | None:
        """Which outputs are to be met, groups × positions × m; None: all."""
        limits = self.limits.get(layer.name)
        return None if limits is None else self.targets[layer.name] > limits

    def inputs(self, model: TrainedModel, layer: Layer) -> NDArray[np.float32]:
        """Input vectors of a layer in ``model``, groups × positions × (k + 1)."""
        activation = model.run(self.images, [layer.input])[1]
        return columns(layer, activation, self.rows[layer.name])


def limits_of(model: TrainedModel, layer: Layer, output: Array, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the outputs of a layer in front of a Relu may not exceed, groups × positions × m; see ``Reference``."""
    offsets = _offsets(model, layer)
    assert offsets is not None  # noqa: S101  the caller has looked
    edge = -offsets.reshape(-1)  # the layer's output at which the Relu begins
    if layer.operator.op_type != "Conv":
        return np.broadcast_to(-offsets[:, None], (layer.groups, len(rows), layer.m)).astype(np.float32)
    limits = np.broadcast_to(edge[:, None, None], output.shape).astype(np.float32)
    if layer.pool is not None:
        height, width = layer.pool
        count, channels, y, x = output.shape
        y, x = y // height * height, x // width * width
        windows = output[:, :, :y, :x].reshape(count, channels, y // height, height, x // width, width)
        # Just below the maximum, so that the maximum itself is to be met; what no window sees is free.
        highest = np.nextafter(windows.max(axis=(3, 5)), np.float32(-np.inf))
        limits = np.full_like(output, np.inf)
        spread = highest.repeat(height, axis=2).repeat(width, axis=3)
        limits[:, :, :y, :x] = np.maximum(spread, edge[:, None, None])
    return outputs(layer, limits, rows)


def gram_of(x: NDArray[np.float32], met: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """The mean of x·xᵀ, for groups × positions × (k + 1).

    Each position counts with the share of the layer's outputs there that are to be ``met`` (groups × positions × m).
    """
    weighed = x if met is None else x * met.mean(axis=2, dtype=np.float32)[..., None]
    gram: NDArray[np.float64] = np.asarray(weighed.swapaxes(1, 2) @ x, np.float64) / x.shape[1]
    return gram


def orders_of(
    reference: Reference, model: TrainedModel, masks: Masks, units: Mapping[str, Units], score: ScoreName, ridge: float
) -> Orders:
    """For each layer the orders of its row blocks, groups one after another, of what is there still.

    Args:
        reference: The dense model.
        model: The model as it is pruned so far.
        masks: What has gone so far.
        units: How the weights of each layer are cut.
        score: How importance is measured.
        ridge: Relative to the mean square of each input.
    """
    found: Orders = {}
    layers = [layer for layer in model.layers if layer.name in units]
    seen = [] if score == "norm" else model.run(reference.images, [layer.input for layer in layers])[1:]
    for index, layer in enumerate(layers):
        cut, weights = units[layer.name], model.weights(layer)
        x = columns(layer, seen[index], reference.rows[layer.name]) if seen else None
        grams = None if x is None else gram_of(x, reference.met(layer))
        found[layer.name] = []
        for group in range(layer.groups):
            mask = masks[layer.name][group]
            if grams is not None:
                moments = Moments(grams[group], np.zeros((layer.m, layer.k + 1)))
                rms = np.sqrt(np.diagonal(moments.gram)[:-1])
                ridged = moments.ridged(ridge)
            for block, kept in enumerate(cut.kept(mask)):
                w = weights[group, cut.rows(block)]
                if score == "norm":
                    order = sorted_order(cut, w, kept)
                elif score == "activation":
                    order = sorted_order(cut, w, kept, rms)
                else:
                    order = second_order(cut, np.column_stack((w, np.zeros(len(w)))), kept, ridged)
                found[layer.name].append(order)
    return found


def repaired(reference: Reference, masks: Masks, repair: Repair) -> TrainedModel:
    """The dense model with the weights that ``masks`` keep, made up for those that have gone."""
    model = reference.model
    if repair.method == "none":
        return model.changed({layer.name: model.weights(layer) * masks[layer.name] for layer in model.layers})
    touched = False
    for layer in model.layers:
        touched = touched or not masks[layer.name].all()
        if touched:  # in front of the first pruned layer everything is as it was
            model = _refit(reference, model, layer, masks[layer.name], repair)
    if touched and repair.distil:
        model = distil(model, reference.images, reference.logits, masks)
    return model


def _refit(
    reference: Reference, model: TrainedModel, layer: Layer, mask: NDArray[np.bool_], repair: Repair
) -> TrainedModel:
    x, y = reference.inputs(model, layer), reference.targets[layer.name]
    dense = reference.model.weights(layer)
    bias = repair.bias and layer.shift is not None
    grams = gram_of(x)
    found = np.empty((layer.groups, layer.m, layer.k + 1))
    limits = reference.limits.get(layer.name)
    for group in range(layer.groups):
        prior = np.column_stack((dense[group], np.zeros(layer.m)))
        xs, wanted = x[group], y[group]

        def solve(target: NDArray[np.float32]) -> NDArray[np.float64]:
            cross = np.asarray(target.T @ xs, np.float64) / len(xs)  # noqa: B023  called at once
            return fit(Moments(grams[group], cross), mask[group], prior, repair.ridge, bias=bias)  # noqa: B023

        solution = solve(wanted)
        if limits is not None:
            met, most = wanted > limits[group], limits[group]
            last = solution
            for count in range(repair.rectified_passes):
                # With Nesterov's momentum: each pass alone moves little where most outputs are free.
                ahead = solution + count / (count + 3) * (solution - last)
                reached = xs @ ahead.T.astype(np.float32)
                last, solution = solution, solve(np.where(met, wanted, np.minimum(reached, most)))
        found[group] = solution
    model = model.changed({layer.name: found[..., :-1]}, {layer.name: found[..., -1]} if bias else None)
    if layer.batch_norm is not None and repair.batch_norm:
        model = _renormalised(reference, model, layer, x, found)
    return model


def _offsets(model: TrainedModel, layer: Layer) -> NDArray[np.float32] | None:
    """What is added to the layer's output in front of the Relu, groups × m; None if it cannot be told."""
    shift = layer.shift
    if shift is None or shift.sign < 0:
        return None
    own = len(layer.operator.inputs) > 2 and layer.operator.inputs[2]
    if own:  # the output that was recorded holds it already
        return np.zeros((layer.groups, layer.m), np.float32)
    values = np.asarray(model.values[shift.tensor], np.float32).ravel()[shift.places]
    return values.reshape(layer.groups, layer.m)


def _renormalised(
    reference: Reference, model: TrainedModel, layer: Layer, x: NDArray[np.float32], found: NDArray[np.float64]
) -> TrainedModel:
    """Mean and variance of the batch normalisation such that its output has the mean and spread it had.

    A layer whose outputs are what they were keeps its statistics, whatever images calibrate it.
    """
    norm = layer.batch_norm
    assert norm is not None  # noqa: S101  the caller has looked
    old = reference.targets[layer.name]
    weights = found.copy()
    weights[..., -1] = 0.0 if layer.shift is None or layer.shift.sign < 0 else weights[..., -1]
    new = x @ weights.swapaxes(1, 2).astype(np.float32)
    if len(layer.operator.inputs) > 2 and layer.operator.inputs[2]:
        new = new + np.asarray(reference.model.values[layer.operator.inputs[2]], np.float32).reshape(
            layer.groups, 1, -1
        )
    values = reference.model.values
    before, after = old.var(axis=1, dtype=np.float64).ravel(), new.var(axis=1, dtype=np.float64).ravel()
    ratio = np.where((before > 0) & (after > 1e-6 * before), after / np.maximum(before, 1e-30), 1.0)
    distance = old.mean(axis=1, dtype=np.float64).ravel() - values[norm.mean]
    mean = new.mean(axis=1, dtype=np.float64).ravel() - np.sqrt(ratio) * distance
    variance = np.maximum((values[norm.variance] + norm.epsilon) * ratio - norm.epsilon, 0.0)
    return model.changed({}, others={norm.mean: mean, norm.variance: variance})
