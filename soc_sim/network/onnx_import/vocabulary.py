"""Which operators an import knows, and where their definitions are."""

from __future__ import annotations

from onnx import NodeProto, defs

from soc_sim.network.onnx_import import integers, quantiser
from soc_sim.network.operators import OPERATORS

STANDARD_DOMAINS = ("", "ai.onnx")
CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
REWRITTEN = ("ConvTranspose",)
"""Operators that the conversion expresses by those in OPERATORS."""
SHAPE_ARITHMETIC = (
    "Constant", "ConstantOfShape", "Shape", "Size", "Range", "NonZero", "OneHot", "EyeLike", "Mod", "Mean", "Trilu",
    "Xor", "ScatterND", "GatherND", "ScatterElements", "GatherElements", "IsNaN", "IsInf", "Einsum",
)  # fmt: skip
"""Operators that are met in the computation of shapes and tables, and known when their inputs are constant."""

RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
"""Operators whose results are not constant although their inputs are."""


def is_known(node: NodeProto, opset: int) -> bool:
    """Whether the node can be an operator of the run."""
    if quantiser.is_quantiser(node) or integers.is_rewritten(node):
        return True
    known = node.op_type in OPERATORS or node.op_type in REWRITTEN or node.op_type in CONTROL_FLOW
    return known and node.domain in STANDARD_DOMAINS and schema_of(node.op_type, opset) is not None


def is_computable(node: NodeProto, opset: int) -> bool:
    """Whether the node's results can be computed from the values of its inputs."""
    if node.domain not in STANDARD_DOMAINS:
        return quantiser.is_quantiser(node) and node.op_type in quantiser.COMPUTED
    return node.op_type not in RANDOM and schema_of(node.op_type, opset) is not None


def schema_of(op_type: str, opset: int) -> defs.OpSchema | None:
    """The operator's definition: of the file's opset, else the first later one (exporters run ahead of their opset)."""
    for version in (opset, defs.onnx_opset_version()):
        try:
            return defs.get_schema(op_type, version, "")
        except defs.SchemaError:
            continue
    return None
