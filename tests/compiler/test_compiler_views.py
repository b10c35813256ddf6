"""Views against numpy: the same elements, and the fewest pieces of memory that hold a box."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.compiler.views import View, box_shape


@st.composite
def views(draw: st.DrawFn) -> View:
    """A slice of a permuted contiguous array of bytes or words."""
    element = draw(st.sampled_from([1, 2]))
    full = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    order = draw(st.permutations(range(len(full))))
    strides, stride = [0] * len(full), element
    for axis in reversed(order):
        strides[axis] = stride
        stride *= full[axis]
    view = View("root", 0, tuple(full), tuple(strides), element)
    for axis, size in enumerate(full):
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(start + 1, size))
        view = view.slice(axis, start, stop, draw(st.integers(1, 2)))
    return view


def bytes_of(view: View) -> list[int]:
    """First byte of every element, in row-major order."""
    return [
        view.offset + sum(i * stride for i, stride in zip(index, view.strides, strict=True))
        for index in product(*map(range, view.shape))
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(view=views())
def test_pieces_hold_exactly_the_bytes_of_the_elements(view: View) -> None:
    held = [
        piece.offset + line * piece.pitch_bytes + byte
        for piece in view.pieces()
        for line in range(piece.lines)
        for byte in range(piece.line_bytes)
    ]
    wanted = [start + byte for start in bytes_of(view) for byte in range(view.element_bytes)]
    assert sorted(held) == sorted(wanted)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(view=views())
def test_the_form_of_many_boxes_is_that_of_each(view: View) -> None:
    boxes = np.array(list(product(*(range(1, size + 1) for size in view.shape))), np.int64)
    line_bytes, lines, pieces = np.broadcast_arrays(*box_shape(view, list(boxes.T)))
    for row, box in enumerate(boxes.tolist()):
        found = view.pieces([0] * len(box), box)
        assert {piece.line_bytes for piece in found} == {line_bytes.flat[row] if line_bytes.ndim else int(line_bytes)}
        assert sum(piece.lines for piece in found) == (lines.flat[row] if lines.ndim else int(lines))
        assert len(found) == (pieces.flat[row] if pieces.ndim else int(pieces))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(view=views(), data=st.data())
def test_a_reshaped_view_has_the_same_elements_in_the_same_order(view: View, data: st.DataObject) -> None:
    elements = math.prod(view.shape)
    first = data.draw(st.sampled_from([size for size in range(1, elements + 1) if elements % size == 0]))
    reshaped = view.reshape((first, elements // first))
    starts = bytes_of(view)
    if reshaped is not None:
        assert bytes_of(reshaped) == starts
    else:
        rows = np.array(starts).reshape(first, elements // first)
        # No pair of strides can say it: somewhere the distances differ.
        assert len(np.unique(np.diff(rows, axis=0))) > 1 or len(np.unique(np.diff(rows, axis=1))) > 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(view=views())
def test_merging_and_splitting_a_dimension_keeps_the_elements(view: View) -> None:
    for axis in range(len(view.shape) - 1):
        if view.mergeable(axis):
            merged = view.merge(axis)
            assert bytes_of(merged) == bytes_of(view)
            assert bytes_of(merged.split(axis, view.shape[axis + 1])) == bytes_of(view)
