"""Where in an ONNX model the weights of a layer lie: an initializer, as it is or behind reshapes and transposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

Array = NDArray[Any]
_ONE_FOR_ONE = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")
"""Operators that keep all elements in their order."""


@dataclass(frozen=True, slots=True)
class Home:
    """An initializer, and for each element of what a node reads the place in it."""

    tensor: str
    places: NDArray[np.int64]
    """Flat indices into the initializer, of the shape of what the node reads."""


class Homes:
    """Finds initializers by the names of what is computed from them."""

    def __init__(self, model: ModelProto) -> None:
        self._initializers: Mapping[str, TensorProto] = {tensor.name: tensor for tensor in model.graph.initializer}
        self._producers: Mapping[str, NodeProto] = {name: node for node in model.graph.node for name in node.output}

    def find(self, name: str, shape: tuple[int, ...]) -> Home | None:
        """The home of the constant ``name`` of this shape; None if it is computed in a way that cannot be undone."""
        if name in self._initializers:
            tensor = self._initializers[name]
            size = int(np.prod(tensor.dims, dtype=np.int64))
            return Home(name, np.arange(size).reshape(tuple(tensor.dims)).reshape(shape)) if size else None
        node = self._producers.get(name)
        if node is None:
            return None
        if node.op_type in _ONE_FOR_ONE:
            size = int(np.prod(shape, dtype=np.int64))
            inner = self.find(node.input[0], (size,))
            return inner and Home(inner.tensor, inner.places.reshape(shape))
        if node.op_type == "Transpose":
            order = next((tuple(a.ints) for a in node.attribute if a.name == "perm"), None)
            axes = order or tuple(reversed(range(len(shape))))
            before = [0] * len(shape)
            for position, axis in enumerate(axes):
                before[axis] = shape[position]
            inner = self.find(node.input[0], tuple(before))
            return inner and Home(inner.tensor, inner.places.transpose(axes))
        return None


def with_values(model: ModelProto, values: Mapping[str, Array]) -> ModelProto:
    """A copy of the model in which these initializers have other values, of the same shape and type."""
    from onnx import ModelProto, helper, numpy_helper

    copy = ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if tensor.name in values:
            kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
            array = np.asarray(values[tensor.name]).astype(kind).reshape(tuple(tensor.dims))
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return copy
