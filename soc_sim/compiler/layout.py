"""Where every tensor lies within which storage: channels-last images, views, slices of concatenations.

Images (tensors that a convolution, a pooling or another image operator reads or writes, and what is linked to them by
operators that keep the shape) lie channels-last: N, H, W, C. All others lie row-major as in ONNX. The batch is the
outermost dimension of both. A view operator is another name for the same bytes: what a Flatten of a channels-last image
permutes is undone in the weights of the layer behind it, offline.

A concatenation is elided where its pieces can be written straight into their slices; so are slices and splits, which
their readers address with a pitch. A Transpose disappears into the strides with which its neighbours on the array write
or read. What cannot be elided is a copy on the host.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from soc_sim.compiler.fusion import Group, family, runs_on_array
from soc_sim.compiler.views import View
from soc_sim.network.base import Network, Operator, Tensor

_IMAGE_OPERATORS = frozenset(
    (
        "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LpPool", "LRN", "Resize", "Upsample",
        "DepthToSpace", "SpaceToDepth", "InstanceNormalization", "BatchNormalization",
    )
)  # fmt: skip


@dataclass(slots=True)
class Layout:
    """The views of all tensors, and what is left to copy.

    ``storages`` and ``constants`` map a root to its size in bytes: activations, and constants that are read as they are
    (weights of array layers are packed per tile instead).
    """

    views: dict[str, View] = field(default_factory=dict)
    storages: dict[str, int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    copies: dict[str, list[tuple[str, View]]] = field(default_factory=dict)
    """Concat that is not elided altogether → the pieces to copy, and where to."""


def lay_out(network: Network, groups: Sequence[Group], element_bytes: int) -> Layout:
    """Views of all tensors; groups that became views are gone, views that need a copy have become groups."""
    return _LayOut(network, element_bytes).run(groups)


class _LayOut:
    def __init__(self, network: Network, element_bytes: int) -> None:
        self.network = network
        self.element_bytes = element_bytes
        self.images = _images(network)
        self.scalings: set[str] = set()
        # Result of a view operator whose view has its elements in another order → one in the file's; None: no strides
        # say that. Readers of the whole do not mind, but parts are picked by the file's order.
        self.in_order: dict[str, View | None] = {}
        self.layout = Layout()

    def run(self, groups: Sequence[Group]) -> Layout:
        layout, network = self.layout, self.network
        for operator in reversed(network.operators):
            if operator.op_type == "Concat":
                self._place_pieces(operator)
            elif operator.op_type == "Transpose":
                self._place_source(operator)
        for name in network.inputs:
            self._own(name)
        heads = {group.head.name: group for group in groups if group.unit == "host" and len(group.operators) == 1}
        self.scalings = {op.name for group in groups for op in (*group.scalings, *group.dequantisers)}
        elided: set[str] = set()
        extra: list[Group] = []
        for position, operator in enumerate(network.operators):
            if operator.op_type == "Concat" and not layout.copies[operator.name]:
                elided.add(operator.name)
            if operator.name in heads and (self._alias_slices(operator) or self._alias_transposed(operator)):
                elided.add(operator.name)
            if operator.name in self.scalings:
                source = next(name for name in operator.inputs if not network.tensors[name].constant)
                layout.views[operator.outputs[0]] = layout.views[source]
            if family(operator) == "view" and not self._alias(operator):
                extra.append(Group("host", [operator], position))
            for name in operator.outputs:
                if name and name not in layout.views:
                    self._own(name)
        # Tensors inside a group never reach a memory: a storage is needed for what groups show outside only.
        inside = {op.outputs[0] for group in groups for op in group.operators[:-1]}
        for name in inside:
            layout.storages.pop(name, None)
        for tensor in network.tensors.values():
            if tensor.constant:
                layout.views[tensor.name] = self._view(tensor, tensor.name)
                layout.constants[tensor.name] = tensor.elements * self.element_bytes
        layout.groups = sorted(
            [*(group for group in groups if group.head.name not in elided), *extra], key=lambda group: group.position
        )
        return layout

    def _view(self, tensor: Tensor, root: str) -> View:
        shape = tensor.shape if tensor.constant else (self.network.batch, *tensor.shape)
        order = list(range(len(shape)))
        if tensor.name in self.images and not tensor.constant and len(tensor.shape) > 2:
            order.append(order.pop(2))
        strides, stride = [0] * len(shape), self.element_bytes
        for axis in reversed(order):
            strides[axis] = stride
            stride *= shape[axis]
        return View(root, 0, shape, tuple(strides), self.element_bytes)

    def _own(self, name: str) -> None:
        """Gives a tensor a storage of its own, unless it lies in another's."""
        if name not in self.layout.views:
            view = self.layout.views[name] = self._view(self.network.tensors[name], name)
            self.layout.storages[name] = view.size_bytes

    def _place_pieces(self, operator: Operator) -> None:
        output = operator.outputs[0]
        self._own(output)
        whole = self.layout.views[output]
        rank = len(self.network.tensors[output].shape)
        axis = 1 + int(str(operator.attributes["axis"])) % rank
        copies = self.layout.copies[operator.name] = []
        start = 0
        for name in operator.inputs:
            stop = start + self.network.tensors[name].shape[axis - 1]
            piece = whole.slice(axis, start, stop)
            if self._can_lie_in(name, output, piece):
                self.layout.views[name] = piece
            else:
                copies.append((name, piece))
            start = stop

    def _can_lie_in(self, name: str, output: str, piece: View) -> bool:
        producer = self.network.producers.get(name)
        return (
            producer is not None
            and family(producer) != "view"
            and _picks(self.network, producer) is None
            and name not in self.layout.views
            and name not in self.network.outputs
            and (name in self.images) == (output in self.images)
            and (piece.contiguous or all(family(reader) != "view" for reader in self.network.consumers[name]))
        )

    def _place_source(self, operator: Operator) -> None:
        """Lets the producer of a Transpose write its result in transposed order, line by line."""
        network, source, output = self.network, operator.inputs[0], operator.outputs[0]
        perm = _perm(operator)
        producer = network.producers.get(source)
        if (
            producer is not None
            and runs_on_array(network, producer)
            and perm[-1] == len(perm) - 1
            and len(network.consumers[source]) == 1
            and source not in network.outputs
            and source not in self.images
            and source not in self.layout.views
        ):
            self._own(output)
            inverse = [perm.index(axis) for axis in range(len(perm))]
            written = self.layout.views[output].transpose(0, *(axis + 1 for axis in inverse))
            if _evenly_spaced(written):
                self.layout.views[source] = written

    def _alias_transposed(self, operator: Operator) -> bool:
        """Makes the result of a Transpose a view of its input: one that is placed so, or that GEMMs alone read.

        The DMA reads lines in any order; a host would have to gather single elements.
        """
        if operator.op_type != "Transpose":
            return False
        source, output = operator.inputs[0], operator.outputs[0]
        transposed = self.layout.views[source].transpose(0, *(axis + 1 for axis in _perm(operator)))
        if self.layout.views.get(output) == transposed:
            return True
        if output in self.layout.views or output in self.network.outputs or output in self.images:
            return False
        readers = self.network.consumers.get(output, ())
        if not _evenly_spaced(transposed) or not all(self._feeds_gemms(reader, output) for reader in readers):
            return False
        self.layout.views[output] = transposed
        return True

    def _feeds_gemms(self, reader: Operator, tensor: str) -> bool:
        if reader.name in self.scalings:
            following = self.network.consumers[reader.outputs[0]]
            return all(self._feeds_gemms(operator, reader.outputs[0]) for operator in following)
        return runs_on_array(self.network, reader) and tensor in reader.inputs[:2] and reader.op_type != "Conv"

    def _alias(self, operator: Operator) -> bool:
        """Makes the result of a view operator another name of its input, if the bytes allow it."""
        source = self.layout.views.get(operator.inputs[0])
        output = self.network.tensors[operator.outputs[0]]
        if source is None or output.constant:
            return True
        in_order = self.in_order.get(operator.inputs[0], source)
        if source.shape[1:] == output.shape:
            self.layout.views[output.name] = source
        elif source.contiguous:
            self.layout.views[output.name] = replace(self._view(output, source.root), offset=source.offset)
        elif {operator.inputs[0], output.name} & self.images:
            return False
        else:
            reshaped = source.reshape((self.network.batch, *output.shape))
            if reshaped is None:
                return False
            self.layout.views[output.name] = reshaped
        exact = None if in_order is None else in_order.reshape((self.network.batch, *output.shape))
        if exact is None or not exact.same_places(self.layout.views[output.name]):
            self.in_order[output.name] = exact
        return True

    def _alias_slices(self, operator: Operator) -> bool:
        """Makes the results of a Slice or Split views of its input, where it is known what they pick."""
        picks = _picks(self.network, operator)
        if picks is None:
            return False
        source = operator.inputs[0]
        whole = self.in_order.get(source, self.layout.views[source])
        if whole is None:
            return False
        for name, ranges in zip(operator.outputs, picks, strict=True):
            view = whole
            for axis, start, stop, step in ranges:
                view = view.slice(axis + 1, start, stop, step)
            self.layout.views[name] = view
        return True


