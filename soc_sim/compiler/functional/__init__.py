"""Functional execution: what a compiled program computes, tile by tile, compared with the network's definition.

The program's own instructions run in program order: loads fill buffers from the addresses they name, each Compute
executes the folds of its dataflow (pruned rows and columns skipped) and must execute the MACs it is counted with,
stores write results back. Every layer's result is compared with the reference implementation of ONNX.

Differences are those of the layer alone: a result that matches is replaced by the reference's, so rounding does not add
up through the network; one that does not match stays, and what depends on it differs, too.

Numbers have the types of the network's file. A float32 network is computed in float64 and compared with a tolerance;
products of quantised operands are computed in integers and compared exactly (``network.integers``). Where real numbers
are rounded to integers, a result may differ by one.

Left out: time, the formats of compressed weights (they are taken as decoded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.functional.gemm import constant_operand, weight_matrix
from soc_sim.compiler.functional.layers import ArrayLayer, Executed, Reading, run_on_array, run_on_host
from soc_sim.compiler.functional.memory import Memory, constant_values
from soc_sim.compiler.fusion import Group, group_operators
from soc_sim.compiler.layout import lay_out
from soc_sim.compiler.lowering import lower
from soc_sim.compiler.program import Program
from soc_sim.compiler.zeros import Zeros
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.network.evaluation import evaluate_network
from soc_sim.network.integers import integer_gemm
from soc_sim.network.quantised import parameters

Numbers = npt.NDArray[Any]

TOLERANCE = 1e-4
"""Greatest difference of a float32 result, relative to the largest magnitude of the tensor: about 800 units of rounding
(2⁻²³), where sums of some thousand products in another order differ by tens."""
_EXACT_IN_FLOAT32 = 2**24
_EXACT = ("QuantizeLinear", "DequantizeLinear", "Relu", "Clip", "Add", "Sub", "Mul", "Div", "Cast")
"""What gives the very same float32 from the same float32."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A result beside the reference's."""

    name: str
    max_error: float
    """Largest difference of an element; NaN where something was never computed or loaded."""
    tolerance: float
    dataflow: str | None = None
    """None for the host and for outputs."""
    faults: tuple[str, ...] = ()

    @property
    def matches(self) -> bool:
        """Whether the numbers agree, and the instructions do what they say."""
        return self.max_error <= self.tolerance and not self.faults


@dataclass(frozen=True, slots=True)
class Verification:
    """All comparisons of one execution."""

    network: str
    layers: tuple[Comparison, ...]
    outputs: tuple[Comparison, ...]
    macs_executed: int

    @property
    def matches(self) -> bool:
        """Whether all of them match."""
        return all(comparison.matches for comparison in (*self.layers, *self.outputs))


def verify(
    network: Network,
    soc: Soc,
    program: Program,
    inputs: Mapping[str, Numbers],
    sparsity: Literal["dense"] | Sparsity = "dense",
) -> Verification:
    """Executes a program and compares it with the network it was compiled from.

    Args:
        network: The network, with values for all constants.
        soc: What it was compiled for.
        program: The program.
        inputs: Input name → values, (batch, *shape).
        sparsity: Where weights are zero, as it was given to the compiler.

    Raises:
        NetworkError: an operator that the reference implementation cannot compute.
        VerificationError: a transfer leaves its memory.
    """
    with np.errstate(all="ignore"):  # infinities and NaN of the network itself are compared like other values
        return _Execution(network, soc, program, sparsity).run(inputs)


