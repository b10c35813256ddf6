"""The operators the simulator knows, and what each costs where it does not run on the array.

A family says how an operator is treated:

- ``gemm``: runs on the array (Conv, Gemm, MatMul).
- ``elementwise``: one result per element (Relu, Add, ...); broadcast inputs allowed.
- ``window``: pooling; every result reads ``kernel`` elements.
- ``reduce``: reads its input once or more and normalises or reduces it (Softmax, LayerNormalization, ReduceMean).
- ``move``: data movement without arithmetic (Transpose, Concat, Slice, Gather, Resize, ...).
- ``view``: another name for the same bytes (Reshape, Flatten, ...): no time, no traffic.

``operations`` are vector-unit operations per result element (``window``: per element of the window; ``reduce``: per
element of the input). They are this project's count of elementary operations (add, multiply, compare, table look-up),
written out in the comment beside each group; they are an assumption, not a measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from soc_sim.network.base import Network, Operator

Family = Literal["gemm", "elementwise", "window", "reduce", "move", "view"]


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """How one operator type is treated, and its vector-unit operations per element."""

    family: Family
    operations: int = 0


def _kinds() -> dict[str, OperatorKind]:
    kinds = {name: OperatorKind("gemm") for name in ("Conv", "Gemm", "MatMul")}
    # One add, multiply, compare, select or logic operation per element.
    for name in (
        "Add", "Sub", "Mul", "Relu", "Max", "Min", "Neg", "Abs", "Sum", "And", "Or", "Not", "Equal", "Less", "Greater",
        "LessOrEqual", "GreaterOrEqual", "Floor", "Ceil", "Round", "Sign", "Cast", "BitShift",
    ):  # fmt: skip
        kinds[name] = OperatorKind("elementwise", 1)
    # Two operations: two compares (Clip), compare and multiply (leaky variants), multiply and round (quantisation).
    for name in (
        "Clip",
        "LeakyRelu",
        "PRelu",
        "QuantizeLinear",
        "DequantizeLinear",
        "Where",
        "BatchNormalization",
        "HardSigmoid",
    ):
        kinds[name] = OperatorKind("elementwise", 2)
    # Scale, round, two compares, scale back (QONNX's quantisers).
    for name in ("Quant", "IntQuant", "BipolarQuant", "FloatQuant", "Trunc"):
        kinds[name] = OperatorKind("elementwise", 5)
    # Hard swish: add, two compares, two multiplies.
    kinds["HardSwish"] = OperatorKind("elementwise", 5)
    # One table look-up with linear interpolation: index, two reads, multiply, add.
    for name in (
        "Sigmoid",
        "Tanh",
        "Exp",
        "Log",
        "Sqrt",
        "Reciprocal",
        "Erf",
        "Softplus",
        "Elu",
        "Selu",
        "Sin",
        "Cos",
        "Pow",
        "Div",
    ):
        kinds[name] = OperatorKind("elementwise", 5)
    # Look-up and one or two multiplies.
    for name in ("Gelu", "Swish", "Mish", "Silu"):
        kinds[name] = OperatorKind("elementwise", 7)
    for name in ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LpPool"):
        kinds[name] = OperatorKind("window", 1)
    for name in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ArgMax", "ArgMin", "CumSum"):
        kinds[name] = OperatorKind("reduce", 1)
    # One add per column element.
    kinds["Col2Im"] = OperatorKind("reduce", 1)
    # Minimum and maximum (2), scale, round, two compares (4).
    kinds["DynamicQuantizeLinear"] = OperatorKind("reduce", 6)
    kinds["ReduceL2"] = OperatorKind("reduce", 2)
    kinds["TopK"] = OperatorKind("reduce", 4)
    # Maximum (1), subtract and exponential (1 + 5), sum (1), multiply by the reciprocal (1).
    for name in ("Softmax", "LogSoftmax"):
        kinds[name] = OperatorKind("reduce", 9)
    # Mean (1), subtract, square and sum (3), scale and shift (2).
    for name in ("LayerNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization"):
        kinds[name] = OperatorKind("reduce", 6)
    # Square, sliding sum (2), power (5), multiply.
    kinds["LRN"] = OperatorKind("reduce", 9)
    for name in (
        "Transpose",
        "Concat",
        "Slice",
        "Split",
        "Gather",
        "Pad",
        "Expand",
        "Tile",
        "DepthToSpace",
        "SpaceToDepth",
    ):
        kinds[name] = OperatorKind("move", 1)
    # Bilinear interpolation: four multiply-adds.
    for name in ("Resize", "Upsample"):
        kinds[name] = OperatorKind("move", 4)
    for name in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"):
        kinds[name] = OperatorKind("view")
    return kinds


OPERATORS: dict[str, OperatorKind] = _kinds()
"""ONNX operator type → how it is treated. What is not here is unknown (an error, or a costed copy on request)."""


@dataclass(frozen=True, slots=True)
class GemmShape:
    """O[M,N] = W[M,K] · X[K,N], ``groups`` times (groups of a convolution, or matrices of a batched product)."""

    m: int
    k: int
    n: int
    groups: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all groups."""
        return self.m * self.k * self.n * self.groups


