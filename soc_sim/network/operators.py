"""The operators the simulator knows, and what each costs where it does not run on the array.

A family says how an operator is treated:

- ``gemm``: runs on the array (Conv, Gemm, MatMul).
- ``elementwise``: one result per element (Relu, Add, ...); broadcast inputs allowed.
- ``window``: pooling; every result reads ``kernel`` elements.
- ``reduce``: reads its input once or more and normalises or reduces it (Softmax, LayerNormalization, ReduceMean).
- ``move``: data movement without arithmetic (Transpose, Concat, Slice, Gather, Resize, ...).
- ``view``: another name for the same bytes (Reshape, Flatten, ...): no time, no traffic.

``per_element`` counts elementary operations by kind, per result element (``window``: per element of the window;
``reduce``: per element of the input); ``per_result`` counts what a window or a reduction adds once per result element.
Each count is the formula written beside it: definitions, not measurements. How many cycles an operation of a kind takes
is the host's (``host.cycles``). A GELU is taken by its definition with erf, a table of which is looked up and
interpolated; sigmoid and tanh by exponential and division.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from soc_sim.config.host import OperationKind
from soc_sim.network.base import Network, Operator

Family = Literal["gemm", "elementwise", "window", "reduce", "move", "view"]


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """How one operator type is treated, and its elementary operations."""

    family: Family
    per_element: Mapping[OperationKind, int] = field(default_factory=dict)
    per_result: Mapping[OperationKind, int] = field(default_factory=dict)


_FORMULAS: dict[tuple[str, ...], OperatorKind] = {
    ("Conv", "Gemm", "MatMul"): OperatorKind("gemm"),
    # One operation per element.
    ("Add", "Sub", "Neg", "Sum", "And", "Or", "Not", "Floor", "Ceil", "Round", "BitShift"): OperatorKind(
        "elementwise", {"add": 1}
    ),
    ("Mul",): OperatorKind("elementwise", {"multiply": 1}),
    ("Relu", "Max", "Min", "Abs", "Sign", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"): OperatorKind(
        "elementwise", {"compare": 1}
    ),
    ("Cast",): OperatorKind("elementwise", {"move": 1}),
    # min(max(x, a), b); condition and choice.
    ("Clip", "Where"): OperatorKind("elementwise", {"compare": 2}),
    # x < 0 ? a x : x
    ("LeakyRelu", "PRelu"): OperatorKind("elementwise", {"compare": 1, "multiply": 1}),
    # a x + b with constants folded; x / s rounded + z, clipped; (q - z) s
    ("BatchNormalization", "DequantizeLinear"): OperatorKind("elementwise", {"multiply": 1, "add": 1}),
    ("QuantizeLinear",): OperatorKind("elementwise", {"multiply": 1, "add": 2, "compare": 2}),
    # QONNX's quantisers: scale, round, two compares, scale back.
    ("Quant", "IntQuant", "BipolarQuant", "FloatQuant", "Trunc"): OperatorKind(
        "elementwise", {"multiply": 2, "add": 1, "compare": 2}
    ),
    # clip(a x + b, 0, 1), and that times x.
    ("HardSigmoid",): OperatorKind("elementwise", {"multiply": 1, "add": 1, "compare": 2}),
    ("HardSwish",): OperatorKind("elementwise", {"multiply": 2, "add": 1, "compare": 2}),
    ("Exp", "Log", "Sin", "Cos"): OperatorKind("elementwise", {"exp": 1}),
    ("Sqrt", "Reciprocal", "Div"): OperatorKind("elementwise", {"divide": 1}),
    # exp(b log a)
    ("Pow",): OperatorKind("elementwise", {"exp": 2, "multiply": 1}),
    # 1 / (1 + exp(-x)); 1 - 2 / (exp(2x) + 1); x sigmoid(x)
    ("Sigmoid",): OperatorKind("elementwise", {"exp": 1, "add": 1, "divide": 1}),
    ("Tanh",): OperatorKind("elementwise", {"exp": 1, "multiply": 1, "add": 2, "divide": 1}),
    ("Swish", "Silu"): OperatorKind("elementwise", {"exp": 1, "add": 1, "divide": 1, "multiply": 1}),
    # log(1 + exp(x)); x < 0 ? a (exp(x) - 1) : x, scaled for Selu
    ("Softplus",): OperatorKind("elementwise", {"exp": 2, "add": 1}),
    ("Elu", "Selu"): OperatorKind("elementwise", {"compare": 1, "exp": 1, "add": 1, "multiply": 1}),
    # x tanh(log(1 + exp(x)))
    ("Mish",): OperatorKind("elementwise", {"exp": 3, "add": 3, "divide": 1, "multiply": 2}),
    # A table with linear interpolation: look-up, a (x - x0) + y0.
    ("Erf",): OperatorKind("elementwise", {"lookup": 1, "multiply": 1, "add": 2}),
    # x / 2 (1 + erf(x / sqrt 2))
    ("Gelu",): OperatorKind("elementwise", {"lookup": 1, "multiply": 4, "add": 3}),
    # The largest of the window; its sum, times 1 / n.
    ("MaxPool", "GlobalMaxPool"): OperatorKind("window", {"compare": 1}),
    ("AveragePool", "GlobalAveragePool"): OperatorKind("window", {"add": 1}, {"multiply": 1}),
    # (sum of squares) to the power of 1/2
    ("LpPool",): OperatorKind("window", {"multiply": 1, "add": 1}, {"divide": 1}),
    ("ReduceSum", "CumSum", "Col2Im"): OperatorKind("reduce", {"add": 1}),
    ("ReduceMean",): OperatorKind("reduce", {"add": 1}, {"multiply": 1}),
    ("ReduceProd",): OperatorKind("reduce", {"multiply": 1}),
    ("ReduceMax", "ReduceMin", "ArgMax", "ArgMin"): OperatorKind("reduce", {"compare": 1}),
    ("ReduceL2",): OperatorKind("reduce", {"multiply": 1, "add": 1}, {"divide": 1}),
    # Minimum and maximum; then each element quantised, as by QuantizeLinear.
    ("DynamicQuantizeLinear",): OperatorKind("reduce", {"compare": 4, "multiply": 1, "add": 2}),
    # Four levels of a heap.
    ("TopK",): OperatorKind("reduce", {"compare": 4}),
    # Maximum; exp(x - maximum); sum; times the reciprocal, one division a row (left out: rows are long).
    ("Softmax",): OperatorKind("reduce", {"compare": 1, "add": 2, "exp": 1, "multiply": 1}),
    # x - maximum - log(sum)
    ("LogSoftmax",): OperatorKind("reduce", {"compare": 1, "add": 3, "exp": 1}),
    # Sum; x - mean, its square, their sum; times 1 / deviation, times scale, plus shift (a root a row is left out).
    ("LayerNormalization", "InstanceNormalization", "GroupNormalization"): OperatorKind(
        "reduce", {"add": 4, "multiply": 3}
    ),
    # Square, sum; times 1 / root, times scale.
    ("RMSNormalization",): OperatorKind("reduce", {"add": 1, "multiply": 3}),
    # Square; sliding sum; (k + a sum) to the power of -b; times x.
    ("LRN",): OperatorKind("reduce", {"multiply": 4, "add": 3, "exp": 2}),
    ("Transpose", "Concat", "Slice", "Split", "Gather", "Pad", "Expand", "Tile", "DepthToSpace", "SpaceToDepth"): (
        OperatorKind("move", {"move": 1})
    ),
    # Bilinear: two interpolations along one axis, one along the other, each a + t (b - a).
    ("Resize", "Upsample"): OperatorKind("move", {"multiply": 3, "add": 6}),
    ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"): OperatorKind("view"),
}
"""Resize and Upsample copy (one ``move``) where their mode is ``nearest``: :func:`elementary` knows."""

OPERATORS: dict[str, OperatorKind] = {name: kind for names, kind in _FORMULAS.items() for name in names}
"""ONNX operator type → how it is treated. What is not here is unknown (an error, or a costed copy on request)."""


UNKNOWN = OperatorKind("move", {"move": 1})
"""What an operator nobody knows costs: a copy."""


def elementary(network: Network, operator: Operator) -> dict[OperationKind, int]:
    """Elementary operations of a host operator by kind, for all images of the batch.

    Elements: ``elementwise`` and ``move`` results; ``window`` results x elements of the kernel; ``reduce`` elements of
    the input; a view that has to be copied moves its results; a product that the array cannot run multiplies and adds.
    """
    kind = OPERATORS.get(operator.op_type, UNKNOWN)
    results = sum(network.tensors[name].elements for name in operator.outputs if name)
    source = network.tensors[operator.inputs[0]] if operator.inputs else None
    elements, per_element = results, kind.per_element
    if kind.family == "gemm":
        macs = gemm_shape(operator, network).macs
        return {"multiply": macs, "add": macs}
    if kind.family == "view" or (operator.op_type in ("Resize", "Upsample") and _is_nearest(operator)):
        per_element = {"move": 1}
    elif kind.family == "reduce" and source is not None:
        elements = source.elements
    elif kind.family == "window" and source is not None:
        window = operator.attributes.get("kernel_shape") or source.shape[2:]
        elements *= math.prod(int(size) for size in window) if isinstance(window, tuple) else 1
    found: dict[OperationKind, int] = {}
    for counts, number in ((per_element, elements), (kind.per_result, results)):
        for name, count in counts.items():
            found[name] = found.get(name, 0) + network.batch * number * count
    return found


def _is_nearest(operator: Operator) -> bool:
    return str(operator.attributes.get("mode", "nearest")) == "nearest"


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
