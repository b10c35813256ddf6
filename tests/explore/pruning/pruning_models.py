"""Small models with seeded weights, and images for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(5)


def _constant(name: str, *shape: int, scale: float = 0.3) -> Any:
    return numpy_helper.from_array((RNG.standard_normal(shape) * scale).astype(np.float32), name)


def convolutions(path: Path) -> Path:
    """Conv, BatchNormalization, Relu; grouped Conv with a stride and its own bias, Relu, MaxPool; Gemm."""
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["c1"], "conv1", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["c1", "scale", "offset", "mean", "variance"], ["b1"], "bn1"),
        helper.make_node("Relu", ["b1"], ["r1"], "relu1"),
        helper.make_node(
            "Conv", ["r1", "w2", "bias2"], ["c2"], "conv2", group=2, strides=[2, 2], pads=[1, 0, 1, 0],
            kernel_shape=[3, 1], dilations=[1, 1],
        ),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("MaxPool", ["r2"], ["p2"], "pool2", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p2"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "w3", "bias3"], ["logits"], "fc", transB=1),
    ]  # fmt: skip
    constants = [
        _constant("w1", 8, 2, 3, 3),
        *(
            numpy_helper.from_array(values.astype(np.float32), name)
            for name, values in (
                ("scale", RNG.uniform(0.5, 1.5, 8)),
                ("offset", RNG.standard_normal(8)),
                ("mean", RNG.standard_normal(8)),
                ("variance", RNG.uniform(0.5, 1.5, 8)),
            )
        ),
        _constant("w2", 8, 4, 3, 1),
        _constant("bias2", 8),
        _constant("w3", 3, 32),
        _constant("bias3", 3),
    ]
    graph = helper.make_graph(
        nodes,
        "convolutions",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 2, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def images(count: int) -> np.ndarray:
    """Standard normal images for :func:`convolutions`."""
    return np.random.default_rng(6).standard_normal((count, 2, 8, 8)).astype(np.float32)
