"""What follows a GEMM in its layer: scale, bias, batch normalisation, activations, additions; element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.functional.memory import constant_values
from soc_sim.compiler.fusion import Group
from soc_sim.network.base import Network, Operator
from soc_sim.network.integers import IntegerGemm, quantise
from soc_sim.network.quantised import parameters

Numbers = npt.NDArray[Any]
_FLOAT = 1
"""ONNX's number of the type float32."""
Operand = Callable[[str], Numbers]
"""Name of a tensor → its elements that belong to a tile."""


BIAS, SCALE, FACTOR = ":bias", ":scale", ":factor"
"""What a product of integers is finished with, beside the tensors of the network (whose names may be anything else)."""
_QUANTISATION = ("QuantizeLinear", "DequantizeLinear")


def constants(network: Network, group: Group) -> list[str]:
    """The constants that the operators behind the GEMM read, its bias among them, one scale for a tensor not."""
    behind = [operator for operator in group.operators[1:] if operator.op_type not in _QUANTISATION]
    names = (*group.head.inputs[2:], *(name for operator in behind for name in operator.inputs))
    return list(dict.fromkeys(name for name in names if name and network.tensors[name].constant))


def aligned(group: Group, name: str, values: Numbers, rank: int) -> Numbers:
    """A constant with the dimensions that numpy's broadcasting needs: those of channels stand at the second axis."""
    vectors = {
        name
        for operator in group.operators
        for name in (
            operator.inputs[1:]
            if operator.op_type == "BatchNormalization"
            else operator.inputs[2:]
            if operator.op_type == "Conv"
            else ()
        )
    }
    if name in vectors:
        return values.reshape(-1, *(1,) * (rank - 2))
    return values


def finish(
    network: Network, group: Group, sums: Numbers, operand: Operand, exact: IntegerGemm | None = None
) -> Numbers:
    """The results of a tile from the sums of its products; integers where ``exact`` says how."""
    if exact is not None:
        return _finish_integers(network, group, sums, operand, exact)
    head = group.head
    for scaling in group.scalings:
        sums = _scaled(network, scaling, sums)
    if head.op_type == "Gemm":
        sums = sums * _number(head, "alpha", 1.0)
    if len(head.inputs) > 2 and head.inputs[2]:
        sums = sums + _number(head, "beta", 1.0) * operand(head.inputs[2])
    return _follow(network, group.operators, sums, operand)


def _finish_integers(network: Network, group: Group, sums: Numbers, operand: Operand, exact: IntegerGemm) -> Numbers:
    """In float32 from the sums on, as the definition has it (``network.integers``)."""
    if exact.bias is not None:
        sums = sums + operand(BIAS)
    if exact.result is not None and exact.requantiser in group.operators:
        factor = operand(FACTOR).astype(np.float32)
        return _follow(network, group.operators[1:], quantise(sums.astype(np.float32) * factor, exact.result), operand)
    real = sums.astype(np.float32) * operand(SCALE).astype(np.float32)
    return _follow(network, group.operators, real, lambda name: operand(name).astype(np.float32))


def _follow(network: Network, operators: Sequence[Operator], values: Numbers, operand: Operand) -> Numbers:
    """Applies the operators behind the first one to its result."""
    before = operators[0].outputs[0]
    for operator in operators[1:]:
        if operator.op_type in _QUANTISATION:
            values = (_requantise if operator.op_type == "QuantizeLinear" else dequantise)(network, operator, values)
        else:
            given = [values if name == before else operand(name) if name else None for name in operator.inputs]
            values = _apply(operator, given)
        before = operator.outputs[0]
    return values


def dequantise(network: Network, operator: Operator, values: Numbers) -> Numbers:
    """The float32 numbers that integers stand for."""
    own = parameters(network.tensors, operator)
    assert own is not None  # noqa: S101 # what a layer contains has one scale
    return (values.astype(np.float32) - np.float32(own.zero_point)) * own.scale


def _requantise(network: Network, operator: Operator, values: Numbers) -> Numbers:
    own = parameters(network.tensors, operator)
    assert own is not None  # noqa: S101 # what a layer contains has one scale
    return quantise(values / own.scale, own)


def _apply(operator: Operator, operands: list[Any]) -> Numbers:
    if operator.op_type == "Cast":
        # To float32 or int32, of numbers that are whole already or become so.
        return operands[0] if operator.attributes["to"] == _FLOAT else np.trunc(operands[0])  # type: ignore[no-any-return]
    if operator.op_type == "BatchNormalization":
        x, scale, bias, mean, variance = operands
        result: Numbers = (x - mean) / np.sqrt(variance + _number(operator, "epsilon", 1e-5)) * scale + bias
        return result
    if operator.op_type == "Clip":
        x, *bounds = operands
        low, high = (
            bounds[i] if i < len(bounds) and bounds[i] is not None else _number(operator, name, default)
            for i, (name, default) in enumerate((("min", -np.inf), ("max", np.inf)))
        )
        clipped: Numbers = np.minimum(np.maximum(x, low), high)
        return clipped
    if operator.op_type == "LeakyRelu":
        operands.append(_number(operator, "alpha", 0.01))
    if operator.op_type == "Sum":
        total: Numbers = sum(operands[1:], operands[0])
        return total
    return _FUNCTIONS[operator.op_type](*operands)


_FUNCTIONS: Mapping[str, Callable[..., Numbers]] = {
    "Relu": lambda x: np.maximum(x, 0),
    "LeakyRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}


def _scaled(network: Network, scaling: Operator, sums: Numbers) -> Numbers:
    name = next(name for name in scaling.inputs if network.tensors[name].constant)
    factor = float(constant_values(network, name).item())
    return sums * factor if scaling.op_type == "Mul" else sums / factor


def _number(operator: Operator, name: str, default: float) -> float:
    return float(operator.attributes.get(name, default))  # type: ignore[arg-type]
