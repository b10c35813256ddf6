"""One walk over the graph, in order: shapes of everything, and what is constant.

Each node is written in a uniform opset, its output types are inferred by onnx from the known types and small constants
of its inputs, and it is folded if it depends on constants or shapes only. Because every dimension is a number by then,
shape arithmetic (Shape, Gather, Concat, ...) folds away completely, and so does an ``If`` whose condition is constant.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, TypeProto, helper, numpy_helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError, infer_node_outputs

from soc_sim.network.onnx_import import integers, quantiser
from soc_sim.network.onnx_import.constants import Constants
from soc_sim.network.onnx_import.faults import Faults, did_you_mean, reason, size
from soc_sim.network.onnx_import.legacy import UNIFORM_OPSET, modernise
from soc_sim.network.onnx_import.vocabulary import (
    CONTROL_FLOW,
    SHAPE_ARITHMETIC,
    STANDARD_DOMAINS,
    is_computable,
    is_known,
    schema_of,
)
from soc_sim.network.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Shape = tuple[int, ...]

SMALL_ELEMENTS = 1024
"""Constants up to this size take part in shape inference (targets of Reshape, scales of Resize, ...)."""


@dataclass
class Analysis:
    """Shapes and constants of a graph, and the nodes that are left for the run."""

    constants: Constants
    opset: int
    types: dict[str, TypeProto] = field(default_factory=dict)
    nodes: list[NodeProto] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def shape(self, name: str) -> Shape:
        """Dimensions of a tensor whose shape is known."""
        return tuple(d.dim_value for d in self.types[name].tensor_type.shape.dim)


class Walk:
    """Analyses the nodes of one graph.

    Args:
        constants: the initializers; results that are constant are added.
        opset: version of the standard operators in the file.
        stated: types that the file itself gives for tensors; used for operators that onnx does not know.
        allow_unknown: take operators nobody knows as they are, with a warning.
    """

    def __init__(
        self, constants: Constants, opset: int, stated: Mapping[str, TypeProto], allow_unknown: bool, faults: Faults
    ) -> None:
        self._old = opset < UNIFORM_OPSET
        self._result = Analysis(constants, max(opset, UNIFORM_OPSET))
        self._opsets = [helper.make_opsetid("", self._result.opset)]
        self._stated = stated
        self._allow_unknown = allow_unknown
        self._faults = faults

    def run(self, nodes: Sequence[NodeProto], known: Mapping[str, TypeProto]) -> Analysis:
        """Walks over ``nodes`` (topological order), starting from the types of inputs and initializers.

        Faults are collected: what depends on a faulty node is only checked for being known.
        """
        self._result.types.update(known)
        self._pending = deque(nodes)
        while self._pending:
            node = self._pending.popleft()
            if all(name in self._result.types for name in node.input if name):
                self._visit(node)
            elif not is_known(node, self._result.opset) and node.op_type not in SHAPE_ARITHMETIC:
                self._unknown(node)
        return self._result

    def _visit(self, node: NodeProto) -> None:
        result = self._result
        if node.op_type in CONTROL_FLOW and node.domain in STANDARD_DOMAINS:
            self._control_flow(node)
            return
        if self._old and node.domain in STANDARD_DOMAINS:
            ranks = {name: len(result.shape(name)) for name in node.input if name}
            try:
                *before, node = modernise(node, ranks)
            except ValueError as error:
                self._faults.add(str(error), node)
                return
            for added in before:
                self._infer(added)
            if any(added.output[0] not in result.types for added in before):
                return
        if integers.is_rewritten(node):
            self._integers(node)
        else:
            self._infer(node)

    def _integers(self, node: NodeProto) -> None:
        try:
            nodes = integers.rewrite(node)
        except ValueError as error:
            self._faults.add(str(error), node)
            return
        for written in nodes:
            if any(name and name not in self._result.types for name in written.input):
                return
            self._infer(written)

    def _infer(self, node: NodeProto) -> None:
        constants = self._result.constants
        if node.domain in STANDARD_DOMAINS and node.op_type in ("Shape", "Size"):
            self._fold_shape(node)
        elif self._folds(node):
            self._fold(node)
        elif quantiser.is_quantiser(node) and node.input[0] in constants:
            constants.add_unreadable(node.output[0])
            self._result.types[node.output[0]] = self._result.types[node.input[0]]
            self._result.warnings.append(
                f'values of "{node.output[0]}" are unknown: {node.op_type} of a constant is not computed'
            )
        elif quantiser.is_quantiser(node):
            self._result.types[node.output[0]] = self._result.types[node.input[0]]
            self._result.nodes.append(node)
        elif is_known(node, self._result.opset):
            self._run_time(node)
        else:
            self._unknown(node)

    # --- constants ---

    def _folds(self, node: NodeProto) -> bool:
        return is_computable(node, self._result.opset) and all(
            name in self._result.constants for name in node.input if name
        )

    def _fold_shape(self, node: NodeProto) -> None:
        shape = self._result.shape(node.input[0])
        attributes = {a.name: a.i for a in node.attribute}
        answer = (
            shape[attributes.get("start", 0) : attributes.get("end")]
            if node.op_type == "Shape"
            else int(np.prod(shape))
        )
        self._result.constants.add_values(node.output[0], answer)
        dimensions = [len(answer)] if isinstance(answer, tuple) else []
        self._result.types[node.output[0]] = helper.make_tensor_type_proto(TensorProto.INT64, dimensions)

    def _fold(self, node: NodeProto) -> None:
        constants = self._result.constants
        if quantiser.is_quantiser(node):
            types = {node.output[0]: self._result.types[node.input[0]]}
        elif node.op_type == "Constant":
            # Not by its definition: before opset 9 that allows floats only, and nobody kept to it.
            if len(node.attribute) != 1 or len(node.output) != 1:
                counts = f"{len(node.attribute)} attributes and {len(node.output)} outputs"
                self._faults.add(f"Constant with {counts}; allowed: one of each", node)
                return
            tensor = node.attribute[0].t
            types = (
                {node.output[0]: helper.make_tensor_type_proto(tensor.data_type, tensor.dims)}
                if tensor.data_type
                else {}
            )
        else:
            found = self._inferred(node)
            if found is None:
                return
            types = found
        constants.add_node(node)
        for name in filter(None, node.output):
            if not is_fixed(types.get(name)):
                array = constants.values(name)
                types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            self._result.types[name] = types[name]

    # --- operators of the run ---

    def _run_time(self, node: NodeProto) -> None:
        types = self._inferred(node)
        if types is None:
            return
        for index, name in enumerate(node.output):
            if not name:
                continue
            if is_fixed(types.get(name)):
                self._result.types[name] = types[name]
                shape = self._result.shape(name)
                if any(dimension < 1 for dimension in shape):
                    self._faults.add(f"output {size(shape)} is empty: {node.op_type} of {self._operands(node)}", node)
                    del self._result.types[name]
            elif index == 0:
                self._faults.add(
                    f'shape of "{name}" depends on data; allowed: shapes that follow from the inputs\' shapes', node
                )
        self._result.nodes.append(node)

    def _inferred(self, node: NodeProto) -> dict[str, TypeProto] | None:
        """Types of the outputs by onnx; None after a fault."""
        # The first definitions of the quantisers know no scale for each channel, which QLinearConv had from the start.
        quantises = node.op_type in ("QuantizeLinear", "DequantizeLinear")
        schema = schema_of(node.op_type, max(self._result.opset, 13) if quantises else self._result.opset)
        assert schema is not None  # noqa: S101  only known operators come here
        types = {name: self._result.types[name] for name in node.input if name}
        try:
            return infer_node_outputs(schema, node, types, self._small_inputs(node), opset_imports=self._opsets)
        except (InferenceError, ValidationError, RuntimeError, ValueError, IndexError) as error:
            self._faults.add(f"{node.op_type} of {self._operands(node)}: {reason(error)}", node)
            return None

    def _small_inputs(self, node: NodeProto) -> dict[str, TensorProto]:
        """Values of the constants on which an output's shape may depend: integers, and scales of a resampling."""
        constants, found = self._result.constants, {}
        for name in node.input:
            if name in constants and np.prod(self._result.shape(name)) <= SMALL_ELEMENTS:
                integer = self._result.types[name].tensor_type.elem_type in (TensorProto.INT64, TensorProto.INT32)
                if integer or node.op_type in ("Resize", "Upsample", "Range"):
                    found[name] = numpy_helper.from_array(np.ascontiguousarray(constants.values(name)), name)
        return found

    def _operands(self, node: NodeProto) -> str:
        return ", ".join(size(self._result.shape(name)) for name in node.input if name) or "nothing"

    # --- what is not an ordinary operator ---

    def _control_flow(self, node: NodeProto) -> None:
        if node.op_type != "If" or node.input[0] not in self._result.constants:
            self._faults.add(
                f"{node.op_type} is control flow that depends on data; allowed: straight-line networks", node
            )
            return
        taken = "then_branch" if self._result.constants.values(node.input[0]).item() else "else_branch"
        branch = next(a.g for a in node.attribute if a.name == taken)
        self._pending.extendleft(reversed(_inlined(branch, node, self._result)))

    def _unknown(self, node: NodeProto) -> None:
        where = f"domain {node.domain or 'ai.onnx'}"
        if not self._allow_unknown:
            hint = did_you_mean(node.op_type, OPERATORS)
            self._faults.add(
                f"operator type {node.op_type} ({where}) is unknown; allow_unknown costs it as a copy{hint}", node
            )
            return
        warning = f'node "{node.name}" of type {node.op_type} ({where}) is unknown: '
        warning += "costed as a copy of its inputs and outputs on the host"
        for name in filter(None, node.output):
            kind = self._stated.get(name)
            if not is_fixed(kind):
                data = next((i for i in node.input if i in self._result.types), None)
                if data is None:
                    self._faults.add(f'shape of "{name}" is not in the file, and {node.op_type} is unknown', node)
                    continue
                kind = self._result.types[data]
                warning += f'; "{name}" is taken to have the shape of "{data}"'
            self._result.types[name] = kind
        self._result.nodes.append(node)
        self._result.warnings.append(warning)


def is_fixed(kind: TypeProto | None) -> TypeGuard[TypeProto]:
    """Whether a type is that of a tensor whose dimensions are all numbers."""
    if kind is None or not kind.tensor_type.HasField("shape"):
        return False
    return all(d.HasField("dim_value") for d in kind.tensor_type.shape.dim)


def _inlined(branch: GraphProto, node: NodeProto, result: Analysis) -> list[NodeProto]:
    """Nodes of a branch, its results copied to the outputs of the ``If``."""
    for tensor in branch.initializer:
        result.constants.add_tensor(tensor.name, tensor)
        result.types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
    nodes = [copy.deepcopy(inner) for inner in branch.node]
    for index, inner in enumerate(nodes):
        inner.name = f"{node.name}/{inner.name or f'{inner.op_type}_{index}'}"
    copies = [
        helper.make_node("Identity", [value.name], [output], f"{node.name}/{output}")
        for value, output in zip(branch.output, node.output, strict=True)
    ]
    return [*nodes, *copies]
