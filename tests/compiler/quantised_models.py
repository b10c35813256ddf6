"""Small networks that onnxruntime's quantisation has turned into integers, for tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
SHAPE = (1, 3, 12, 10)


def numbers(*shape: int, seed: int = 0) -> Array:
    """Float32 values from a seeded generator."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def real_network(path: Path) -> Path:
    """Convolutions (plain, depthwise, pointwise), a shortcut, pools, a concatenation and a classifier."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0", "b0"], ["c0"], "first", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 1]),
        node("Relu", ["c0"], ["r0"], "relu0"),
        node("Conv", ["r0", "w1", "b1"], ["c1"], "depthwise", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=8),
        node("Relu", ["c1"], ["r1"], "relu1"),
        node("Conv", ["r1", "w2", "b2"], ["c2"], "pointwise", kernel_shape=[1, 1]),
        node("Add", ["c2", "r0"], ["s"], "shortcut"),
        node("MaxPool", ["s"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0]),
        node("Conv", ["p", "w3", "b3"], ["c3"], "left", kernel_shape=[1, 1]),
        node("Conv", ["p", "w4", "b4"], ["c4"], "right", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Concat", ["c3", "c4"], ["c"], "both", axis=1),
        node("GlobalAveragePool", ["c"], ["a"], "mean"),
        node("Flatten", ["a"], ["f"], "flat"),
        node("Gemm", ["f", "w5", "b5"], ["y"], "classifier", transB=1),
    ]
    shapes = {
        "w0": (8, 3, 3, 3), "b0": (8,), "w1": (8, 1, 3, 3), "b1": (8,), "w2": (8, 8, 1, 1), "b2": (8,),
        "w3": (5, 8, 1, 1), "b3": (5,), "w4": (7, 8, 3, 3), "b4": (7,), "w5": (10, 12), "b5": (10,),
    }  # fmt: skip
    constants = [
        numpy_helper.from_array(np.float32(0.3) * numbers(*shape, seed=seed), name)
        for seed, (name, shape) in enumerate(shapes.items())
    ]
    kind = TensorProto.FLOAT
    ends = [[helper.make_tensor_value_info(name, kind, shape)] for name, shape in (("x", SHAPE), ("y", (1, 10)))]
    graph = helper.make_graph(nodes, "graph", *ends, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def quantised(folder: Path, form: str, activations: str, weights: str, *, per_channel: bool) -> Path:
    """The same in integers; ``form``: QDQ or QOperator, types: QInt8 or QUInt8."""
    from onnxruntime import quantization

    class Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.samples: Iterator[Array] = iter([numbers(*SHAPE, seed=seed) for seed in range(8)])

        def get_next(self) -> dict[str, Array] | None:
            sample = next(self.samples, None)
            return None if sample is None else {"x": sample}

    logging.disable(logging.WARNING)
    try:
        target = folder / f"{form}_{activations}_{weights}_{per_channel}.onnx"
        quantization.quantize_static(
            real_network(folder / "real.onnx"),
            target,
            Samples(),
            quant_format=quantization.QuantFormat[form],
            activation_type=quantization.QuantType[activations],
            weight_type=quantization.QuantType[weights],
            per_channel=per_channel,
            # Seven bits: processors without VNNI saturate sums of two products of eight.
            reduce_range=True,
        )
    finally:
        logging.disable(logging.NOTSET)
    return target


def by_onnxruntime(path: Path, feeds: dict[str, Array], names: list[str] | None = None) -> list[Array]:
    """Values of the outputs, or of ``names``, as onnxruntime computes them."""
    import onnxruntime

    model = onnx.load(path)
    if names is not None:
        del model.graph.output[:]
        model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results: list[Array] = session.run(None, feeds)
    return results