class _Execution:
    def __init__(self, network: Network, soc: Soc, program: Program, sparsity: Literal["dense"] | Sparsity) -> None:
        self.network, self.soc, self.program = network, soc, program
        self.layout = lay_out(network, group_operators(network), soc.array.operand_bytes)
        self.zeros = None if sparsity == "dense" else Zeros(network, sparsity, soc.array)
        self.memory = Memory(network, program, self.layout, soc.array.operand_bytes)
        self.pruned: dict[str, dict[str, Numbers]] = {}
        self.arrays = {
            layer.index: self._array_layer(layer.index, group)
            for layer, group in zip(program.layers, self.layout.groups, strict=True)
            if group.unit == "array"
        }

    def run(self, inputs: Mapping[str, Numbers]) -> Verification:
        reference = self._reference(inputs)
        self._follow_views()
        for name in self.network.inputs:
            self.memory.write(name, inputs[name])
        comparisons, macs = [], 0
        rounding: dict[str, float] = {}
        for layer, group in zip(self.program.layers, self.layout.groups, strict=True):
            done = Executed()
            if group.unit == "array":
                done = run_on_array(self.memory, self.program, self.soc.array, self.arrays[layer.index])
            else:
                run_on_host(self.memory, group, reference)
            macs += done.macs
            exact = layer.gemm is not None and self._exact(group, layer.gemm.k, reference)
            if group.unit == "array" and self.arrays[layer.index].exact:
                exact = all(operator.op_type in _EXACT for operator in group.operators[1:])
            rounded = not exact and any(operator.op_type == "QuantizeLinear" for operator in group.operators)
            errors = [
                (name, *_difference(self.memory.read(name), reference[name], exact=exact, rounded=rounded))
                for name in group.operators[-1].outputs
                if name
            ]
            worst = max(errors, key=lambda error: (not error[1] <= error[2], error[1]))
            comparison = Comparison(layer.name, *worst[1:], layer.dataflow, tuple(done.faults))
            comparisons.append(comparison)
            if comparison.matches:
                for name, error, _ in errors:
                    self.memory.write(name, reference[name])
                    rounding[name] = error
        outputs = tuple(
            Comparison(name, max(rounding.get(name, 0.0), error), tolerance)
            for name in self.network.outputs
            for error, tolerance in [_difference(self.memory.read(name), reference[name], exact=False)]
        )
        return Verification(self.network.name, tuple(comparisons), outputs, macs)

    def _array_layer(self, index: int, group: Group) -> ArrayLayer:
        network, layer = self.network, self.program.layers[index]
        nest, operands = lower(network, group, self.layout.views)
        weights = nonzero = None
        exact = integer_gemm(network, group.head) if not group.scalings else None
        read = {operator.outputs[0]: parameters(network.tensors, operator) for operator in group.dequantisers}
        if exact and any(name not in read and not network.tensors[name].constant for name in group.head.inputs[:2]):
            exact = None  # an operand that is dequantised before it comes here
        if nest.constant_weights:
            first, second = (network.tensors[name] for name in group.head.inputs[:2])
            position = constant_operand(group.head, (first.constant, second.constant), second.shape)
            tensor = (first, second)[position]
            values = constant_values(network, tensor.name)
            nonzero = self.zeros.of(layer.name, group.head, nest) if self.zeros else None
            if nonzero is not None:
                values = values.copy()
                # The matrix is a view of the values, so this prunes both.
                weight_matrix(group.head, position, values, nest)[~nonzero] = 0
                self.pruned[group.head.name] = {tensor.name: values}
            values = exact.operand(position, values) if exact else values
            weights = weight_matrix(group.head, position, values, nest).astype(np.float64)
        else:
            position = 0

        def reading(name: str) -> Reading:
            own = read.get(name)
            return Reading() if own is None else Reading(own.zero_point, 1.0 if exact else float(own.scale))

        order = None if layer.row_order is None else np.array(layer.row_order)
        if order is not None and weights is not None:
            weights = np.take_along_axis(weights, order[..., None], axis=1)
            nonzero = None if nonzero is None else np.take_along_axis(nonzero, order[..., None], axis=1)
        k_order = None if layer.k_order is None else np.array(layer.k_order)
        if k_order is not None and weights is not None:
            weights = np.take_along_axis(weights, k_order[:, None], axis=2)
            nonzero = None if nonzero is None else np.take_along_axis(nonzero, k_order[:, None], axis=2)
        w, x = (reading(group.head.inputs[i]) for i in (position, 1 - position))
        return ArrayLayer(
            layer, group, nest, operands, weights, nonzero if self.program.sparse else None, exact, w, x, order, k_order
        )

    def _follow_views(self) -> None:
        """Operators of no layer: their results are other names of their inputs, or (Concat) of several tensors."""
        groups = self.layout.groups
        executed = {
            operator.name for group in groups for operator in (*group.operators, *group.scalings, *group.dequantisers)
        }
        for operator in self.network.operators:
            if operator.name not in executed and operator.op_type != "Concat":
                self.memory.rename(operator)

    def _reference(self, inputs: Mapping[str, Numbers]) -> dict[str, Numbers]:
        images = [
            evaluate_network(self.network, {name: values[image] for name, values in inputs.items()}, self.pruned)
            for image in range(self.network.batch)
        ]
        written = (name for name, tensor in self.network.tensors.items() if not tensor.constant)
        return {name: np.stack([image[name] for image in images]) for name in written}

    def _exact(self, group: Group, terms: int, reference: Mapping[str, Numbers]) -> bool:
        """Whether a layer of float32 tensors computes with integers that float32 represents."""
        operands = [
            reference[name] if name in reference else self._constant(group, name) for name in group.head.inputs if name
        ]
        if not all(_integers(values) for values in (*operands, reference[group.output])):
            return False
        return terms * float(np.abs(operands[0]).max()) * float(np.abs(operands[1]).max()) < _EXACT_IN_FLOAT32

    def _constant(self, group: Group, name: str) -> Numbers:
        pruned = self.pruned.get(group.head.name, {})
        return pruned[name] if name in pruned else constant_values(self.network, name)


def _integers(values: Numbers) -> bool:
    return values.dtype.kind in "iub" or bool(np.array_equal(values, np.rint(values)))


def _difference(own: Numbers, reference: Numbers, *, exact: bool, rounded: bool = False) -> tuple[float, float]:
    """The largest difference, and how large it may be; one, where real numbers are ``rounded`` to integers."""
    expected = reference.astype(np.float64)
    with np.errstate(invalid="ignore"):
        same = (own == expected) | (np.isnan(own) & np.isnan(expected))
        error = np.where(same, 0.0, np.abs(own - expected))
    finite = np.abs(expected[np.isfinite(expected)])
    if reference.dtype.kind != "f":
        tolerance = float(rounded)
    else:
        tolerance = 0.0 if exact else TOLERANCE * float(finite.max(initial=0.0))
    return float(error.max(initial=0.0)), tolerance
