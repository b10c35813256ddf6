"""A small network that is trained here: a multilayer perceptron for 8 × 8 digits, by scikit-learn, in a second.

It sees the calibration part only, so that validation and evaluation are held out. The same parts give the same network
with one version of scikit-learn on one machine.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from soc_sim.errors import MissingExtraError
from soc_sim.explore.pruning.data import Part
from soc_sim.explore.pruning.model import TrainedModel, of
from soc_sim.network import onnx_import

NAME = "digits_mlp"
HIDDEN = (128, 64)
OPSET = 13
BRIGHTEST = 16.0


def train(part: Part, seed: int) -> tuple[TrainedModel, list[str]]:
    """The network, 64 → 128 → 64 → 10 with Relu, trained on ``part``.

    Raises:
        MissingExtraError: scikit-learn or onnx is not installed.
    """
    try:
        import onnx
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        raise MissingExtraError(
            f"'{NAME}' needs the extras prune and examples: pip install 'soc_sim[prune,examples]'"
        ) from None
    from onnx import TensorProto, helper, numpy_helper

    images = part.images.reshape(len(part), -1) / BRIGHTEST
    classifier = MLPClassifier(HIDDEN, alpha=1e-3, max_iter=60, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(images, part.labels)
    nodes, constants, last = [], [], "flat"
    layers = list(zip(classifier.coefs_, classifier.intercepts_, strict=True))
    nodes.append(helper.make_node("Flatten", ["image"], ["flat"], "flatten"))
    for index, (weights, bias) in enumerate(layers):
        if index == 0:
            weights = weights / BRIGHTEST
        name = f"fc{index + 1}"
        constants += [
            numpy_helper.from_array(np.ascontiguousarray(weights.T, np.float32), f"{name}.weight"),
            numpy_helper.from_array(bias.astype(np.float32), f"{name}.bias"),
        ]
        out = "logits" if index == len(layers) - 1 else f"{name}.out"
        nodes.append(helper.make_node("Gemm", [last, f"{name}.weight", f"{name}.bias"], [out], name, transB=1))
        last = out
        if out != "logits":
            nodes.append(helper.make_node("Relu", [out], [f"{name}.relu"], f"{name}.relu"))
            last = f"{name}.relu"
    classes = len(classifier.classes_)
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        constants,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{NAME}.onnx")
        onnx.save(proto, path)
        network = onnx_import.load(path)
    return of(proto, replace(network, source=NAME))
