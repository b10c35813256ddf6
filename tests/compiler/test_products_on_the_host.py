"""What the array cannot run goes to the host, with a cost and a warning, and computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from systems import make_soc

from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.network import onnx_import
from soc_sim.network.base import Network
from soc_sim.network.operators import count_macs
from soc_sim.network.seeded import random_inputs
from soc_sim.system import run


def imported(path: Path, nodes: list[Any], inputs: dict[str, tuple[int, ...]], **constants: Any) -> Network:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return onnx_import.load(path)


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((2, 1, 5, 6), (2, 3, 6, 4)),
        ((1, 3, 5, 6), (2, 3, 6, 4)),
        ((2, 3, 5, 6), (3, 6, 4)),
        ((2, 1, 5, 6), (1, 3, 6, 4)),
    ],
)
def test_products_that_broadcast_in_part(tmp_path: Path, first: Any, second: Any, batch: int) -> None:
    node = helper.make_node("MatMul", ["a", "b"], ["y"], "product")
    network = imported(tmp_path / "m.onnx", [node], {"a": first, "b": second}).with_batch(batch)
    soc = make_soc()
    program = compile(network, soc)
    assert program.layers[0].unit == "host"
    assert program.macs == count_macs(network)
    assert any("cannot run product" in warning for warning in program.warnings)
    record = run(soc, program)
    # Two operations a multiply-accumulate, four lanes at 500 MHz.
    assert record.makespan_ps >= 2 * program.macs / 4 * 2000
    assert verify(network, soc, program, random_inputs(network, 1)).matches


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("first", "second"), [((2, 3, 5, 6), (2, 3, 6, 4)), ((1, 1, 5, 6), (2, 3, 6, 4)), ((5, 6), (2, 3, 6, 4))]
)
def test_products_that_broadcast_as_a_whole_run_on_the_array(
    tmp_path: Path, first: Any, second: Any, batch: int
) -> None:
    node = helper.make_node("MatMul", ["a", "b"], ["y"], "product")
    network = imported(tmp_path / "m.onnx", [node], {"a": first, "b": second}).with_batch(batch)
    program = compile(network, make_soc())
    assert program.layers[0].unit == ("array" if batch == 1 or first[0] == 2 else "host")
    assert verify(network, make_soc(), program, random_inputs(network, 1)).matches


def test_convolutions_over_three_axes(tmp_path: Path) -> None:
    """And pools; the convolution behind them, over two, runs on the array."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "volume", pads=[1] * 6),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[6, 1, 1]),
        helper.make_node("Squeeze", ["p", "axes"], ["s"], "flat"),
        helper.make_node("Conv", ["s", "v"], ["y"], "plane"),
    ]
    weights = {"w": numbers(4, 3, 3, 3, 3), "v": numbers(5, 4, 3, 3)}
    path = tmp_path / "m.onnx"
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 6, 7, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            *(numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()),
            numpy_helper.from_array(np.array([2]), "axes"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    network = onnx_import.load(path)
    program = compile(network, make_soc())
    assert {layer.name: layer.unit for layer in program.layers if layer.macs} == {"volume": "host", "plane": "array"}
    assert program.macs == count_macs(network) == 4 * 81 * 6 * 7 * 8 + 5 * 36 * 5 * 6
    assert verify(network, make_soc(), program, random_inputs(network, 1)).matches


def test_what_follows_a_1d_convolution_belongs_to_its_layer(tmp_path: Path) -> None:
    """Activation, normalisation, a constant for each channel and a shortcut; only the pool remains on the host."""
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "w"], ["c"], "first", pads=[1, 1]),
        make("BatchNormalization", ["c", "one", "zero", "zero", "one"], ["b"], "bn"),
        make("Relu", ["b"], ["r"], "relu"),
        make("Conv", ["r", "v"], ["d"], "second", pads=[1, 1]),
        make("Add", ["d", "shift"], ["e"], "shift"),
        make("Add", ["e", "r"], ["s"], "shortcut"),
        make("MaxPool", ["s"], ["p"], "pool", kernel_shape=[2], strides=[2]),
        make("LeakyRelu", ["p"], ["y"], "leaky"),
    ]
    constants = {
        "w": numbers(6, 4, 3),
        "v": numbers(6, 6, 3),
        "shift": numbers(6, 1),
        "one": np.ones(6),
        "zero": np.zeros(6),
    }
    network = imported(tmp_path / "m.onnx", nodes, {"x": (1, 4, 20)}, **constants)
    program = compile(network, make_soc())
    assert [layer.operators for layer in program.layers if layer.unit == "array"] == [
        ("first", "bn", "relu"),
        ("second", "shift", "shortcut"),
    ]
    assert len(program.layers) == 4
    assert network.tensors["y"].shape == (1, 6, 10)
    assert verify(network, make_soc(), program, random_inputs(network, 1)).matches
