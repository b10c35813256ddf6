"""Quantised networks: the same integers as onnxruntime, layer by layer, from file to compiled program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from quantised_models import SHAPE, by_onnxruntime, numbers, quantised
from systems import make_soc

from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import Verification, verify
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import Sparsity
from soc_sim.network import onnx_import
from soc_sim.network.base import Network
from soc_sim.network.evaluation import evaluate_network
from soc_sim.network.seeded import random_inputs

pytest.importorskip("onnxruntime")
FORMS = [
    ("QDQ", "QUInt8", "QInt8", True),
    ("QDQ", "QInt8", "QInt8", False),
    ("QOperator", "QUInt8", "QUInt8", False),
    ("QOperator", "QInt8", "QInt8", True),
]


def check(network: Network, mapping: Mapping | None = None, sparsity: Any = "dense") -> Verification:
    """Everything matches."""
    soc = make_soc()
    program = compile(network, soc, mapping, sparsity)
    found = verify(network, soc, program, random_inputs(network, seed=5), sparsity)
    assert [c for c in (*found.layers, *found.outputs) if not c.matches] == []
    return found


def imported(
    path: Path, nodes: list[onnx.NodeProto], data: Any, opset: int = 19, **constants: Any
) -> tuple[Network, list[Any]]:
    """A model of one input, and what ONNX's reference computes for it."""
    kind = helper.np_dtype_to_tensor_dtype(data.dtype)
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kind, data.shape)],
        [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, path)
    return onnx_import.load(path), ReferenceEvaluator(model).run(None, {"x": data})


@pytest.mark.parametrize("form", FORMS)
def test_every_tensor_of_integers_equals_that_of_onnxruntime(tmp_path: Path, form: Any) -> None:
    """All of them, convolutions, sums, pools and concatenations, in either way of writing quantised networks."""
    path = quantised(tmp_path, *form[:3], per_channel=form[3])
    network = onnx_import.load(path)
    stored = dict.fromkeys(name for node in onnx.load(path).graph.node for name in node.output)
    tensors = [network.tensors[name] for name in stored if name in network.tensors]
    names = [tensor.name for tensor in tensors if tensor.dtype in ("int8", "uint8") and not tensor.constant]
    assert len(names) >= 8
    for seed in range(20, 24):
        own = evaluate_network(network, {"x": numbers(*SHAPE, seed=seed)}, {})
        for name, value in zip(names, by_onnxruntime(path, {"x": numbers(*SHAPE, seed=seed)}, names), strict=True):
            np.testing.assert_array_equal(own[name], value, err_msg=name)


@pytest.mark.parametrize("form", FORMS)
def test_compiled_programs_compute_the_same_integers(tmp_path: Path, form: Any) -> None:
    """Exactly, and quantisation costs the array's layers nothing: what remains on the host are pools and the input."""
    network = onnx_import.load(quantised(tmp_path, *form[:3], per_channel=form[3]))
    found = check(network)
    assert all(layer.tolerance == 0 for layer in found.layers if layer.dataflow)
    assert len([layer for layer in found.layers if layer.dataflow]) == 6
    program = compile(network, make_soc())
    on_host = {name for layer in program.layers if layer.unit == "host" for name in layer.operators}
    kinds = {operator.name: operator.op_type for operator in network.operators}
    assert {kinds[name] for name in on_host} <= {"QuantizeLinear", "DequantizeLinear", "MaxPool", "GlobalAveragePool"}


def test_zeros_of_integer_weights_are_skipped(tmp_path: Path) -> None:
    """``from_weights`` finds the weights that equal their zero point; pruning by a pattern prunes integers."""
    network = onnx_import.load(quantised(tmp_path, "QDQ", "QUInt8", "QInt8", per_channel=True))
    sparse = Mapping(dataflow="sOS")
    dense = check(network).macs_executed
    assert check(network, sparse, Sparsity(pattern="tile_columns", level=0.5, seed=1)).macs_executed < 0.7 * dense
    check(network, sparse, Sparsity(from_weights=True))