def _images(network: Network) -> frozenset[str]:
    """Tensors that lie channels-last."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    seeds: list[str] = []
    for operator in network.operators:
        links = [name for name in (operator.inputs[0], *operator.outputs) if name]
        if operator.op_type == "Concat" or family(operator) == "elementwise":
            links += [name for name in operator.inputs if name]
        ranks = {name: len(network.tensors[name].shape) for name in links if not network.tensors[name].constant}
        if operator.op_type in _IMAGE_OPERATORS:
            seeds += ranks
        keeps = family(operator) in ("elementwise", "window", "reduce") or operator.op_type in (
            "Conv", "Concat", "Slice", "Split", "Pad", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth",
        )  # fmt: skip
        if keeps:
            same = [name for name in ranks if ranks[name] == ranks.get(operator.outputs[0])]
            for name in same:
                parent[find(name)] = find(same[0])
    roots = {find(name) for name in seeds}
    return frozenset(name for name in parent if find(name) in roots)


def _evenly_spaced(view: View) -> bool:
    """Whether the matrices (the last two dimensions) lie one stride apart, as products of activations need them."""
    while len(view.shape) > 3 and view.mergeable(0):
        view = view.merge(0)
    return len(view.shape) <= 3


def _perm(operator: Operator) -> tuple[int, ...]:
    """Axis of the input that each axis of the result of a Transpose is (attributes are filled in)."""
    perm = operator.attributes["perm"]
    assert isinstance(perm, tuple)  # noqa: S101 # ONNX's type of this attribute
    return tuple(int(axis) for axis in perm)


def _picks(network: Network, operator: Operator) -> list[list[tuple[int, int, int, int]]] | None:
    """For each result of a Slice or Split the (axis, start, stop, step) that it picks from its input.

    None where that is not known, runs backwards, or is visible outside.
    """
    if any(name in network.outputs for name in operator.outputs) or operator.op_type not in ("Slice", "Split"):
        return None
    source = network.tensors[operator.inputs[0]]
    if source.constant:
        return None
    if operator.op_type == "Split":
        axis = int(str(operator.attributes.get("axis", 0))) % len(source.shape)
        sizes = [network.tensors[name].shape[axis] for name in operator.outputs]
        stops = list(itertools.accumulate(sizes))
        return [[(axis, stop - size, stop, 1)] for size, stop in zip(sizes, stops, strict=True)]
    parameters = [network.tensors[name].values if name else None for name in operator.inputs[1:]]
    if len(parameters) < 3 or any(values is None for values in parameters):
        return None
    columns = [[int(value) for value in np.ravel(values())] for values in parameters if values is not None]
    starts, stops, axes = columns[:3]
    steps = columns[3] if len(columns) > 3 else [1] * len(starts)
    if min(steps) < 1:
        return None
    picked = []
    for start, stop, axis, step in zip(starts, stops, axes, steps, strict=True):
        axis %= len(source.shape)
        low, high, _ = slice(start, stop).indices(source.shape[axis])
        picked.append((axis, low, high, step))
    return [picked]
