"""Functional execution of what real files contain: fused operators, views, and zeros that come with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import Verification, verify
from soc_sim.config.sparsity import Sparsity
from soc_sim.errors import NetworkError
from soc_sim.network import onnx_import
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs

onnx = pytest.importorskip("onnx")
Array = np.ndarray[Any, Any]
SOC = make_soc(4, 4, buffers="2 KiB")


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def imported(
    path: Path, nodes: Sequence[Any], inputs: dict[str, Sequence[int]], constants: dict[str, Array], opset: int = 17
) -> Network:
    """The network of a model whose result is y."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    file = path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), file)
    return onnx_import.load(file)


def node(op_type: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(op_type, inputs.split(), outputs.split(), outputs.split()[0], **attributes)


def check(network: Network, sparsity: Any = "dense") -> tuple[Program, Verification]:
    program = compile(network, SOC, None, sparsity)
    found = verify(network, SOC, program, random_inputs(network, seed=1), sparsity)
    assert [c for c in (*found.layers, *found.outputs) if not c.matches] == []
    return program, found


@pytest.mark.parametrize(
    ("behind", "constants"),
    [
        ([("LeakyRelu", "c", {"alpha": 0.2})], {}),
        ([("PRelu", "c s", {})], {"s": (6, 1, 1)}),
        ([("Clip", "c low high", {})], {"low": (), "high": ()}),
        ([("Mul", "c s", {})], {"s": (1, 6, 1, 1)}),
        ([("Div", "c s", {})], {"s": (6, 1, 1)}),
        ([("Sub", "s c", {})], {"s": ()}),
        ([("Sum", "c c2", {})], {}),
    ],
)
def test_operators_fused_behind_a_convolution(
    behind: list[tuple[str, str, dict[str, Any]]], constants: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    values = {"w": numbers(6, 3, 3, 3), "b": numbers(6, seed=1), "w2": numbers(6, 3, 1, 1, seed=2)}
    values |= {
        name: np.abs(numbers(*shape, seed=3)) * (-1 if name == "low" else 1) for name, shape in constants.items()
    }
    ((op_type, inputs, attributes),) = behind
    nodes = [node("Conv", "x w2", "c2")] if "c2" in inputs else []
    nodes += [node("Conv", "x w b", "c", pads=[1, 1, 1, 1]), node(op_type, inputs, "y", **attributes)]
    network = imported(
        tmp_path, nodes, {"x": (1, 3, 7, 7)}, {name: np.asarray(v, np.float32) for name, v in values.items()}
    )
    program, _ = check(network)
    assert program.layers[-1].operators == ("c", "y")


@pytest.mark.parametrize("bias", [(5,), (1, 5), (4, 1), (4, 5)])
@pytest.mark.parametrize("batch", [1, 2])
def test_gemm_with_factors_and_transposed_operands(bias: tuple[int, ...], batch: int, tmp_path: Path) -> None:
    gemm = node("Gemm", "x w b", "y", alpha=0.5, beta=-2.0, transA=1, transB=1)
    constants = {"w": numbers(5, 9), "b": numbers(*bias, seed=1)}
    check(imported(tmp_path, [gemm], {"x": (9, 4)}, constants).with_batch(batch))


def test_int8_values_in_float32_must_be_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights, x = (rng.integers(-128, 128, shape).astype(np.float32) for shape in ((6, 20, 3, 3), (1, 1, 20, 9, 9)))
    network = imported(
        tmp_path, [node("Conv", "x w", "c"), node("Relu", "c", "y")], {"x": (1, 20, 9, 9)}, {"w": weights}
    )
    layer = verify(network, SOC, compile(network, SOC), {"x": x}).layers[0]
    assert (layer.max_error, layer.tolerance) == (0, 0)


def test_infinities_of_the_network_match(tmp_path: Path) -> None:
    nodes = [node("Log", "x", "l"), node("Conv", "l w", "y")]
    network = imported(tmp_path, nodes, {"x": (1, 2, 4, 4)}, {"w": numbers(3, 2, 3, 3)})
    x = np.ones((1, 1, 2, 4, 4), np.float32)
    x[..., 0, 0] = 0
    found = verify(network, SOC, compile(network, SOC), {"x": x})
    assert found.matches
    assert [output.max_error for output in found.outputs] == [0]


def test_gemm_adds_an_activation(tmp_path: Path) -> None:
    gemm = node("Gemm", "x w a", "y", beta=3.0)
    check(imported(tmp_path, [gemm], {"x": (4, 9), "a": (1, 5)}, {"w": numbers(9, 5)}))


def test_a_constant_may_stand_first(tmp_path: Path) -> None:
    check(imported(tmp_path, [node("MatMul", "w x", "y")], {"x": (2, 9, 4)}, {"w": numbers(5, 9)}))


def test_a_product_of_activations_with_a_scaled_operand(tmp_path: Path) -> None:
    nodes = [node("Transpose", "b", "t", perm=[0, 2, 1]), node("Div", "a s", "scaled"), node("MatMul", "scaled t", "y")]
    constants = {"s": np.float32([8.0]).reshape(())}
    check(imported(tmp_path, nodes, {"a": (3, 7, 5), "b": (3, 6, 5)}, constants))


def test_pieces_of_tensors_are_read_and_written_in_place(tmp_path: Path) -> None:
    nodes = [
        node("Split", "x", "left right", axis=1),
        node("Conv", "left w", "p"),
        node("Conv", "right w", "q"),
        node("Concat", "p q", "pq", axis=1),
        node("Conv", "pq v", "r", strides=[2, 2]),
        node("Flatten", "r", "flat"),
        node("Gemm", "flat u", "y"),
    ]
    constants = {"w": numbers(4, 3, 3, 3), "v": numbers(5, 8, 1, 1), "u": numbers(45, 6)}
    program, _ = check(imported(tmp_path, nodes, {"x": (1, 6, 8, 8)}, constants))
    assert {layer.unit for layer in program.layers} == {"array"}


@pytest.mark.parametrize("axis", [1, 2])
def test_pieces_of_a_reshaped_image_are_those_of_the_file(axis: int, tmp_path: Path) -> None:
    """A one-dimensional image lies channels-last, and so do the channels of its slice: strides say where.

    For a flattened image none do, so the host picks its pieces.
    """
    ends = {"from": np.int64([1]), "to": np.int64([3]), "axis": np.int64([axis])}
    nodes = [node("Conv", "x w", "c"), node("Slice", "c from to axis", "part"), node("Sigmoid", "part", "y")]
    program, _ = check(imported(tmp_path, nodes, {"x": (2, 4, 9)}, {"w": numbers(6, 4, 3), **ends}))
    assert [layer.unit for layer in program.layers] == ["array", "host"]

    ends = {"from": np.int64([5]), "to": np.int64([40]), "axis": np.int64([1])}
    nodes = [node("Conv", "x w", "c"), node("Flatten", "c", "flat"), node("Slice", "flat from to axis", "part")]
    nodes += [node("Sigmoid", "part", "y")]
    program, _ = check(imported(tmp_path, nodes, {"x": (1, 4, 5, 6)}, {"w": numbers(6, 4, 3, 3), **ends}))
    assert [layer.unit for layer in program.layers] == ["array", "host", "host"]


def test_one_dimensional_and_transposed_convolutions(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c", strides=[2], pads=[2, 1], dilations=[2]),
        node("ConvTranspose", "c v b", "y", strides=[3], pads=[1, 0], group=2),
    ]
    constants = {"w": numbers(6, 4, 3), "v": numbers(6, 2, 4, seed=1), "b": numbers(4, seed=2)}
    check(imported(tmp_path, nodes, {"x": (2, 4, 17)}, constants))


def test_zeros_come_from_the_weights_or_from_a_file(tmp_path: Path) -> None:
    weights = numbers(8, 3, 3, 3)
    weights[:4] = 0
    network = imported(tmp_path, [node("Conv", "x w", "y")], {"x": (1, 3, 9, 9)}, {"w": weights})
    program, found = check(network, Sparsity(from_weights=True))
    assert 2 * found.macs_executed == program.macs
    file = tmp_path / "zeros.npz"
    np.savez(file, w=np.arange(8)[:, None, None, None] % 8 >= np.full((8, 3, 3, 3), 4))
    program, found = check(network, Sparsity(weights=str(file)))
    assert 2 * found.macs_executed == program.macs


def test_an_operator_without_a_definition_is_a_message(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "r"), onnx.helper.make_node("Frob", ["r"], ["y"], "frob", domain="a.b")]
    helper = onnx.helper
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", 1, (1, 3))],
        [helper.make_tensor_value_info("y", 1, (1, 3))],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("a.b", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "model.onnx")
    network = onnx_import.load(tmp_path / "model.onnx", allow_unknown=True)
    with pytest.raises(NetworkError, match="frob: Frob cannot be computed: ONNX has no such operator"):
        check(network)
