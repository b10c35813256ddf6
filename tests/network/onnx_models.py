"""Small ONNX models for tests, and an independent execution of imported networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from soc_sim.network.base import Network, Operator

EXECUTION_OPSET = 20
Array = NDArray[Any]


def numbers(*shape: int, seed: int = 0) -> Array:
    """Float32 values from a seeded generator."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def save(
    path: Path,
    nodes: Sequence[NodeProto],
    *,
    inputs: Mapping[str, Sequence[int | str | None] | None],
    outputs: Sequence[str] = ("y",),
    constants: Mapping[str, Array] | None = None,
    opset: int = 13,
    domains: Sequence[str] = (),
    value_info: Sequence[onnx.ValueInfoProto] = (),
) -> Path:
    """Writes a model of float inputs; outputs have no shape, as files of sloppy exporters."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
        value_info=value_info,
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def execute(network: Network, feeds: Mapping[str, Array]) -> list[Array]:
    """Outputs of an imported network, operator by operator, by onnx's reference implementation."""
    values = {name: tensor.values() for name, tensor in network.tensors.items() if tensor.values} | dict(feeds)
    for operator in network.operators:
        results = _apply(operator, [values[name] for name in operator.inputs if name])
        for name, array in zip(operator.outputs, results, strict=False):
            assert array.shape == network.tensors[name].shape, operator
            values[name] = array
    return [values[name] for name in network.outputs]


def _apply(operator: Operator, inputs: list[Array]) -> list[Array]:
    attributes = operator.attributes
    if operator.op_type == "Reshape":
        return [inputs[0].reshape(attributes["shape"])]
    if operator.op_type == "Unsqueeze":
        return [np.expand_dims(inputs[0], attributes["axes"])]
    if operator.op_type == "Squeeze":
        return [np.squeeze(inputs[0], attributes["axes"])]
    schema = onnx.defs.get_schema(operator.op_type, EXECUTION_OPSET, "")
    names = [f"i{index}" for index in range(len(inputs))]
    node = helper.make_node(
        operator.op_type, names, operator.outputs, **{k: v for k, v in attributes.items() if k in schema.attributes}
    )
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in zip(names, inputs, strict=True)
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in operator.outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", EXECUTION_OPSET)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