def test_products_of_integers_become_int32(tmp_path: Path) -> None:
    """ConvInteger and MatMulInteger with zero points, some of them one for each channel, as ONNX's reference has it."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 255, (1, 4, 6, 6), np.uint8, endpoint=True)
    weights = rng.integers(-128, 127, (5, 4, 3, 3), np.int8, endpoint=True)
    zeros = rng.integers(-5, 5, 5, np.int8)
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], "conv", pads=[1, 1, 1, 1])
    network, expected = imported(tmp_path / "conv.onnx", [node], x, w=weights, xz=np.uint8(7), wz=zeros)
    assert network.tensors["y"].dtype == "int32"
    np.testing.assert_array_equal(evaluate_network(network, {"x": x}, {})["y"], expected[0])
    assert [layer.tolerance for layer in check(network).layers] == [0]

    x = rng.integers(-128, 127, (3, 20), np.int8, endpoint=True)
    weights = rng.integers(0, 255, (20, 6), np.uint8, endpoint=True)
    node = helper.make_node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"], "product")
    network, expected = imported(tmp_path / "mm.onnx", [node], x, w=weights, xz=np.int8(-3), wz=np.uint8(100))
    np.testing.assert_array_equal(evaluate_network(network, {"x": x}, {})["y"], expected[0])
    check(network)


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_first_opset_of_quantised_operators(tmp_path: Path, per_channel: bool) -> None:
    """Opset 10 has QLinearConv with a scale for each channel, and a DequantizeLinear without."""
    rng = np.random.default_rng(4)
    x = rng.integers(0, 255, (1, 4, 6, 6), np.uint8, endpoint=True)
    weights = rng.integers(-128, 127, (5, 4, 3, 3), np.int8, endpoint=True)
    scales = rng.uniform(0.01, 0.02, 5).astype(np.float32) if per_channel else np.float32(0.013)
    zeros = np.zeros(5, np.int8) if per_channel else np.int8(0)
    parameters = {"xs": np.float32(0.1), "xz": np.uint8(7), "w": weights, "ws": scales, "wz": zeros}
    parameters |= {"ys": np.float32(0.9), "yz": np.uint8(130), "b": rng.integers(-3000, 3000, 5, np.int32)}
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"], "conv")
    network, expected = imported(tmp_path / "conv.onnx", [node], x, opset=10, **parameters)
    np.testing.assert_array_equal(evaluate_network(network, {"x": x}, {})["y"], expected[0])
    assert [layer.tolerance for layer in check(network).layers] == [0]


def test_a_matrix_behind_an_image_is_read_in_its_own_order(tmp_path: Path) -> None:
    """Channels of an image become the columns of a sequence; its integers lie channels-last in memory."""
    rng = np.random.default_rng(5)
    make = helper.make_node
    nodes = [
        make("QLinearConv", ["x", "s", "z", "v", "s", "wz", "s", "z"], ["i"], "conv"),
        make("DequantizeLinear", ["i", "s", "z"], ["r"], "d"),
        make("Reshape", ["r", "shape"], ["f"], "sequence"),
        make("Transpose", ["f"], ["t"], "turn", perm=[0, 2, 1]),
        make("QuantizeLinear", ["t", "s", "z"], ["q"], "q"),
        make("QLinearMatMul", ["q", "s", "z", "w", "s", "wz", "ys", "z"], ["y"], "product"),
    ]
    x = rng.integers(0, 255, (1, 4, 2, 6), np.uint8, endpoint=True)
    parameters = {"s": np.float32(0.05), "z": np.uint8(128), "wz": np.int8(0), "ys": np.float32(0.4)}
    parameters |= {"v": rng.integers(-20, 20, (8, 4, 1, 1), np.int8), "w": rng.integers(-20, 20, (8, 3), np.int8)}
    network, _ = imported(tmp_path / "both.onnx", nodes, x, **parameters, shape=np.array([1, 8, 12]))
    assert {layer.tolerance for layer in check(network).layers if layer.dataflow} == {0}


def test_sums_beyond_the_accumulators_are_told(tmp_path: Path) -> None:
    """Accumulators of two bytes overflow, and the layer does not match."""
    x = np.full((1, 300), 127, np.int8)
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"], "product")
    network, _ = imported(tmp_path / "mm.onnx", [node], x, w=np.full((300, 2), 127, np.int8))
    soc = make_soc(accumulator_bits=16)
    found = verify(network, soc, compile(network, soc), {"x": x[None]})
    assert "a sum of 4838700 exceeds an accumulator of 2 bytes" in found.layers[0].faults[0]


def test_a_product_of_two_quantised_activations(tmp_path: Path) -> None:
    """Both operands of an attention score are integers with zero points."""
    rng = np.random.default_rng(2)
    make = helper.make_node
    nodes = [
        make("DequantizeLinear", ["x", "s", "z"], ["a"], "da"),
        make("Transpose", ["a"], ["t"], "turn", perm=[0, 2, 1]),
        make("MatMul", ["a", "t"], ["p"], "scores"),
        make("QuantizeLinear", ["p", "ys", "yz"], ["y"], "q"),
    ]
    x = rng.integers(0, 255, (2, 5, 7), np.uint8, endpoint=True)
    parameters = {"s": np.float32(0.1), "z": np.uint8(128), "ys": np.float32(3.0), "yz": np.int8(4)}
    network, expected = imported(tmp_path / "attention.onnx", nodes, x, **parameters)
    np.testing.assert_array_equal(evaluate_network(network, {"x": x}, {})["y"], expected[0])
    found = check(network)
    assert {layer.name: layer.tolerance for layer in found.layers}["scores"] == 0


def test_dynamic_quantisation_runs_with_scales_known_at_run_time(tmp_path: Path) -> None:
    """The product is exact; what depends on the scale of the very input runs on the host."""
    make = helper.make_node
    nodes = [
        make("DynamicQuantizeLinear", ["x"], ["q", "s", "z"], "dynamic"),
        make("MatMulInteger", ["q", "w", "z"], ["i"], "product"),
        make("Cast", ["i"], ["f"], "cast", to=TensorProto.FLOAT),
        make("Mul", ["f", "s"], ["y"], "scale"),
    ]
    weights = np.random.default_rng(3).integers(-128, 127, (20, 6), np.int8, endpoint=True)
    network, expected = imported(tmp_path / "dynamic.onnx", nodes, numbers(4, 20), w=weights)
    np.testing.assert_allclose(evaluate_network(network, {"x": numbers(4, 20)}, {})["y"], expected[0], rtol=1e-6)
    check(network)


def test_channels_last_pools_are_refused(tmp_path: Path) -> None:
    """In one line that says what is allowed."""
    from soc_sim.errors import NetworkError

    node = helper.make_node(
        "QLinearGlobalAveragePool", ["x", "s", "z", "s", "z"], ["y"], "pool", domain="com.microsoft", channels_last=1
    )
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, (1, 4, 4, 3))],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.float32(0.5), "s"), numpy_helper.from_array(np.uint8(0), "z")],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "pool.onnx")
    with pytest.raises(NetworkError, match="channels_last = 1; allowed: channels_last = 0"):
        onnx_import.load(tmp_path / "pool.onnx")
