"""Writes operators on integers as what they mean: DequantizeLinear, the operator itself, QuantizeLinear.

So everything after this knows one form of a quantised network, the one of QDQ files. Definitions: ONNX's QLinearConv,
QLinearMatMul, ConvInteger and MatMulInteger (https://onnx.ai/onnx/operators/), and the operators of the same kind that
onnxruntime's quantisation writes (domain com.microsoft,
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md). A result of integers (ConvInteger) is a
product of operands with a scale of 1. The numbers stay integers all the way: ``network.integers`` says how.

Left out: pools whose images lie channels-last, and what onnxruntime writes when it optimises a graph for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
_STANDARD = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger")
_UNARY = {
    "QLinearSigmoid": "Sigmoid",
    "QLinearLeakyRelu": "LeakyRelu",
    "QLinearSoftmax": "Softmax",
    "QLinearAveragePool": "AveragePool",
    "QLinearGlobalAveragePool": "GlobalAveragePool",
}
"""Operands: x and its scale and zero point, then those of the result."""
_BINARY = {"QLinearAdd": "Add", "QLinearMul": "Mul"}
_OWN_ATTRIBUTES = ("channels_last", "opset", "activation")
"""Of the operators of com.microsoft; no attribute of the operator that they stand for."""


def is_rewritten(node: NodeProto) -> bool:
    """Whether :func:`rewrite` knows the operator."""
    if node.domain == MICROSOFT:
        return node.op_type in (*_UNARY, *_BINARY, "QGemm", "QLinearConcat")
    return node.domain in ("", "ai.onnx") and node.op_type in _STANDARD


def rewrite(node: NodeProto) -> list[NodeProto]:
    """The nodes that compute the same, in order.

    Raises:
        ValueError: a pool of channels-last images.
    """
    return _Rewriting(node).nodes()


class _Rewriting:
    def __init__(self, node: NodeProto) -> None:
        self.node = node
        self.attributes: dict[str, Any] = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if self.attributes.get("channels_last"):
            raise ValueError(f"{node.op_type} with channels_last = 1; allowed: channels_last = 0")
        for name in _OWN_ATTRIBUTES:
            self.attributes.pop(name, None)
        self.inputs = [*node.input, *[""] * 9]
        self.found: list[NodeProto] = []

    def nodes(self) -> list[NodeProto]:
        kind, inputs = self.node.op_type, self.inputs
        match kind:
            case "QLinearConv" | "QGemm":
                # QGemm: a, b, bias, result; QLinearConv: the bias stands last.
                last = inputs[8] if kind == "QLinearConv" else inputs[6]
                result = inputs[6:8] if kind == "QLinearConv" else inputs[7:9]
                operands = [self._real(*inputs[0:3]), self._real(*inputs[3:6], axis=self._axis_of_weights())]
                if last:
                    scale = self._new("Mul", [inputs[1], inputs[4]], "bias_scale")
                    operands.append(self._real(last, scale, "", axis=0))
                self._result("Conv" if kind == "QLinearConv" else "Gemm", operands, *result)
            case "QLinearMatMul":
                operands = [self._real(*inputs[0:3]), self._real(*inputs[3:6], axis=-1)]
                self._result("MatMul", operands, *inputs[6:8])
            case "ConvInteger" | "MatMulInteger":
                axis = 0 if kind == "ConvInteger" else -1
                operands = [self._real(inputs[0], "", inputs[2]), self._real(inputs[1], "", inputs[3], axis=axis)]
                real = self._new(kind.removesuffix("Integer"), operands, "product", **self.attributes)
                self._new("Cast", [real], "", to=TensorProto.INT32)
            case "QLinearConcat":
                given = [name for name in self.node.input[2:] if name]
                operands = [self._real(*given[i : i + 3]) for i in range(0, len(given), 3)]
                self._result("Concat", operands, *inputs[0:2])
            case _ if kind in _BINARY:
                self._result(_BINARY[kind], [self._real(*inputs[0:3]), self._real(*inputs[3:6])], *inputs[6:8])
            case _:
                self._result(_UNARY[kind], [self._real(*inputs[0:3])], *inputs[3:5])
        return self.found

    def _axis_of_weights(self) -> int:
        """Of the output channels: the first of a convolution's weights, the columns of a matrix unless transposed."""
        return 0 if self.node.op_type == "QLinearConv" or self.attributes.get("transB") else 1

    def _real(self, integers: str, scale: str, zero_point: str = "", *, axis: int = 0) -> str:
        """The number that an integer stands for; without a scale the integer itself, less its zero point."""
        if not scale:
            one = numpy_helper.from_array(np.ones((), np.float32))
            scale = self._new("Constant", [], f"one_{len(self.found)}", value=one)
        inputs = [integers, scale, *([zero_point] if zero_point else [])]
        return self._new("DequantizeLinear", inputs, f"real_{len(self.found)}", axis=axis)

    def _result(self, op_type: str, operands: list[str], scale: str, zero_point: str) -> None:
        real = self._new(op_type, operands, "real", **self.attributes)
        self._new("QuantizeLinear", [real, scale, *([zero_point] if zero_point else [])], "")

    def _new(self, op_type: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """A node; the one without a name of its own writes the result."""
        output = f"{self.node.name}:{name}" if name else self.node.output[0]
        # The operator that does the work keeps the node's name: layers are called by it.
        own = op_type not in ("DequantizeLinear", "QuantizeLinear", "Constant", "Cast") and name != "bias_scale"
        label = self.node.name if own else f"{self.node.name}:{name or op_type}"
        self.found.append(helper.make_node(op_type, inputs, [output], label, None, "", None, **attributes))
        return output
