"""Quantised networks in their simplest form: real numbers only where something computes with them.

A file says DequantizeLinear, operator, QuantizeLinear, also around operators that only move numbers. Moving commutes
with dequantising (one scale for the whole tensor), and so does taking a maximum, because scales are positive. So:

- an operator that moves numbers moves the integers, and DequantizeLinear follows it;
- a concatenation whose pieces have other scales than its result concatenates pieces quantised anew;
- QuantizeLinear of what was dequantised with the same scale and zero point is the integers themselves;
- every reader has a DequantizeLinear of its own, which the compiler then makes part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from soc_sim.network.base import Network, Operator, Tensor

_MOVERS = frozenset(
    (
        "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Transpose", "Slice", "Split", "Gather",
        "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "Concat", "MaxPool", "GlobalMaxPool",
    )
)  # fmt: skip

_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32")


def simplify(network: Network) -> Network:
    """The same network, computing the same numbers; one without DequantizeLinear of activations as it is."""
    if not any(dequantises(network.tensors, operator) for operator in network.operators):
        return network
    return _Simplification(network).run()


class Parameters(NamedTuple):
    """How a tensor stands for numbers: real = (integer − zero point) · scale."""

    scale: np.float32
    zero_point: int
    dtype: str
    """Of the integers, by numpy's name."""


def parameters(tensors: Mapping[str, Tensor], operator: Operator) -> Parameters | None:
    """Those of a (De)QuantizeLinear with one constant scale for the whole tensor; None for all other operators."""
    if operator.op_type not in ("QuantizeLinear", "DequantizeLinear"):
        return None
    given = [tensors[name] for name in operator.inputs[1:] if name]
    if any(tensor.elements != 1 or not tensor.constant or tensor.values is None for tensor in given):
        return None
    scale, *zero = (np.asarray(tensor.values()).reshape(-1)[0] for tensor in given if tensor.values)
    integers = operator.outputs[0] if operator.op_type == "QuantizeLinear" else operator.inputs[0]
    dtype = tensors[integers].dtype
    if scale.dtype != np.float32 or dtype not in _INTEGERS:
        return None
    return Parameters(scale, int(zero[0]) if zero else 0, dtype)


def dequantises(tensors: Mapping[str, Tensor], operator: Operator) -> bool:
    """Whether the operator dequantises an activation with one constant scale."""
    return (
        operator.op_type == "DequantizeLinear"
        and not tensors[operator.inputs[0]].constant
        and parameters(tensors, operator) is not None
    )


class _Simplification:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.tensors: dict[str, Tensor] = dict(network.tensors)
        self.operators: list[Operator] = []
        self.real: dict[str, Operator] = {}
        """Name of a real tensor → the DequantizeLinear that would write it."""
        self.renamed: dict[str, str] = {}
        self.taken: set[str] = set()

    def run(self) -> Network:
        network = self.network
        for operator in network.operators:
            operator = replace(operator, inputs=tuple(self.renamed.get(name, name) for name in operator.inputs))
            if dequantises(self.tensors, operator):
                self.real[operator.outputs[0]] = operator
            elif not (self._moved(operator) or self._cancelled(operator)):
                self._keep(operator)
        for name in network.outputs:
            if name in self.real:
                self.operators.append(self.real[name])
        used = {name for operator in self.operators for name in (*operator.inputs, *operator.outputs) if name}
        used.update(network.inputs, network.outputs)
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in used}
        return replace(network, operators=tuple(self.operators), tensors=tensors)

    def _moved(self, operator: Operator) -> bool:
        """Lets an operator move integers, if it does nothing but move, and its operands are quantised alike."""
        if operator.op_type not in _MOVERS or len([name for name in operator.outputs if name]) != len(operator.outputs):
            return False
        if operator.op_type in ("MaxPool", "Dropout") and len(operator.outputs) > 1:
            return False
        data = operator.inputs if operator.op_type == "Concat" else operator.inputs[:1]
        if any(name not in self.real for name in data):
            return False
        sources = [self.real[name] for name in data]
        wanted, model = parameters(self.tensors, sources[0]), sources[0]
        if any(parameters(self.tensors, source) != wanted for source in sources):
            reader = self._only_reader(operator.outputs[0])
            wanted = parameters(self.tensors, reader) if reader else None
            if reader is None or wanted is None or reader.op_type != "QuantizeLinear":
                return False
            model = reader
            sources = [self._again(source, reader, wanted) for source in sources]
        if wanted is None:
            return False
        integers, outputs = [source.inputs[0] for source in sources], []
        for name in operator.outputs:
            outputs.append(self._new(f"{name}:integers", self.tensors[name].shape, wanted.dtype))
            self.real[name] = Operator(
                f"{name}:dequantised", "DequantizeLinear", (outputs[-1], *model.inputs[1:]), (name,), {"axis": 0}
            )
        self.operators.append(
            replace(operator, inputs=(*integers, *operator.inputs[len(data) :]), outputs=tuple(outputs))
        )
        return True

    def _again(self, source: Operator, reader: Operator, wanted: Parameters) -> Operator:
        """A piece quantised as the result is."""
        if parameters(self.tensors, source) == wanted:
            return source
        shape = self.tensors[source.outputs[0]].shape
        real, integers = self._own(source), self._new(f"{source.outputs[0]}:requantised", shape, wanted.dtype)
        label = f"{source.outputs[0]}:requantised"
        self.operators.append(
            Operator(label, "QuantizeLinear", (real, *reader.inputs[1:]), (integers,), dict(reader.attributes))
        )
        return Operator("", "DequantizeLinear", (integers, *reader.inputs[1:]), ("",), {})

    def _cancelled(self, operator: Operator) -> bool:
        """Leaves out a QuantizeLinear whose result exists already."""
        source = self.real.get(operator.inputs[0]) if operator.op_type == "QuantizeLinear" else None
        if source is None or parameters(self.tensors, operator) != parameters(self.tensors, source):
            return False
        output = operator.outputs[0]
        if output in self.network.outputs:
            self.operators.append(Operator(operator.name, "Identity", (source.inputs[0],), (output,), {}))
        else:
            self.renamed[output] = source.inputs[0]
        return True

    def _keep(self, operator: Operator) -> None:
        inputs = tuple(self._own(self.real[name]) if name in self.real else name for name in operator.inputs)
        self.operators.append(replace(operator, inputs=inputs))

    def _own(self, source: Operator) -> str:
        """The result of a DequantizeLinear for one reader."""
        output = source.outputs[0]
        label = source.name
        if output in self.taken or output in self.network.outputs:
            output = self._new(output, self.tensors[output].shape, "float32")
            label = f"{source.name}:{output}"
        self.taken.add(output)
        self.operators.append(replace(source, name=label, outputs=(output,)))
        return output

    def _new(self, name: str, shape: Sequence[int], dtype: str) -> str:
        while name in self.tensors:
            name += "'"
        self.tensors[name] = Tensor(name, tuple(shape), dtype=dtype)
        return name

    def _only_reader(self, name: str) -> Operator | None:
        readers: Mapping[str, tuple[Operator, ...]] = self.network.consumers
        found = readers.get(name, ())
        return found[0] if len(found) == 1 and name not in self.network.outputs else None
