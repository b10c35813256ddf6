"""What follows a GEMM in its layer: scale, bias, batch normalisation, activations, additions; element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.functional.memory import constant_values
from soc_sim.compiler.fusion import Group
from soc_sim.network.base import Network, Operator

Numbers = npt.NDArray[Any]
Operand = Callable[[str], Numbers]
"""Name of a tensor → its elements that belong to a tile."""


def constants(network: Network, group: Group) -> list[str]:
    """The constants that the operators behind the GEMM read, its bias among them."""
    names = (*group.head.inputs[2:], *(name for operator in group.operators[1:] for name in operator.inputs))
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


def finish(network: Network, group: Group, sums: Numbers, operand: Operand) -> Numbers:
    """The results of a tile from the sums of its products."""
    head = group.head
    for scaling in group.scalings:
        sums = _scaled(network, scaling, sums)
    if head.op_type == "Gemm":
        sums = sums * _number(head, "alpha", 1.0)
    if len(head.inputs) > 2 and head.inputs[2]:
        sums = sums + _number(head, "beta", 1.0) * operand(head.inputs[2])
    before = head.outputs[0]
    for operator in group.operators[1:]:
        sums = _apply(
            operator, [sums if name == before else operand(name) if name else None for name in operator.inputs]
        )
        before = operator.outputs[0]
    return sums


def _apply(operator: Operator, operands: list[Any]) -> Numbers:
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
