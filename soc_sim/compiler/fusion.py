"""Which operators run together as one layer.

Array layers: a GEMM operator and what follows it without another reader in between: batch normalisation and other
per-channel constants (folded into weights and bias offline), activations (Relu, Clip, LeakyRelu, PRelu), quantisation
with one scale, and additions of an activation of equal shape; also a multiplication of an operand by one number, which
goes into the result's scale. Host layers: one operator each, or a chain of elementwise operators on one shape.

Dequantisation with one scale belongs to the layer that reads its result: integers are what lies in memory.

A layer takes the place of its last operator in the topological order. That is always possible, because only the result
of that operator is visible outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from soc_sim.network import quantised
from soc_sim.network.base import Network, Operator
from soc_sim.network.operators import OPERATORS, UNKNOWN, Family

_ACTIVATIONS = ("Relu", "Clip", "LeakyRelu", "PRelu")
_ARITHMETIC = ("Add", "Sum", "Sub", "Mul", "Div")


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
    dequantisers: list[Operator] = field(default_factory=list)
    """DequantizeLinear of its operands: the layer reads the integers."""

    @property
    def head(self) -> Operator:
        """The operator that gives the layer its name."""
        return self.operators[0]

    @property
    def output(self) -> str:
        """The tensor that other layers see (an operator with several results is never fused with a later one)."""
        return self.operators[-1].outputs[0]


def runs_on_array(network: Network, operator: Operator) -> bool:
    """Whether the array can run a GEMM: no convolution over three axes, no product that broadcasts in part.

    A product of several matrices has its groups one stride apart, so each operand is either repeated along all
    dimensions of the batch or along none.
    """
    if family(operator) != "gemm":
        return False
    tensors = [network.tensors[name] for name in operator.inputs[:2]]
    if operator.op_type == "Conv":
        return len(tensors[0].shape) <= 4
    if any(tensor.constant and all(size == 1 for size in tensor.shape[:-2]) for tensor in tensors):
        return True
    rank = max(len(tensor.shape[:-2]) for tensor in tensors)
    batches = [
        (1 if tensor.constant else network.batch, *(1,) * (rank - len(tensor.shape[:-2])), *tensor.shape[:-2])
        for tensor in tensors
    ]
    for own, other in (batches, reversed(batches)):
        repeated = {mine == 1 for mine, its in zip(own, other, strict=True) if max(mine, its) > 1}
        if len(repeated) > 1:
            return False
    return True


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
            chain, last = [follower], group.output
            # What is dequantised at once never reaches a memory, if the reader joins.
            if follower.outputs[0] in dequantised:
                last = follower.outputs[0]
                chain += network.consumers[last]
            follower = chain[-1]
            if follower.name in taken or not accepts(network, group, follower, last):
                break
            taken.add(follower.name)
            group.operators += chain
            group.position = positions[follower.name]
        groups.append(group)

    scaled = _scalings(network)
    dequantised = _dequantisers(network, scaled)
    taken.update(operator.name for operator in dequantised.values())
    # The later producer gets an addition of two results: the earlier one is then complete and can be loaded.
    for operator in reversed(network.operators):
        if runs_on_array(network, operator):
            before = scaled.get(operator.name, [])
            taken.update(scaling.name for scaling in before)
            group = Group("array", [operator], positions[operator.name], _addends(network, operator), before)
            grow(operator, group, _joins_gemm)
    for operator in network.operators:
        if operator.name not in taken and family(operator) != "view":
            grow(operator, Group("host", [operator], positions[operator.name]), _joins_host)
    for group in groups:
        reads = dict.fromkeys(name for operator in group.operators for name in operator.inputs)
        own = {operator.name for operator in group.operators}
        found = [dequantised[name] for name in reads if name in dequantised]
        group.dequantisers = [operator for operator in found if operator.name not in own]
    return sorted(groups, key=lambda group: group.position)


def _dequantisers(network: Network, scaled: dict[str, list[Operator]]) -> dict[str, Operator]:
    """Name of a real tensor → the DequantizeLinear that its only reader can do as it reads.

    Not where the reader is no layer of its own, or may turn into strides.
    """
    scalings = {operator.name for operators in scaled.values() for operator in operators}
    found: dict[str, Operator] = {}
    for operator in network.operators:
        if quantised.dequantises(network.tensors, operator):
            reader = _only_reader(network, operator.outputs[0])
            if reader is not None and reader.name not in scalings and family(reader) not in ("view", "move"):
                found[operator.outputs[0]] = operator
    return found


def _scalings(network: Network) -> dict[str, list[Operator]]:
    """Name of a GEMM → multiplications and divisions by one number whose result only this GEMM reads.

    A GEMM is linear in each operand, so the factor can be applied to its result, where scaling takes place anyway.
    """
    found: dict[str, list[Operator]] = {}
    for operator in network.operators:
        result = operator.outputs[0]
        reader = _only_reader(network, result)
        if operator.op_type not in ("Mul", "Div") or reader is None or not runs_on_array(network, reader):
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
    slopes = sum(operator.op_type == "PRelu" for operator in group.operators[1:])
    return int(bias or shift) + slopes + _scales_per_channel(network, group.head)


def _scales_per_channel(network: Network, head: Operator) -> bool:
    """Whether quantised weights have a scale for each output channel."""
    made = [network.tensors[name].integers for name in head.inputs[:2]]
    return any(integers is not None and integers.scale.size > 1 for integers in made)


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
    if operator.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return operator.inputs[0] == tensor and quantised.parameters(network.tensors, operator) is not None
    if operator.op_type == "Cast":
        return network.tensors[operator.outputs[0]].dtype in ("float32", "int32")
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
        and (
            family(group.operators[-1]) == "elementwise"
            or (operator.op_type == "QuantizeLinear" and family(group.operators[-1]) in ("window", "reduce"))
        )
        and len(group.operators[-1].outputs) == 1
        and network.tensors[operator.outputs[0]].shape == network.tensors[tensor].shape
    )
