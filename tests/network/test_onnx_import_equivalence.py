"""What is written differently from the file computes the same: both sides run by onnx's reference implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_models import execute, numbers, save

from soc_sim.network.onnx_import import load

CASES: dict[str, tuple[list[NodeProto], dict[str, Any], tuple[int, ...], int]] = {
    "Conv in 1-D with groups, stride and dilation": (
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], group=2, strides=[2], dilations=[2], pads=[3, 1])],
        {"w": numbers(6, 2, 3), "b": numbers(6)},
        (2, 4, 21),
        13,
    ),
    "Conv in 1-D with auto_pad": (
        [helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER", strides=[2])],
        {"w": numbers(6, 4, 4)},
        (1, 4, 21),
        13,
    ),
    "MaxPool in 1-D with ceil_mode": (
        [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3], strides=[2], ceil_mode=1)],
        {},
        (1, 4, 20),
        13,
    ),
    "GlobalAveragePool in 1-D": ([helper.make_node("GlobalAveragePool", ["x"], ["y"])], {}, (1, 4, 20), 13),
    "AveragePool in 2-D": (
        [helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3, 2], pads=[1, 0, 1, 1], count_include_pad=1)],
        {},
        (1, 4, 9, 9),
        13,
    ),
    "ConvTranspose without overlap": (
        [helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], strides=[2, 2])],
        {"w": numbers(4, 3, 2, 2), "b": numbers(3)},
        (1, 4, 5, 6),
        13,
    ),
    "ConvTranspose with overlap, pads and output padding": (
        [
            helper.make_node(
                "ConvTranspose", ["x", "w"], ["y"], strides=[2, 3], pads=[1, 0, 0, 1], output_padding=[1, 2]
            )
        ],
        {"w": numbers(4, 3, 3, 4)},
        (2, 4, 5, 6),
        13,
    ),
    "ConvTranspose with dilation": (
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], dilations=[2, 2])],
        {"w": numbers(4, 3, 3, 3)},
        (1, 4, 5, 5),
        13,
    ),
    "Softmax of opset 11 over one axis": ([helper.make_node("Softmax", ["x"], ["y"], axis=2)], {}, (2, 3, 4), 11),
}


@pytest.mark.parametrize("case", CASES)
def test_imported_network_computes_what_the_file_does(tmp_path: Path, case: str) -> None:
    nodes, constants, shape, opset = CASES[case]
    path = save(tmp_path / "m.onnx", nodes, inputs={"x": shape}, constants=constants, opset=opset)
    feeds = {"x": numbers(*shape, seed=7)}
    (expected,) = ReferenceEvaluator(onnx.load(path)).run(None, feeds)
    (result,) = execute(load(path), feeds)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_softmax_of_opset_11_normalises_everything_from_its_axis_on(tmp_path: Path) -> None:
    """By definition exp(x) over the sum of exp of all elements of one batch entry."""
    node = helper.make_node("Softmax", ["x"], ["y"])
    data = numbers(2, 3, 4)
    (result,) = execute(load(save(tmp_path / "m.onnx", [node], inputs={"x": data.shape}, opset=11)), {"x": data})
    expected = np.exp(data) / np.exp(data).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_groups_of_a_transposed_convolution_are_independent(tmp_path: Path) -> None:
    """Two groups equal two convolutions on the halves of the channels, side by side."""
    data, weights = numbers(1, 4, 5, 5), numbers(4, 3, 3, 3, seed=1)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], group=2, strides=[2, 2])
    path = save(tmp_path / "m.onnx", [node], inputs={"x": data.shape}, constants={"w": weights})
    (result,) = execute(load(path), {"x": data})
    halves = []
    for half in (slice(0, 2), slice(2, 4)):
        single = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
        part = save(tmp_path / "h.onnx", [single], inputs={"x": [1, 2, 5, 5]}, constants={"w": weights[half]})
        halves.append(ReferenceEvaluator(onnx.load(part)).run(None, {"x": data[:, half]})[0])
    np.testing.assert_allclose(result, np.concatenate(halves, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", [3, 4, 5, 6])
def test_networks_of_the_first_opsets_compute_the_same_as_today(tmp_path: Path, opset: int) -> None:
    """Old and new spelling of one network: hints, ``axis`` of broadcasting, Reshape and Upsample by attributes."""
    scale, bias = np.abs(numbers(4)), numbers(4, seed=1)
    constants = {"s": scale, "b": bias, "target": np.array([1, -1])}
    hints = {"consumed_inputs": [0, 0, 0, 1, 1]} if opset < 6 else {}
    relu_hints = {"consumed_inputs": [0]} if opset < 6 else {}
    reshape = {"shape": [1, -1]} if opset < 5 else {}
    old = [
        helper.make_node("BatchNormalization", ["x", "s", "b", "b", "s"], ["n"], is_test=1, **hints),
        helper.make_node("Add", ["n", "b"], ["a"], broadcast=1, axis=1),
        helper.make_node("Relu", ["a"], ["r"], **relu_hints),
        helper.make_node("Dropout", ["r"], ["d"], is_test=1),
        helper.make_node("Upsample", ["d"], ["u"], height_scale=2.0, width_scale=3.0),
        helper.make_node("Reshape", ["u"] if opset < 5 else ["u", "target"], ["y"], **reshape),
    ]
    new = [
        helper.make_node("BatchNormalization", ["x", "s", "b", "b", "s"], ["n"]),
        helper.make_node("Add", ["n", "aligned"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node(
            "Resize", ["r", "", "scales"], ["u"], mode="nearest", coordinate_transformation_mode="asymmetric"
        ),
        helper.make_node("Reshape", ["u", "target"], ["y"]),
    ]
    path = save(tmp_path / "old.onnx", old, inputs={"x": [1, 4, 3, 3]}, constants=constants, opset=opset)
    network = load(path)
    assert [o.op_type for o in network.operators] == [n.op_type for n in old]
    assert network.tensors["u"].shape == (1, 4, 6, 9)
    assert network.operators[4].attributes["scales"] == (1.0, 1.0, 2.0, 3.0)

    constants |= {"aligned": bias[:, None, None], "scales": np.array([1, 1, 2, 3], np.float32)}
    feeds = {"x": numbers(1, 4, 3, 3, seed=2)}
    modern = save(tmp_path / "new.onnx", new, inputs={"x": [1, 4, 3, 3]}, constants=constants, outputs=["a", "y"])
    expected = ReferenceEvaluator(onnx.load(modern)).run(None, feeds)
    assert network.tensors["y"].shape == expected[1].shape
    added = network.operators[1]
    aligned = network.tensors[added.inputs[1]]
    assert aligned.values is not None
    normalised = ReferenceEvaluator(
        helper.make_model(
            helper.make_graph(
                new[:1],
                "n",
                [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 3, 3])],
                [helper.make_tensor_value_info("n", TensorProto.FLOAT, None)],
                [numpy_helper.from_array(a, n) for n, a in constants.items()],
            ),
            opset_imports=[helper.make_opsetid("", 13)],
        )
    ).run(None, feeds)[0]
    np.testing.assert_allclose(normalised + aligned.values(), expected[0], rtol=1e-5, atol=1e-6)
