"""What is known before the run: weights, and everything that is computed from weights and shapes alone.

Values are computed when they are asked for and large ones are not kept: a weight of 100 MB behind a Transpose costs
nothing until somebody reads it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, defs, helper, numpy_helper

from soc_sim.errors import NetworkError
from soc_sim.network.base import Integers
from soc_sim.network.onnx_import.faults import reason
from soc_sim.network.onnx_import.quantiser import quantise

if TYPE_CHECKING:
    from pathlib import Path

Array = NDArray[Any]

KEPT_ELEMENTS = 4096
"""Results up to this size are kept: shape arithmetic reads them again and again."""


class Constants:
    """Values known before the run, by tensor name."""

    def __init__(self, path: Path, opset: int, initializers: Iterable[TensorProto]) -> None:
        self._path = path
        self._opset = opset
        self._kept: dict[str, Array] = {}
        self._readers: dict[str, Callable[[], Array] | None] = {}
        self._dequantised: dict[str, NodeProto] = {}
        for tensor in initializers:
            self.add_tensor(tensor.name, tensor)

    def __contains__(self, name: str) -> bool:
        return name in self._readers

    def add_tensor(self, name: str, tensor: TensorProto) -> None:
        """A tensor stored in the file or beside it."""
        self._readers[name] = lambda: numpy_helper.to_array(tensor, base_dir=str(self._path.parent))

    def add_values(self, name: str, values: Iterable[int] | int) -> None:
        """The answer to a question about a shape (int64)."""
        array = np.asarray(values, np.int64)
        self._readers[name] = lambda: array

    def add_node(self, node: NodeProto) -> None:
        """The outputs of a node whose inputs are all constant."""
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            self.add_tensor(node.output[0], node.attribute[0].t)
            return
        if node.op_type == "DequantizeLinear" and node.domain in ("", "ai.onnx"):
            self._dequantised[node.output[0]] = node
        for index, name in enumerate(node.output):
            if name:
                self._readers[name] = lambda index=index: self._evaluate(node)[index]  # type: ignore[misc]

    def add_unreadable(self, name: str) -> None:
        """A tensor that is known before the run, by an operator whose results we cannot compute."""
        self._readers[name] = None

    def values(self, name: str) -> Array:
        """Reads or computes one constant.

        Raises:
            NetworkError: its node cannot be computed, or a data file has become unreadable.
        """
        if name not in self._kept:
            read = self._readers[name]
            if read is None:
                raise NetworkError(f'{self._path}: values of "{name}" are unknown: a quantiser that is not computed')
            try:
                array = np.asarray(read())
            except (OSError, ValueError, TypeError, IndexError) as error:
                raise NetworkError(f'{self._path}: values of "{name}" cannot be read: {reason(error)}') from None
            if array.size > KEPT_ELEMENTS:
                return array
            self._kept[name] = array
        return self._kept[name]

    def reader(self, name: str) -> Callable[[], Array] | None:
        """A function that returns the values when they are needed; None where they are not known."""
        return (lambda: self.values(name)) if self._readers[name] is not None else None

    def integers(self, name: str) -> Integers | None:
        """What a constant is made of, if it is the result of a DequantizeLinear without blocks."""
        node = self._dequantised.get(name)
        if node is None:
            return None
        settings = {a.name: a.i for a in node.attribute}
        if settings.get("block_size"):
            return None
        scale, zero = (self.values(i) if i else np.zeros(1, np.int64) for i in (*node.input[1:], "")[:2])
        stored, rank = node.input[0], len(self.values(node.input[0]).shape)
        axis = settings.get("axis", 1) % max(rank, 1)

        def along(parameter: Array) -> Array:
            """Ready for broadcasting: one for all, or one for each index of the axis."""
            return parameter.reshape(
                [-1 if i == axis else 1 for i in range(rank)] if parameter.size > 1 else [1] * rank
            )

        zeros = along(zero.astype(np.int64))
        return Integers(lambda: self.values(stored).astype(np.int64) - zeros, along(scale.astype(np.float32)))

    def _evaluate(self, node: NodeProto) -> list[Array]:
        inputs = {name: self.values(name) for name in node.input if name}
        if node.op_type == "ConstantOfShape":
            value = numpy_helper.to_array(node.attribute[0].t) if node.attribute else np.zeros(1, np.float32)
            # A broadcast view: one stored element, whatever the shape.
            return [np.broadcast_to(value, tuple(inputs[node.input[0]].tolist()))]
        if node.domain not in ("", "ai.onnx"):
            return [quantise(node, [inputs[name] for name in node.input])]
        return self._reference(node, inputs)

    def _reference(self, node: NodeProto, inputs: dict[str, Array]) -> list[Array]:
        """The node's results by the reference implementation of onnx, which lacks old forms of a few operators.

        For those (DequantizeLinear before opset 19) the newest form is taken: it allows more and means the same.
        """
        from onnx.reference import ReferenceEvaluator  # needed by few models, and slow to import

        outputs = [name for name in node.output if name]
        graph = helper.make_graph(
            [node],
            "constant",
            [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                for name, a in inputs.items()
            ],
            [helper.make_value_info(name, helper.make_tensor_type_proto(0, None)) for name in outputs],
        )
        old, new = (
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
            for version in (self._opset, defs.onnx_opset_version())
        )
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    evaluator = ReferenceEvaluator(old)
                except RuntimeError:
                    evaluator = ReferenceEvaluator(new)
                results = iter(evaluator.run(None, inputs))
        except Exception as error:  # noqa: BLE001  the reference implementation raises whatever its numpy code raises
            raise NetworkError(
                f'{self._path}: node "{node.name}": {node.op_type} of constants cannot be computed: {reason(error)}'
            ) from None
        return [next(results) if name else np.empty(0) for name in node.output]
