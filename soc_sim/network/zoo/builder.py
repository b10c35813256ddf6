"""Writes a network down in few lines: one method per operator, shapes computed on the way.

A method takes the operator's name (dotted, as in PyTorch: ``layer1.0.conv1``) and the tensors it reads, and returns the
tensor it writes, which bears the operator's name. Operators take the form of ONNX opset 20, every attribute present.
Weights have a shape and no values; scalars and target shapes, which are part of the definition, have both.

Left out: what no network of the zoo needs (dilation, ceil_mode, transposed convolution, ...), and training (dropout).
"""

from __future__ import annotations

import math

import numpy as np

from soc_sim.network.base import AttributeValue, Network, Operator, Tensor

Padding = int | tuple[int, int, int, int] | str
"""One number for all sides, ONNX's (h_begin, w_begin, h_end, w_end), or ``"same"`` as in TensorFlow."""


class NetworkBuilder:
    """Collects operators and tensors; ``build`` hands over the network.

    >>> net = NetworkBuilder("tiny", source="an example")
    >>> x = net.conv("conv", net.input("input", 1, 3, 8, 8), channels=4, kernel=3, padding=1)
    >>> net.build(net.relu("relu", x)).tensors["relu"].shape
    (1, 4, 8, 8)
    """

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source
        self._operators: list[Operator] = []
        self._tensors: dict[str, Tensor] = {}
        self._inputs: list[str] = []

    def build(self, *outputs: Tensor) -> Network:
        """The network that computes ``outputs``."""
        return Network(
            name=self._name,
            operators=tuple(self._operators),
            tensors=self._tensors,
            inputs=tuple(self._inputs),
            outputs=tuple(tensor.name for tensor in outputs),
            source=self._source,
        )

    # Tensors.

    def input(self, name: str, *shape: int) -> Tensor:
        """An input of the network."""
        self._inputs.append(name)
        return self._tensor(Tensor(name, shape))

    def weight(self, name: str, *shape: int) -> Tensor:
        """A trained constant: its shape is known, its values are not."""
        return self._tensor(Tensor(name, shape, constant=True))

    def constant(self, name: str, value: float | int | tuple[int, ...]) -> Tensor:
        """A constant of the definition: float32 where ``value`` is a float, int64 otherwise."""
        array = np.asarray(value, np.float32 if isinstance(value, float) else np.int64)
        return self._tensor(Tensor(name, array.shape, constant=True, values=lambda: array))

    # Convolutions and matrix products.

    def conv(
        self,
        name: str,
        x: Tensor,
        channels: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: Padding = 0,
        groups: int = 1,
        bias: bool = True,
    ) -> Tensor:
        """A two-dimensional convolution of (N, C, H, W) to ``channels`` channels."""
        window = _window(x.shape, kernel, stride, padding)
        operands = [x, self.weight(f"{name}.weight", channels, x.shape[1] // groups, *window["kernel_shape"])]
        if bias:
            operands.append(self.weight(f"{name}.bias", channels))
        shape = (x.shape[0], channels, *_window_output(x.shape, window))
        return self._operator(name, "Conv", operands, shape, **window, dilations=(1, 1), group=groups)

    def linear(self, name: str, x: Tensor, features: int) -> Tensor:
        """A fully connected layer with bias on the last axis: Gemm on a matrix, MatMul and Add on more axes."""
        if len(x.shape) == 2:
            weight = self.weight(f"{name}.weight", features, x.shape[1])
            operands = [x, weight, self.weight(f"{name}.bias", features)]
            shape = (x.shape[0], features)
            return self._operator(name, "Gemm", operands, shape, alpha=1.0, beta=1.0, transA=0, transB=1)
        product = self.matmul(name, x, self.weight(f"{name}.weight", x.shape[-1], features))
        return self.add(f"{name}.add", product, self.weight(f"{name}.bias", features))

    def matmul(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """The product of the last two axes; leading axes broadcast."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return self._operator(name, "MatMul", [a, b], (*batch, a.shape[-2], b.shape[-1]))

    # Element by element.

    def relu(self, name: str, x: Tensor) -> Tensor:
        """max(x, 0)."""
        return self._operator(name, "Relu", [x], x.shape)

    def relu6(self, name: str, x: Tensor) -> Tensor:
        """min(max(x, 0), 6)."""
        bounds = [self.constant(f"{name}.min", 0.0), self.constant(f"{name}.max", 6.0)]
        return self._operator(name, "Clip", [x, *bounds], x.shape)

    def gelu(self, name: str, x: Tensor) -> Tensor:
        """The Gaussian error linear unit in its exact (erf) form."""
        return self._operator(name, "Gelu", [x], x.shape, approximate="none")

    def tanh(self, name: str, x: Tensor) -> Tensor:
        """The hyperbolic tangent."""
        return self._operator(name, "Tanh", [x], x.shape)

    def add(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """The sum; shapes broadcast."""
        return self._operator(name, "Add", [a, b], np.broadcast_shapes(a.shape, b.shape))

    def mul(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """The product element by element; shapes broadcast."""
        return self._operator(name, "Mul", [a, b], np.broadcast_shapes(a.shape, b.shape))

    # Normalisation.

    def batch_norm(self, name: str, x: Tensor, epsilon: float = 1e-5, momentum: float = 0.9) -> Tensor:
        """Batch normalisation at inference; the defaults are PyTorch's (momentum in ONNX's sense)."""
        operands = [self.weight(f"{name}.{part}", x.shape[1]) for part in ("weight", "bias", "mean", "var")]
        attributes: dict[str, AttributeValue] = {"epsilon": epsilon, "momentum": momentum, "training_mode": 0}
        return self._operator(name, "BatchNormalization", [x, *operands], x.shape, **attributes)

    def layer_norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        """Layer normalisation over the last axis."""
        operands = [self.weight(f"{name}.{part}", x.shape[-1]) for part in ("weight", "bias")]
        attributes: dict[str, AttributeValue] = {"axis": -1, "epsilon": epsilon, "stash_type": 1}
        return self._operator(name, "LayerNormalization", [x, *operands], x.shape, **attributes)

    def softmax(self, name: str, x: Tensor) -> Tensor:
        """Softmax over the last axis."""
        return self._operator(name, "Softmax", [x], x.shape, axis=-1)

    # Pooling.

    def max_pool(self, name: str, x: Tensor, kernel: int, stride: int, padding: Padding = 0) -> Tensor:
        """The maximum of each window."""
        window = _window(x.shape, kernel, stride, padding)
        shape = (*x.shape[:2], *_window_output(x.shape, window))
        attributes: dict[str, AttributeValue] = {"dilations": (1, 1), "ceil_mode": 0, "storage_order": 0}
        return self._operator(name, "MaxPool", [x], shape, **window, **attributes)

    def average_pool(self, name: str, x: Tensor, kernel: int | tuple[int, int]) -> Tensor:
        """The mean of each window; windows do not overlap, as is Keras' default."""
        window = _window(x.shape, kernel, kernel, 0)
        shape = (*x.shape[:2], *_window_output(x.shape, window))
        attributes: dict[str, AttributeValue] = {"dilations": (1, 1), "ceil_mode": 0, "count_include_pad": 0}
        return self._operator(name, "AveragePool", [x], shape, **window, **attributes)

    def global_average_pool(self, name: str, x: Tensor) -> Tensor:
        """The mean of each channel: (N, C, H, W) to (N, C, 1, 1)."""
        return self._operator(name, "GlobalAveragePool", [x], (*x.shape[:2], 1, 1))

    # Movement.

    def flatten(self, name: str, x: Tensor) -> Tensor:
        """All axes but the first become one."""
        return self._operator(name, "Flatten", [x], (x.shape[0], math.prod(x.shape[1:])), axis=1)

    def reshape(self, name: str, x: Tensor, *shape: int) -> Tensor:
        """The same elements under another shape."""
        target = self.constant(f"{name}.shape", shape)
        return self._operator(name, "Reshape", [x, target], shape, allowzero=0)

    def transpose(self, name: str, x: Tensor, *perm: int) -> Tensor:
        """Axis i of the result is axis perm[i] of ``x``."""
        return self._operator(name, "Transpose", [x], tuple(x.shape[axis] for axis in perm), perm=perm)

    def concat(self, name: str, parts: list[Tensor], axis: int) -> Tensor:
        """The parts one after the other along ``axis``."""
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self._operator(name, "Concat", parts, tuple(shape), axis=axis)

    def split(self, name: str, x: Tensor, parts: int) -> list[Tensor]:
        """Equal parts along the last axis, named ``name.0``, ``name.1``, ..."""
        shape = (*x.shape[:-1], x.shape[-1] // parts)
        outputs = [self._tensor(Tensor(f"{name}.{part}", shape)) for part in range(parts)]
        self._append(name, "Split", [x], outputs, axis=-1, num_outputs=parts)
        return outputs

    def gather(self, name: str, data: Tensor, indices: Tensor, axis: int) -> Tensor:
        """The slices of ``data`` along ``axis`` that ``indices`` name; a scalar index removes the axis."""
        shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
        return self._operator(name, "Gather", [data, indices], shape, axis=axis)

    def _operator(
        self, name: str, op_type: str, inputs: list[Tensor], shape: tuple[int, ...], **attributes: AttributeValue
    ) -> Tensor:
        output = self._tensor(Tensor(name, shape))
        self._append(name, op_type, inputs, [output], **attributes)
        return output

    def _append(
        self, name: str, op_type: str, inputs: list[Tensor], outputs: list[Tensor], **attributes: AttributeValue
    ) -> None:
        reads, writes = (tuple(tensor.name for tensor in tensors) for tensors in (inputs, outputs))
        self._operators.append(Operator(name, op_type, reads, writes, attributes))

    def _tensor(self, tensor: Tensor) -> Tensor:
        if tensor.name in self._tensors:
            raise ValueError(f"{self._name}: two tensors are named {tensor.name}")
        self._tensors[tensor.name] = tensor
        return tensor


def _window(
    shape: tuple[int, ...], kernel: int | tuple[int, int], stride: int | tuple[int, int], padding: Padding
) -> dict[str, tuple[int, ...]]:
    """The attributes that place a window on (N, C, H, W)."""
    kernel, stride = (value if isinstance(value, tuple) else (value, value) for value in (kernel, stride))
    if padding == "same":
        # TensorFlow's SAME: ceil(input / stride) windows, the odd element of padding at the end
        # (https://www.tensorflow.org/api_docs/python/tf/nn, "Notes on padding").
        total = [
            max((-(-size // s) - 1) * s + k - size, 0) for size, k, s in zip(shape[2:], kernel, stride, strict=True)
        ]
        pads = tuple(t // 2 for t in total) + tuple(t - t // 2 for t in total)
    elif isinstance(padding, int):
        pads = (padding,) * 4
    elif isinstance(padding, tuple):
        pads = padding
    else:
        raise ValueError(f"padding {padding!r} is not a number, four numbers or 'same'")
    return {"kernel_shape": kernel, "strides": stride, "pads": pads}


def _window_output(shape: tuple[int, ...], window: dict[str, tuple[int, ...]]) -> tuple[int, int]:
    """Windows that fit: floor((size + pads - kernel) / stride) + 1 (ONNX, operator MaxPool)."""
    pads = window["pads"]
    height, width = (
        (shape[2 + i] + pads[i] + pads[2 + i] - window["kernel_shape"][i]) // window["strides"][i] + 1 for i in (0, 1)
    )
    return height, width
