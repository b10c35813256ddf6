"""Which operators run together as one layer.

Array layers: a GEMM operator and what follows it without another reader in between: batch normalisation and other
per-channel constants (folded into weights and bias offline), activations (Relu, Clip, LeakyRelu, PRelu) and additions
of an activation of equal shape; also a multiplication of an operand by one number, which goes into the result's scale.
Host layers: one operator each, or a chain of elementwise operators on one shape.

A layer takes the place of its last operator in the topological order. That is always possible, because only the result
of that operator is visible outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from soc_sim.network.base import Network, Operator
from soc_sim.network.operators import OPERATORS, Family, OperatorKind

_ACTIVATIONS = ("Relu", "Clip", "LeakyRelu", "PRelu")
_ARITHMETIC = ("Add", "Sum", "Sub", "Mul", "Div")
UNKNOWN = OperatorKind("move", 1)
"""What an operator nobody knows costs: a copy."""


@dataclass(slots=True)
class Group:
    """Operators that become one layer; ``residuals`` are activations that the layer adds to its result."""

    unit: Literal["array", "host"]
    operators: list[Operator]
    position: int
    """Of the last operator in the network."""
    residuals: list[str] = field(default_factory=list)
    scalings: list[Operator] = field(default_factory=list)
    """Multiplications of an operand by one number: the layer reads what they read, and scales its result."""

    @property
    def head(self) -> Operator:
        """The operator that gives the layer its name."""
        return self.operators[0]

    @property
    def output(self) -> str:
        """The tensor that other layers see (an operator with several results is never fused with a later one)."""
        return self.operators[-1].outputs[0]


def family(operator: Operator) -> Family:
    """How the operator is treated; unknown ones are copies."""
    return OPERATORS.get(operator.op_type, UNKNOWN).family


def group_operators(network: Network) -> list[Group]:
    """Every operator but the views, in groups, in an order in which they can run."""
    positions = {operator.name: index for index, operator in enumerate(network.operators)}
    taken: set[str] = set()
    groups: list[Group] = []

    def grow(head: Operator, group: Group, accepts: Callable[[Network, Group, Operator, str], bool]) -> None:
        taken.add(head.name)
        while (follower := _only_reader(network, group.output)) is not None:
            if follower.name in taken or not accepts(network, group, follower, group.output):
                break
            taken.add(follower.name)
            group.operators.append(follower)
            group.position = positions[follower.name]
        groups.append(group)

    scaled = _scalings(network)
    # The later producer gets an addition of two results: the earlier one is then complete and can be loaded.
    for operator in reversed(network.operators):
        if family(operator) == "gemm":
            before = scaled.get(operator.name, [])
            taken.update(scaling.name for scaling in before)
            group = Group("array", [operator], positions[operator.name], _addends(network, operator), before)
            grow(operator, group, _joins_gemm)
    for operator in network.operators:
        if operator.name not in taken and family(operator) not in ("gemm", "view"):
            grow(operator, Group("host", [operator], positions[operator.name]), _joins_host)
    return sorted(groups, key=lambda group: group.position)


def _scalings(network: Network) -> dict[str, list[Operator]]:
    """Name of a GEMM → multiplications and divisions by one number whose result only this GEMM reads.

    A GEMM is linear in each operand, so the factor can be applied to its result, where scaling takes place anyway.
    """
    found: dict[str, list[Operator]] = {}
    for operator in network.operators:
        result = operator.outputs[0]
        reader = _only_reader(network, result)
        if operator.op_type not in ("Mul", "Div") or reader is None or family(reader) != "gemm":
            continue
        source, factor = operator.inputs
        if operator.op_type == "Mul" and _constant(network, source):
            source, factor = factor, source
        if (
            _constant(network, factor)
            and network.tensors[factor].elements == 1
            and not _constant(network, source)
            and network.tensors[source].shape == network.tensors[result].shape
            and reader.inputs.count(result) == 1
            and result in reader.inputs[:2]
        ):
            found.setdefault(reader.name, []).append(operator)
    return found


def channel_words(network: Network, group: Group) -> int:
    """Constants that travel with the weights for each output channel: a bias, the slope of a PRelu."""
    bias = len(group.head.inputs) > 2 and _constant(network, group.head.inputs[2])
    shift = any(
        operator.op_type == "BatchNormalization"
        or (operator.op_type in ("Add", "Sum", "Sub") and any(_constant(network, name) for name in operator.inputs))
        for operator in group.operators[1:]
    )
    return int(bias or shift) + sum(operator.op_type == "PRelu" for operator in group.operators[1:])


def _addends(network: Network, operator: Operator) -> list[str]:
    """The third operand of a Gemm, where it is an activation."""
    third = operator.inputs[2] if operator.op_type == "Gemm" and len(operator.inputs) > 2 else ""
    return [third] if third and not _constant(network, third) else []


def _only_reader(network: Network, tensor: str) -> Operator | None:
    readers = network.consumers.get(tensor, ())
    return readers[0] if len(readers) == 1 and tensor not in network.outputs else None


def _constant(network: Network, tensor: str) -> bool:
    return bool(tensor) and network.tensors[tensor].constant


def _joins_gemm(network: Network, group: Group, operator: Operator, tensor: str) -> bool:
    others = [name for name in operator.inputs if name and name != tensor]
    if network.tensors[operator.outputs[0]].shape != network.tensors[tensor].shape:
        return False
    if operator.op_type in _ACTIVATIONS:
        per_channel = operator.op_type == "PRelu"
        return operator.inputs[0] == tensor and all(
            _constant(network, name) and (not per_channel or _is_per_channel(network, group.head, name))
            for name in others
        )
    if operator.op_type == "BatchNormalization":
        return operator.inputs[0] == tensor and all(
            _constant(network, name) and _is_per_channel(network, group.head, name, axis=1) for name in others
        )
    if operator.op_type in _ARITHMETIC and len(others) == 1:
        if _constant(network, others[0]):
            return (operator.op_type != "Div" or operator.inputs[0] == tensor) and _is_per_channel(
                network, group.head, others[0]
            )
        if operator.op_type in ("Add", "Sum") and network.tensors[others[0]].shape == network.tensors[tensor].shape:
            group.residuals.append(others[0])
            return True
    return False


def _is_per_channel(network: Network, head: Operator, constant: str, axis: int | None = None) -> bool:
    """Whether a constant has one value for all, or one for each output channel (each row of W).

    ``axis``: of the output that a constant vector belongs to; without it, shapes are aligned at their ends.
    """
    shape, rank = network.tensors[constant].shape, len(network.tensors[head.outputs[0]].shape)
    if axis is not None:
        shape = (*shape, *(1,) * (rank - axis - 1))
    if len(shape) > rank:
        return False
    if all(size == 1 for size in shape):
        return True
    if head.op_type == "Conv":
        channel = 1
    elif _constant(network, head.inputs[1]):
        channel = rank - 1
    elif _constant(network, head.inputs[0]):
        channel = rank - 2
    else:
        return False
    first = rank - len(shape)
    return all(size == 1 or first + i == channel for i, size in enumerate(shape))


def _joins_host(network: Network, group: Group, operator: Operator, tensor: str) -> bool:
    return (
        family(operator) == "elementwise"
        and family(group.operators[-1]) == "elementwise"
        and network.tensors[operator.outputs[0]].shape == network.tensors[tensor].shape
    )
