"""The last layer fitted to the dense model's probabilities: multinomial logistic regression on the weights it keeps.

Least squares counts every error of a logit alike; what decides between classes is their difference near the boundary.
The problem is convex. Probabilities are softened by a temperature, half the standard deviation of the dense logits
(G. Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv 1503.02531), and a ridge holds the weights near
the least squares solution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.explore.pruning.model import Layer, TrainedModel
from soc_sim.explore.pruning.samples import columns

Array = NDArray[Any]
RIDGE = 1e-3
ITERATIONS = 200


def distil(model: TrainedModel, images: Array, logits: Array, masks: Mapping[str, NDArray[np.bool_]]) -> TrainedModel:
    """The model with another last layer; unchanged if the last layer is none that can be fitted.

    Args:
        model: Pruned and repaired.
        images: For calibration.
        logits: Of the dense model on them, images × classes.
        masks: Layer → groups × m × k, which weights are kept.
    """
    layer = output_layer(model)
    if layer is None or logits.ndim != 2 or layer.m != logits.shape[1]:
        return model
    from scipy.optimize import minimize  # needed here only, and slow to import

    now, activation = model.run(images, [layer.input])
    x = columns(layer, activation, np.arange(len(images)))[0].astype(np.float64)
    spread = float(logits.std()) / 2
    if not spread:
        return model
    wanted = _softmax(logits.astype(np.float64) / spread)
    free = np.column_stack((masks[layer.name][0], np.full(layer.m, layer.shift is not None)))
    mean_square = (x**2).mean(axis=0)
    # Steps in units in which every input is as strong as any other.
    scale = np.broadcast_to(spread / np.sqrt(mean_square + 1e-9 * mean_square.mean()), free.shape)[free]
    base, count = now.astype(np.float64) / spread, len(images)

    def loss(step: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        change = np.zeros(free.shape)
        change[free] = step * scale
        moved = x @ change.T / spread
        z = base + moved
        z -= z.max(axis=1, keepdims=True)
        sums = np.log(np.exp(z).sum(axis=1))
        error = (np.exp(z - sums[:, None]) - wanted) / count
        value = (sums - (wanted * z).sum(axis=1)).mean() + RIDGE / 2 * (moved**2).sum() / count
        slope = (error + RIDGE * moved / count).T @ x / spread
        return float(value), slope[free] * scale

    found = minimize(loss, np.zeros(int(free.sum())), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    change = np.zeros(free.shape)
    change[free] = found.x * scale
    weights = model.weights(layer) + change[None, :, :-1]
    return model.changed({layer.name: weights}, {layer.name: change[:, -1]} if layer.shift is not None else None)


def output_layer(model: TrainedModel) -> Layer | None:
    """The layer whose output, with its bias, is the model's."""
    name = model.network.outputs[0]
    for _ in range(2):
        operator = model.network.producers.get(name)
        if operator is None:
            return None
        for layer in model.layers:
            if layer.operator is operator:
                return layer if layer.groups == 1 and operator.op_type != "Conv" else None
        if operator.op_type != "Add":
            return None
        name = next((entry for entry in operator.inputs if not model.network.tensors[entry].constant), "")
    return None


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted: NDArray[np.float64] = np.exp(z - z.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted
