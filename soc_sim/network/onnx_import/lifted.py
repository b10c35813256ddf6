"""Keeps images of one line what they were made: 1-D convolutions run as 2-D, and so does what follows them.

The conversion puts a view (Squeeze) behind every convolution and pool over one axis, and another (Unsqueeze) before the
next. Elementwise operators in between compute the same on either side of a view, so they move over to the images; then
they can belong to the convolution's layer. Views that nobody reads any more are left out.
"""

from __future__ import annotations

from dataclasses import replace

from soc_sim.network.base import Network, Operator, Tensor
from soc_sim.network.operators import OPERATORS

SUFFIX = ":1d"
"""Of the names of the views behind convolutions and pools over one axis."""


def keep_lifted(network: Network) -> Network:
    """The same network; one without 1-D convolutions as it is."""
    if not any(operator.name.endswith(SUFFIX) for operator in network.operators):
        return network
    return _Lifting(network).run()


class _Lifting:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.tensors: dict[str, Tensor] = dict(network.tensors)
        self.operators: list[Operator] = []
        self.lifted: dict[str, str] = {}
        """Tensor of three dimensions → the image that it is a view of."""
        self.renamed: dict[str, str] = {}

    def run(self) -> Network:
        for operator in self.network.operators:
            operator = replace(operator, inputs=tuple(self.renamed.get(name, name) for name in operator.inputs))
            source = self.lifted.get(operator.inputs[0]) if operator.inputs else None
            if operator.op_type == "Unsqueeze" and source and operator.attributes.get("axes") == (2,):
                self.renamed[operator.outputs[0]] = source
            elif self._moves(operator):
                self._move(operator)
            else:
                if operator.op_type == "Squeeze" and operator.name.endswith(SUFFIX):
                    self.lifted[operator.outputs[0]] = operator.inputs[0]
                self.operators.append(operator)
        return self._without_idle_views()

    def _moves(self, operator: Operator) -> bool:
        if operator.op_type not in OPERATORS or OPERATORS[operator.op_type].family != "elementwise":
            return False
        if len(operator.outputs) != 1 or len(self.tensors[operator.outputs[0]].shape) != 3:
            return False
        if operator.op_type in ("QuantizeLinear", "DequantizeLinear") and self.tensors[operator.inputs[1]].elements > 1:
            return False
        read = [name for name in operator.inputs if name]
        return any(name in self.lifted for name in read) and all(
            self.tensors[name].constant or name in self.lifted for name in read
        )

    def _move(self, operator: Operator) -> None:
        output = operator.outputs[0]
        tensor = self.tensors[output]
        image = self._new(replace(tensor, name=f"{output}:2d", shape=(*tensor.shape[:2], 1, *tensor.shape[2:])))
        inputs = tuple(self.lifted.get(name) or self._constant(name) if name else "" for name in operator.inputs)
        self.operators.append(replace(operator, inputs=inputs, outputs=(image,)))
        self.operators.append(Operator(f"{output}{SUFFIX}", "Squeeze", (image,), (output,), {"axes": (2,)}))
        self.lifted[output] = image

    def _constant(self, name: str) -> str:
        """A constant that is aligned with the image: one that has a channel and a position gets the axis between."""
        tensor = self.tensors[name]
        if len(tensor.shape) < 2:
            return name
        shape, read = (*tensor.shape[:-1], 1, tensor.shape[-1]), tensor.values
        values = None if read is None else lambda: read().reshape(shape)
        return self._new(Tensor(f"{name}:2d", shape, True, values, tensor.dtype))

    def _new(self, tensor: Tensor) -> str:
        name = tensor.name
        while name in self.tensors:
            name += "'"
        self.tensors[name] = replace(tensor, name=name)
        return name

    def _without_idle_views(self) -> Network:
        read = set(self.network.outputs)
        kept: list[Operator] = []
        for operator in reversed(self.operators):
            if not operator.name.endswith(SUFFIX) or operator.outputs[0] in read:
                kept.append(operator)
                read.update(operator.inputs)
        used = {name for operator in kept for name in (*operator.inputs, *operator.outputs) if name}
        used.update(self.network.inputs, self.network.outputs)
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in used}
        return replace(self.network, operators=tuple(reversed(kept)), tensors=tensors)
