"""GEMM operators as loop nests: Conv by im2col, Gemm and MatMul as they are, products of activations as groups.

Left out, and run by the host (``fusion.runs_on_array``): convolutions over three axes, and products of activations that
repeat an operand along some dimensions of the batch and not along others.
"""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.compiler.fusion import Group, channel_words
from soc_sim.compiler.nest import Nest, Operands, Window
from soc_sim.compiler.views import View
from soc_sim.errors import MappingError
from soc_sim.network.base import Network, Operator


def lower(network: Network, group: Group, views: dict[str, View]) -> tuple[Nest, Operands]:
    """The nest of an array layer, and its operands.

    Raises:
        MappingError: the array cannot run this form of the operator.
    """
    head = group.head
    first, second = (views[name] for name in head.inputs[:2])
    results = [views[group.output], *(_like(views[name], views[group.output]) for name in group.residuals)]
    words = channel_words(network, group)
    constant = [network.tensors[name].constant for name in head.inputs[:2]]
    if head.op_type == "Conv":
        return _convolution(head, first, second, constant[1], results, words)
    if head.op_type == "Gemm":
        if head.attributes.get("transA", 0):
            first = _swapped(first)
        if head.attributes.get("transB", 0):
            second = _swapped(second)
    return _product(head, first, second, constant, results, words)


def _like(view: View, result: View) -> View:
    """An addend with the dimensions of the result: missing ones are inserted, those of size 1 repeat."""
    while len(view.shape) < len(result.shape):
        view = view.insert(1)
    strides = tuple(
        stride if size == wanted else 0
        for size, wanted, stride in zip(view.shape, result.shape, view.strides, strict=True)
    )
    return View(view.root, view.offset, result.shape, strides, view.element_bytes)


def _swapped(view: View) -> View:
    rank = len(view.shape)
    return view.transpose(*range(rank - 2), rank - 1, rank - 2)


