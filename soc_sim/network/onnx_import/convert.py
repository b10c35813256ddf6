"""From analysed nodes to the records of a network.

Three things are written differently from the file, each exactly equivalent:

- 1-D convolutions and pools run as 2-D with height 1; views (Unsqueeze, Squeeze) around them change the shapes.
- Softmax before opset 13 works on everything from ``axis`` on as one axis; where that is more, views make it one.
- ConvTranspose becomes a 1×1 Conv to (output channels · kernel) columns, Col2Im, which adds overlapping columns up, and
  Add for the bias: the same multiply-accumulates, in operators that the accelerator and the host know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from soc_sim.network.base import AttributeValue, Integers, Operator, Tensor
from soc_sim.network.onnx_import import windows
from soc_sim.network.onnx_import.attributes import attributes_of
from soc_sim.network.onnx_import.faults import Faults
from soc_sim.network.onnx_import.lifted import SUFFIX
from soc_sim.network.onnx_import.shapes import Analysis, Shape
from soc_sim.network.onnx_import.windows import Attributes, Window

Reader = Callable[[], NDArray[Any]]

NORMALISED_OPSET = 13
"""From here on Softmax works along one axis."""


class Converter:
    """Collects operators and the tensors they mention."""

    def __init__(self, analysis: Analysis, opset: int, faults: Faults) -> None:
        self.operators: list[Operator] = []
        self.tensors: dict[str, Tensor] = {}
        self._analysis = analysis
        self._opset = opset
        self._faults = faults

    def run(self, outputs: tuple[str, ...]) -> None:
        """Converts every node whose shapes are known; faults are collected."""
        read = {name for node in self._analysis.nodes for name in node.input} | set(outputs)
        for node in self._analysis.nodes:
            if node.output[0] not in self._analysis.types:
                continue
            try:
                self._convert(node, read)
            except ValueError as error:
                self._faults.add(str(error), node)
        for name in outputs:
            if name in self._analysis.types:
                self.mention(name)

    def mention(self, name: str) -> Tensor:
        """Records a tensor of the file."""
        if name not in self.tensors:
            constant = name in self._analysis.constants
            values = self._analysis.constants.reader(name) if constant else None
            integers = self._analysis.constants.integers(name) if constant else None
            kind = helper.tensor_dtype_to_np_dtype(self._analysis.types[name].tensor_type.elem_type).name
            self.tensors[name] = Tensor(name, self._analysis.shape(name), constant, values, kind, integers)
        return self.tensors[name]

    def _convert(self, node: NodeProto, read: set[str]) -> None:
        found = attributes_of(node, self._analysis)
        # A second output that nobody reads (the mask of Dropout, statistics of BatchNormalization) is not computed.
        outputs = [name if index == 0 or name in read else "" for index, name in enumerate(node.output)]
        while not outputs[-1]:
            outputs.pop()
        for name in filter(None, (*node.input, *outputs)):
            self.mention(name)
        if node.op_type in windows.WINDOWED:
            self._window(node, found, outputs)
        elif node.op_type in ("Softmax", "LogSoftmax") and self._opset < NORMALISED_OPSET:
            self._softmax(node, found)
        else:
            self._emit(node.name, node.op_type, tuple(node.input), tuple(outputs), found)

    def _emit(
        self,
        name: str,
        op_type: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        found: Mapping[str, AttributeValue],
    ) -> None:
        self.operators.append(Operator(name, op_type, inputs, outputs, found))

    def _new(self, name: str, shape: Shape, constant: bool = False, values: Reader | None = None) -> str:
        """A tensor that the file does not have; its name is made unique."""
        while name in self.tensors or name in self._analysis.types:
            name += "'"
        self.tensors[name] = Tensor(name, shape, constant, values)
        return name

    # --- Softmax of the first opsets ---

    def _softmax(self, node: NodeProto, found: Attributes) -> None:
        shape, axis = self._analysis.shape(node.input[0]), int(str(found["axis"]))
        if math.prod(shape[axis + 1 :]) == 1:
            self._emit(node.name, node.op_type, tuple(node.input), tuple(node.output), found)
            return
        flat = (math.prod(shape[:axis]), math.prod(shape[axis:]))
        before, after = self._new(f"{node.name}:flat", flat), self._new(f"{node.name}:normalised", flat)
        self._emit(f"{node.name}:flatten", "Reshape", (node.input[0],), (before,), {"shape": flat, "allowzero": 0})
        self._emit(node.name, node.op_type, (before,), (after,), {"axis": 1})
        self._emit(f"{node.name}:restore", "Reshape", (after,), (node.output[0],), {"shape": shape, "allowzero": 0})

    # --- convolutions and pools ---

    def _window(self, node: NodeProto, found: Attributes, outputs: list[str]) -> None:
        data, result = self.tensors[node.input[0]].shape, self.tensors[outputs[0]].shape
        if len(data) not in (3, 4, 5) or (len(data) == 5 and node.op_type == "ConvTranspose"):
            most = "1 or 2" if node.op_type == "ConvTranspose" else "1 to 3"
            raise ValueError(f"{node.op_type} over {len(data) - 2} axes; allowed: {most}")
        window = None
        if node.op_type not in windows.GLOBAL_POOLS:
            window = windows.resolve(node.op_type, found, self._kernel(node, found), data[2:], result[2:])
        inputs = list(node.input)
        lifted = len(data) == 3
        if lifted:
            window = window.lifted() if window else None
            inputs[0] = self._view(node, "Unsqueeze", inputs[0])
            if node.op_type in windows.CONVOLUTIONS:
                inputs[1] = self._view(node, "Unsqueeze", inputs[1])
        results = [
            self._new(f"{name}:2d", _lift(self.tensors[name].shape)) if lifted and name else name for name in outputs
        ]
        if window is None:
            self._emit(node.name, node.op_type, (inputs[0],), (results[0],), found)
        elif node.op_type == "ConvTranspose":
            self._transposed(node, inputs, results[0], int(str(found["group"])), window)
        else:
            self._emit(node.name, node.op_type, tuple(inputs), tuple(results), {**found, **window.attributes()})
        if lifted:
            for name, output in zip(results, outputs, strict=True):
                if output:
                    self._emit(f"{output}{SUFFIX}", "Squeeze", (name,), (output,), {"axes": (2,)})

    def _kernel(self, node: NodeProto, found: Attributes) -> Shape:
        """Extent of the window; for a convolution also checks that weights and input agree."""
        if node.op_type in windows.POOLS:
            kernel = found["kernel_shape"]
            return tuple(int(k) for k in kernel) if isinstance(kernel, tuple) else ()
        data, weights, *rest = (self.tensors[name].shape for name in node.input if name)
        if len(weights) != len(data):
            raise ValueError(f"weights of {len(weights)} dimensions; allowed: {len(data)}, as many as the input has")
        check = windows.check_convolution if node.op_type == "Conv" else windows.check_transposed
        check(found, data, weights, rest[0] if rest else None)
        return weights[2:]

    def _view(self, node: NodeProto, op_type: str, name: str) -> str:
        """The tensor with a height of 1: another constant, or a view at run time."""
        tensor = self.tensors[name]
        shape = _lift(tensor.shape)
        if tensor.constant:
            lifted = self._new(f"{name}:2d", shape, True, _reshaped(tensor.values, shape))
            if (made := tensor.integers) is not None:
                own = Integers(lambda: made.values().reshape(shape), made.scale.reshape(_lift(made.scale.shape)))
                self.tensors[lifted] = replace(self.tensors[lifted], integers=own)
            return lifted
        lifted = self._new(f"{node.name}:{name}:2d", shape)
        self.tensors[lifted] = replace(self.tensors[lifted], dtype=tensor.dtype)
        self._emit(f"{node.name}:{op_type}", op_type, (name,), (lifted,), {"axes": (2,)})
        return lifted

    def _transposed(self, node: NodeProto, inputs: list[str], output: str, group: int, window: Window) -> None:
        """ConvTranspose: columns = Wᵀ · X by a 1×1 Conv, then overlapping columns are added up."""
        data, weights, result = (self.tensors[name] for name in (*inputs[:2], output))
        if not weights.constant:
            raise ValueError("ConvTranspose with weights computed at run time; allowed: constant weights")
        channels = weights.shape[1] * math.prod(window.kernel)
        kernel = (channels * group, weights.shape[0] // group, 1, 1)
        columns_weights = self._new(f"{inputs[1]}:columns", kernel, True, _as_columns(weights.values, group, kernel))
        columns = self._new(f"{node.name}:columns", (data.shape[0], kernel[0], *data.shape[2:]))
        flat_shape = (data.shape[0], kernel[0], math.prod(data.shape[2:]))
        flat = self._new(f"{node.name}:flat", flat_shape)
        unit = Window((1, 1), (1, 1), (1, 1), (0, 0, 0, 0))
        self._emit(node.name, "Conv", (inputs[0], columns_weights), (columns,), {**unit.attributes(), "group": group})
        self._emit(f"{node.name}:flatten", "Reshape", (columns,), (flat,), {"shape": flat_shape, "allowzero": 0})
        biased = len(inputs) > 2 and inputs[2] != ""
        summed = self._new(f"{node.name}:summed", result.shape) if biased else output
        sizes = {"image_shape": result.shape[2:], "block_shape": window.kernel}
        self._emit(
            f"{node.name}:col2im",
            "Col2Im",
            (flat, *(self._numbers(f"{node.name}:{name}", value) for name, value in sizes.items())),
            (summed,),
            {**sizes, "strides": window.strides, "dilations": window.dilations, "pads": window.pads},
        )
        if biased:
            bias = self.tensors[inputs[2]]
            shape = (*bias.shape, 1, 1)
            if bias.constant:
                aligned = self._new(f"{inputs[2]}:aligned", shape, True, _reshaped(bias.values, shape))
            else:
                aligned = self._new(f"{node.name}:bias", shape)
                self._emit(f"{node.name}:align", "Unsqueeze", (bias.name,), (aligned,), {"axes": (1, 2)})
            self._emit(f"{node.name}:bias", "Add", (summed, aligned), (output,), {})

    def _numbers(self, name: str, values: tuple[int, ...]) -> str:
        return self._new(name, (len(values),), True, lambda: np.asarray(values, np.int64))


def _lift(shape: Shape) -> Shape:
    return (*shape[:2], 1, *shape[2:])


def _reshaped(read: Reader | None, shape: Shape) -> Reader | None:
    return (lambda: read().reshape(shape)) if read else None


def _as_columns(read: Reader | None, group: int, shape: Shape) -> Reader | None:
    """Weights (in, out per group, kernel) of a ConvTranspose as those of a 1×1 Conv (out · kernel, in per group)."""
    if read is None:
        return None

    def columns() -> NDArray[Any]:
        grouped = read().reshape(group, shape[1], -1)
        return grouped.transpose(0, 2, 1).reshape(shape)

    return columns