def gemm_shape(operator: Operator, network: Network) -> GemmShape:
    """The GEMM of a Conv, Gemm or MatMul, in the orientation of flexisaga: W takes the constant operand.

    Convolution (im2col): M = output channels per group, K = input channels per group · kernel elements,
    N = batch · output pixels. A product with constants on either side puts them in W. A product of two activations
    puts the first operand in W and has one group per matrix of the batch.

    Raises:
        ValueError: the operator is of another type.
    """
    output = network.tensors[operator.outputs[0]]
    first, second = (network.tensors[name] for name in operator.inputs[:2])
    if operator.op_type == "Conv":
        groups = int(str(operator.attributes.get("group", 1)))
        m = second.shape[0] // groups
        return GemmShape(m, math.prod(second.shape[1:]), network.batch * output.elements // second.shape[0], groups)
    if operator.op_type == "Gemm":
        k = first.shape[0] if operator.attributes.get("transA", 0) else first.shape[-1]
    elif operator.op_type == "MatMul":
        k = first.shape[-1]
    else:
        raise ValueError(f"{operator.op_type} is not a GEMM")
    if second.constant and len([d for d in second.shape[:-2] if d != 1]) == 0:
        m = output.shape[-1] if len(second.shape) > 1 else 1
        return GemmShape(m, k, network.batch * output.elements // m)
    columns = (
        1 if len(second.shape) == 1 else second.shape[-2] if operator.attributes.get("transB", 0) else second.shape[-1]
    )
    if first.constant and len([d for d in first.shape[:-2] if d != 1]) == 0:
        m = 1 if len(first.shape) == 1 else first.shape[-1 if operator.attributes.get("transA", 0) else -2]
        return GemmShape(m, k, network.batch * output.elements // m)
    rows = 1 if len(first.shape) == 1 else first.shape[-1 if operator.attributes.get("transA", 0) else -2]
    return GemmShape(rows, k, columns, network.batch * output.elements // (rows * columns))


def count_macs(network: Network) -> int:
    """Multiply-accumulates of all operators of family ``gemm``."""
    return sum(
        gemm_shape(operator, network).macs
        for operator in network.operators
        if operator.op_type in OPERATORS and OPERATORS[operator.op_type].family == "gemm"
    )


def count_parameters(network: Network) -> int:
    """Elements of the constants that operators read, each once.

    Batch-normalisation means and variances are statistics, not parameters, as torchvision counts them. Scalars (a
    scale, a bound, an index) and the target shapes of views belong to a network's definition, not to what is trained.
    """
    names: dict[str, int] = {}
    for operator in network.operators:
        if operator.op_type in OPERATORS and OPERATORS[operator.op_type].family == "view":
            continue
        inputs = operator.inputs[:3] if operator.op_type == "BatchNormalization" else operator.inputs
        for name in inputs:
            if name and network.tensors[name].constant and network.tensors[name].shape:
                names[name] = network.tensors[name].elements
    return sum(names.values())
