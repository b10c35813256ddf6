"""A network as an ONNX model.

Constants with values become initializers; those with a shape only become inputs, so the graph is complete either way.
Left out: types other than float32 and int64 for what has no values, and models beyond the 2 GB of one protobuf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soc_sim.network.base import Network, Operator
from soc_sim.network.evaluation import OPSET, require_onnx

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto


def to_onnx(network: Network) -> ModelProto:
    """The model of one input of the file's shape (without the batch of ``network``), in opset 20.

    For networks whose operators have the form of that opset, as those of the zoo.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    require_onnx("writing ONNX models")
    from onnx import TensorProto, helper, numpy_helper

    # Row numbers of a table; everything else is a float.
    integers = {operator.inputs[1] for operator in network.operators if operator.op_type == "Gather"}

    def declare(name: str) -> ValueInfoProto:
        kind = TensorProto.INT64 if name in integers else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, network.tensors[name].shape)

    def write(operator: Operator) -> NodeProto:
        settings: dict[str, Any] = dict(operator.attributes)
        return helper.make_node(operator.op_type, operator.inputs, operator.outputs, operator.name, **settings)

    constants = [tensor for tensor in network.tensors.values() if tensor.constant]
    graph = helper.make_graph(
        [write(operator) for operator in network.operators],
        network.name,
        [declare(name) for name in (*network.inputs, *(tensor.name for tensor in constants if not tensor.values))],
        [declare(name) for name in network.outputs],
        [numpy_helper.from_array(tensor.values(), tensor.name) for tensor in constants if tensor.values],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
