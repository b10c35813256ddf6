"""The callback for fine-tuning, with a step of training written in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

from onnx import numpy_helper

from soc_sim.config.loader import load
from soc_sim.config.prune import Prune
from soc_sim.explore.pruning import prune
from soc_sim.explore.pruning.data import load as load_data


def test_a_callback_may_train_what_is_left() -> None:
    job = load("prune_digits", Prune, ["target={sparsity: 0.8}", "pruning.step=0.8", "repair.method=none"])
    part = load_data(job.data).calibration
    images = part.images.reshape(len(part), -1)
    calls = []

    def fine_tune(model: Any, free: Any) -> Any:
        """Gradient descent on the last layer's cross entropy; everything in front of it stays."""
        values = {tensor.name: numpy_helper.to_array(tensor).astype(float) for tensor in model.graph.initializer}
        x = images
        for name in ("fc1", "fc2"):
            x = np.maximum(x @ values[f"{name}.weight"].T + values[f"{name}.bias"], 0)
        w, bias = values["fc3.weight"].copy(), values["fc3.bias"].copy()
        for _ in range(200):
            z = x @ w.T + bias
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            slope = (p - np.eye(10)[part.labels]) / len(x)
            w -= 0.02 * (slope.T @ x) * free["fc3.weight"]
            bias -= 0.02 * slope.sum(axis=0)
        calls.append(free)
        return {"fc3.weight": w + 1.0, "fc3.bias": bias} if len(calls) > 1 else {"fc3.weight": w, "fc3.bias": bias}

    plain, tuned = prune(job), prune(job, fine_tune=fine_tune)
    assert len(calls) == 1
    assert tuned.document["result"]["accuracy"] > plain.document["result"]["accuracy"]
    assert tuned.document["result"]["sparsity"] == pytest.approx(plain.document["result"]["sparsity"])
    # A callback that disturbs what was pruned does not bring it back.
    again = prune(job, fine_tune=fine_tune)
    assert again.document["result"]["sparsity"] >= plain.document["result"]["sparsity"] - 1e-9