def _convolution(
    head: Operator, x: View, weights: View, constant: bool, results: Sequence[View], words: int
) -> tuple[Nest, Operands]:
    axes = len(x.shape) - 3
    if axes not in (1, 2):
        raise MappingError(f"{head.name}: convolutions over {axes} axes do not run on the array; allowed: 1 or 2 axes")

    def images(view: View, groups: int) -> View:
        if not view.mergeable(0):
            raise MappingError(f"{head.name}: the images of a batch do not lie evenly spaced")
        view = view.merge(0)
        if axes == 1:
            view = view.insert(3)
        return view.split(1, view.shape[1] // groups).transpose(0, 3, 4, 1, 2)

    groups = int(str(head.attributes.get("group", 1)))
    x, (o, *residuals) = images(x, groups), [images(view, groups) for view in results]
    kernel = weights.shape[2 if constant else 3 :]

    def integers(name: str, default: int) -> tuple[int, ...]:
        value = head.attributes.get(name) or (default,) * axes
        return tuple(int(v) for v in value) if isinstance(value, tuple) else (int(value),)

    strides, dilations, pads = integers("strides", 1), integers("dilations", 1), integers("pads", 0)
    windows = [
        Window(o.shape[1 + axis], x.shape[1 + axis], kernel[axis], strides[axis], dilations[axis], pads[axis])
        for axis in range(axes)
    ]
    windows += [Window(1, 1)] * (2 - axes)
    for axis, window in enumerate(windows):
        # Pixels that a kernel of one element steps over are not loaded.
        if window.kernel == 1 and window.stride > 1 and window.pad == 0:
            read = min(window.inputs, (window.size - 1) * window.stride + 1)
            x = x.slice(1 + axis, 0, read, window.stride)
            windows[axis] = Window(window.size, x.shape[1 + axis])
    w = None
    if not constant:
        w = weights.merge(0)
        w = (w if axes == 2 else w.insert(4)).split(0, w.shape[0] // groups)
    rows, cols = windows
    nest = Nest(groups, o.shape[4], x.shape[4], x.shape[0], rows, cols, constant, words)
    return nest, Operands(x, o, w, tuple(residuals))


def _product(
    head: Operator, first: View, second: View, constant: Sequence[bool], results: Sequence[View], words: int
) -> tuple[Nest, Operands]:
    """MatMul and Gemm. A constant matrix takes the place of W; of two activations, the first does."""
    if len(first.shape) - (not constant[0]) == 1:
        first = first.insert(len(first.shape) - 1)
        results = [view.insert(len(view.shape) - (len(second.shape) - (not constant[1]) > 1)) for view in results]
    if len(second.shape) - (not constant[1]) == 1:
        second = second.insert(len(second.shape))
        results = [view.insert(len(view.shape)) for view in results]

    def is_matrix(view: View, is_constant: bool) -> bool:
        return is_constant and all(size == 1 for size in view.shape[:-2])

    if is_matrix(second, constant[1]):
        k, m = second.shape[-2:]
        return _tokens(head, [first, *results], k, m, words)
    if is_matrix(first, constant[0]):
        m, k = first.shape[-2:]
        return _tokens(head, [_swapped(view) for view in (second, *results)], k, m, words)
    operands = [
        view.insert(0) if is_constant else view for view, is_constant in zip((first, second), constant, strict=True)
    ]
    return _matrices(head, operands[0], operands[1], results)


def _tokens(head: Operator, views: Sequence[View], k: int, m: int, words: int) -> tuple[Nest, Operands]:
    """A constant matrix times tokens: all dimensions but the last are images, rows and columns."""
    views = _merge_leading(views)
    while len(views[0].shape) < 4:
        views = [view.insert(len(view.shape) - 1 if len(view.shape) == 2 else 0) for view in views]
    if len(views[0].shape) > 4:
        raise MappingError(f"{head.name}: its operand lies scattered over more than three dimensions")
    x, o, *residuals = (view.insert(3) for view in views)
    rows, cols = Window(x.shape[1], x.shape[1]), Window(x.shape[2], x.shape[2])
    nest = Nest(1, m, k, x.shape[0], rows, cols, True, words)
    return nest, Operands(x, o, None, tuple(residuals))


def _matrices(head: Operator, first: View, second: View, results: Sequence[View]) -> tuple[Nest, Operands]:
    """Products of two activations: one group per matrix, columns of the second operand as rows of the nest."""
    rank = len(results[0].shape)
    batch = (*results[0].shape[:-2],)

    def spread(view: View) -> View:
        while len(view.shape) < rank:
            view = view.insert(1)
        strides = tuple(
            stride if i >= rank - 2 or size == batch[i] else 0
            for i, (size, stride) in enumerate(zip(view.shape, view.strides, strict=True))
        )
        return View(view.root, view.offset, (*batch, *view.shape[-2:]), strides, view.element_bytes)

    matrices = [spread(view) for view in (first, second, *results)]
    while len(matrices[0].shape) > 3:
        if not all(view.mergeable(0) for view in matrices):
            raise MappingError(f"{head.name}: a product of activations with this broadcast does not run on the array")
        matrices = [view.merge(0) for view in matrices]
    matrices = [view if len(view.shape) == 3 else view.insert(0) for view in matrices]
    w, x, *outputs = matrices
    groups, m, k = w.shape
    n = x.shape[2]
    # (group, k, n) → (image, row n, column, group, k), and the same for the results.
    x, o, *residuals = (view.insert(0).insert(0).transpose(0, 4, 1, 2, 3) for view in (x, *outputs))
    nest = Nest(groups, m, k, 1, Window(n, n), Window(1, 1), False, 0)
    return nest, Operands(x, o, w.insert(3).insert(3), tuple(residuals))


def _merge_leading(views: Sequence[View]) -> list[View]:
    """Merges dimensions before the last one, from the inside out, where all views allow it."""
    merged = list(views)
    axis = len(merged[0].shape) - 3
    while axis >= 0:
        if all(view.mergeable(axis) for view in merged):
            merged = [view.merge(axis) for view in merged]
        axis -= 1
    return merged
