"""Products of quantised operands, computed in integers: what the array does with int8, and what ONNX defines.

    sums = Σ (x − x_zero) · (w − w_zero) + bias                                    exact integers
    real = float32(sums) · (x_scale · w_scale)
    y = saturate(round_half_even(float32(sums) · (x_scale · w_scale / y_scale)) + y_zero)

All scales are float32, products and quotients of them, too. That is QLinearConv and QLinearMatMul
(https://onnx.ai/onnx/operators/onnx__QLinearConv.html) as onnxruntime computes them. ONNX's own reference multiplies
the sums in float64 and rounds after adding the zero point, which differs by one where a product lies halfway.

Left out: scales for blocks of an axis, scales that are known at run time only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.network.base import Integers, Network, Operator, Tensor
from soc_sim.network.quantised import Parameters, dequantises, parameters

Array = NDArray[Any]


@dataclass(frozen=True)
class IntegerGemm:
    """A Conv, Gemm or MatMul whose operands are integers with a scale."""

    constants: tuple[Integers | None, Integers | None]
    """Of the two operands; None for an activation."""
    zero_points: tuple[int, int]
    """What is subtracted from the integers of an activation."""
    scale: Array
    """Float32, of a sum; one for all or one for each output channel, ready for broadcasting over the result."""
    bias: Array | None
    """Added to the sums, ready for broadcasting over the result."""
    requantiser: Operator | None
    """The QuantizeLinear that alone reads the result."""
    result: Parameters | None
    """Its scale, zero point and type."""

    @property
    def factor(self) -> Array | None:
        """Float32, what a sum is multiplied by on its way to the quantised result; None if there is none."""
        return None if self.result is None else np.asarray(self.scale / self.result.scale, np.float32)

    def operand(self, position: int, values: Array) -> Array:
        """An operand without its zero point, in float64, which holds integers up to 2⁵³.

        Args:
            position: 0 or 1.
            values: What lies in memory; of a constant its real values, of which zeros count (they may be pruned).
        """
        made = self.constants[position]
        if made is None:
            return np.asarray(values.astype(np.float64) - self.zero_points[position])
        return np.where(values == 0, 0, made.values()).astype(np.float64)

    def real(self, sums: Array) -> Array:
        """The numbers that sums stand for."""
        return np.asarray(sums.astype(np.float32) * self.scale)


def quantise(values: Array, result: Parameters) -> Array:
    """Rounds what is divided by the scale already: half to even, the zero point added, saturated."""
    limits = np.iinfo(result.dtype)
    rounded: Array = np.clip(np.rint(values) + result.zero_point, limits.min, limits.max).astype(result.dtype)
    return rounded


def integer_gemm(network: Network, head: Operator) -> IntegerGemm | None:
    """How an operator is computed in integers; None where an operand is none, or has scales along K."""
    if head.op_type not in ("Conv", "Gemm", "MatMul"):
        return None
    if head.op_type == "Gemm" and (head.attributes.get("alpha", 1.0), head.attributes.get("beta", 1.0)) != (1.0, 1.0):
        return None
    constants: list[Integers | None] = []
    zeros: list[int] = []
    scale: Array = np.ones((), np.float32)
    found: Array | np.float32 | None
    for position, name in enumerate(head.inputs[:2]):
        tensor, producer = network.tensors[name], network.producers.get(name)
        if tensor.constant:
            found = _per_channel(head, position, tensor)
            zero = 0
        elif producer is not None and dequantises(network.tensors, producer):
            own = parameters(network.tensors, producer)
            found, zero = (own.scale, own.zero_point) if own else (None, 0)
        else:
            return None
        if found is None:
            return None
        constants.append(tensor.integers if tensor.constant else None)
        zeros.append(zero)
        scale = np.asarray(scale * found, np.float32)
    bias = None
    if len(head.inputs) > 2 and head.inputs[2]:
        bias = _bias(head, network.tensors[head.inputs[2]], scale, len(network.tensors[head.outputs[0]].shape))
        if bias is None:
            return None
    readers = network.consumers.get(head.outputs[0], ())
    reader = readers[0] if len(readers) == 1 and head.outputs[0] not in network.outputs else None
    result = parameters(network.tensors, reader) if reader and reader.op_type == "QuantizeLinear" else None
    both = (constants[0], constants[1]), (zeros[0], zeros[1])
    return IntegerGemm(*both, np.asarray(scale), bias, reader if result else None, result)


def _per_channel(head: Operator, position: int, tensor: Tensor) -> Array | None:
    """The scales of a constant operand along the channels of the result; None where they lie elsewhere."""
    if tensor.integers is None:
        return None
    scale = tensor.integers.scale
    if scale.size == 1:
        return scale.reshape(())
    rank = len(tensor.shape)
    if head.op_type == "Conv":
        axis, shape = 0, (-1, *(1,) * (rank - 2))
    elif position == 1:
        axis, shape = rank - 2 if head.attributes.get("transB") else rank - 1, (-1,)
    else:
        axis, shape = rank - 1 if head.attributes.get("transA") else rank - 2, (-1, 1)
    return scale.reshape(shape) if scale.size == scale.shape[axis] else None


def _bias(head: Operator, tensor: Tensor, scale: Array, rank: int) -> Array | None:
    """A bias in the unit of the sums; None where it is in another."""
    if tensor.integers is None:
        return None
    values, own = tensor.integers.values(), tensor.integers.scale
    if own.size not in (1, values.size) or scale.size not in (1, own.size):
        return None
    if not np.array_equal(own.ravel(), np.broadcast_to(scale.ravel(), own.size)):
        return None
    return values.reshape(-1, *(1,) * (rank - 2)) if head.op_type == "Conv" else values
