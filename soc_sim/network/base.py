"""What runs: a network as a graph of operators on named tensors.

Operators carry ONNX names and ONNX attributes (defaults already filled in), whether they come from an ONNX file or
from the zoo: it is the vocabulary the field shares. Layout is ONNX's (N, C, H, W); how a tensor lies in memory is
the compiler's business. Values of weights are optional: cycles of dense runs need shapes only.

Left out: control flow (If, Loop, Scan), sequences, and shapes that depend on data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

AttributeValue = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Integers:
    """What a constant of a quantised network is made of: integers, their zero point subtracted, times a scale."""

    values: Callable[[], NDArray[np.int64]] = field(compare=False, repr=False)
    """Reads the integers on demand, in the tensor's shape."""
    scale: NDArray[np.float32] = field(compare=False, repr=False)
    """As many dimensions as the tensor, each 1 or the tensor's."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named value. ``constant`` tensors (weights, biases, tables) are known before the run."""

    name: str
    shape: tuple[int, ...]
    constant: bool = False
    values: Callable[[], NDArray[np.generic]] | None = field(default=None, compare=False, repr=False)
    """Reads the values of a constant on demand (shape as above); None where only the shape is known."""
    dtype: str = "float32"
    """Type of the elements in the file, by numpy's name."""
    integers: Integers | None = None
    """What a constant is made of, where that is integers and a scale."""

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Operator:
    """One node: ``op_type`` is the ONNX operator type, inputs and outputs are names of tensors.

    An optional input that is absent is the empty string, as in ONNX.
    """

    name: str
    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """Operators in topological order, and every tensor they mention (shapes are those of the file, batch included).

    ``batch`` multiplies every tensor that is not constant: it runs on so many inputs of the file's shape at once.
    """

    name: str
    operators: tuple[Operator, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch: int = 1
    warnings: tuple[str, ...] = ()
    source: str = ""
    """Where the definition comes from (publication, file)."""

    def with_batch(self, batch: int) -> Network:
        """The same network on ``batch`` inputs at once."""
        return replace(self, batch=batch)

    @cached_property
    def producers(self) -> Mapping[str, Operator]:
        """Tensor name → the operator that writes it."""
        return {output: operator for operator in self.operators for output in operator.outputs if output}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Operator, ...]]:
        """Tensor name → the operators that read it, in order."""
        readers: dict[str, list[Operator]] = {}
        for operator in self.operators:
            for name in dict.fromkeys(operator.inputs):
                if name:
                    readers.setdefault(name, []).append(operator)
        return {name: tuple(operators) for name, operators in readers.items()}
