"""A view: which bytes of a storage a tensor, or an operand of a GEMM, occupies — sizes and byte strides, as in numpy.

Dimensions keep the order of their user (ONNX's, or that of the GEMM's loops); the strides say how they lie in memory,
so a slice of a concatenation, a transposed operand and a plain tensor are read and written in the same way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Piece(NamedTuple):
    """``lines`` lines of ``line_bytes``, ``pitch_bytes`` apart, from ``offset`` bytes into the storage."""

    offset: int
    line_bytes: int
    lines: int
    pitch_bytes: int


@dataclass(frozen=True, slots=True)
class View:
    """Element (i, j, ...) lies ``offset + i·strides[0] + j·strides[1] + ...`` bytes into the storage ``root``.

    A stride of zero repeats what lies there (broadcast).
    """

    root: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    element_bytes: int

    @property
    def size_bytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.element_bytes

    @property
    def contiguous(self) -> bool:
        """Whether the elements are one run of bytes, in whatever order of the dimensions."""
        return self.pieces() == [Piece(self.offset, self.size_bytes, 1, 0)]

    def same_places(self, other: View) -> bool:
        """Whether every element lies where that of the ``other`` view, of equal shape, does."""
        strides = zip(self.shape, self.strides, other.strides, strict=True)
        return self.offset == other.offset and all(size == 1 or own == theirs for size, own, theirs in strides)

    def slice(self, axis: int, start: int, stop: int, step: int = 1) -> View:
        """Elements ``start, start + step, ...`` below ``stop`` along ``axis`` (step positive)."""
        shape, strides = list(self.shape), list(self.strides)
        shape[axis] = -(-(stop - start) // step)
        strides[axis] *= step
        return replace(
            self, offset=self.offset + start * self.strides[axis], shape=tuple(shape), strides=tuple(strides)
        )

    def transpose(self, *axes: int) -> View:
        """Dimension i of the result is dimension ``axes[i]``; dimensions that are left out must have size 1."""
        return replace(
            self, shape=tuple(self.shape[axis] for axis in axes), strides=tuple(self.strides[axis] for axis in axes)
        )

    def split(self, axis: int, inner: int) -> View:
        """Dimension ``axis`` as two: blocks, and ``inner`` elements of a block."""
        outer, stride = self.shape[axis] // inner, self.strides[axis]
        return replace(
            self,
            shape=(*self.shape[:axis], outer, inner, *self.shape[axis + 1 :]),
            strides=(*self.strides[:axis], stride * inner, stride, *self.strides[axis + 1 :]),
        )

    def mergeable(self, axis: int) -> bool:
        """Whether dimensions ``axis`` and ``axis + 1`` are one dimension with one stride."""
        outer, inner = self.shape[axis : axis + 2]
        return outer == 1 or inner == 1 or self.strides[axis] == inner * self.strides[axis + 1]

    def merge(self, axis: int) -> View:
        """Dimensions ``axis`` and ``axis + 1`` as one (:meth:`mergeable` must hold)."""
        outer, inner = self.shape[axis : axis + 2]
        stride = self.strides[axis + 1] if inner > 1 else self.strides[axis]
        return replace(
            self,
            shape=(*self.shape[:axis], outer * inner, *self.shape[axis + 2 :]),
            strides=(*self.strides[:axis], stride, *self.strides[axis + 2 :]),
        )

    def insert(self, axis: int) -> View:
        """A dimension of size 1 before ``axis``."""
        return replace(
            self,
            shape=(*self.shape[:axis], 1, *self.shape[axis:]),
            strides=(*self.strides[:axis], 0, *self.strides[axis:]),
        )

    def reshape(self, shape: Sequence[int]) -> View | None:
        """The same elements in row-major order under another shape; None where no strides can say that."""
        axis = len(self.shape) - 2
        merged = self
        while axis >= 0:
            merged = merged.merge(axis) if merged.mergeable(axis) else merged
            axis -= 1
        runs = list(zip(merged.shape, merged.strides, strict=True))
        left, stride = runs.pop(0)
        strides = []
        for size in shape:
            if left == 1 and size > 1 and runs:
                left, stride = runs.pop(0)
            if left % size:
                return None
            left //= size
            strides.append(left * stride)
        return replace(self, shape=tuple(shape), strides=tuple(strides))

    def pieces(self, starts: Sequence[int] | None = None, stops: Sequence[int] | None = None) -> list[Piece]:
        """The fewest 2-D pieces that hold the box ``starts`` to ``stops`` (exclusive), without what is broadcast.

        Args:
            starts: First index of every dimension (default: 0).
            stops: Index after the last one (default: the shape).
        """
        offset, dimensions = self.offset, []
        for start, stop, stride in zip(
            starts or (0,) * len(self.shape), stops or self.shape, self.strides, strict=True
        ):
            offset += start * stride
            if stop - start > 1 and stride:
                dimensions.append((stride, stop - start))
        dimensions.sort()
        line, lines, pitch, level = self.element_bytes, 1, 0, 0
        while level < len(dimensions) and dimensions[level][0] == line:
            line *= dimensions[level][1]
            level += 1
        if level < len(dimensions):
            pitch, lines = dimensions[level]
            level += 1
            while level < len(dimensions) and dimensions[level][0] == pitch * lines:
                lines *= dimensions[level][1]
                level += 1
        steps = [range(0, stride * size, stride) for stride, size in reversed(dimensions[level:])]
        return [Piece(offset + sum(step), line, lines, pitch) for step in itertools.product(*steps)]

    def span(self, starts: Sequence[int], stops: Sequence[int]) -> tuple[int, int]:
        """First byte and the byte after the last one of a box that is not empty."""
        low = high = self.offset
        for start, stop, stride in zip(starts, stops, self.strides, strict=True):
            low += start * stride
            high += (stop - 1) * stride
        return low, high + self.element_bytes


def box_shape(view: View, sizes: Sequence[Integers]) -> tuple[Integers, Integers, Integers]:
    """As :meth:`View.pieces`, for many boxes at once: bytes of a line, lines in all, pieces.

    Args:
        view: Where the box lies.
        sizes: Extent of the box in every dimension; arrays that broadcast to one shape.
    """
    order = sorted(range(len(sizes)), key=lambda axis: view.strides[axis])
    run = np.int64(view.element_bytes) * np.ones((), np.int64)
    # State of each box: still one line, then still one piece; the pitch level opens with the first gap.
    pitch = np.zeros((), np.int64)
    lines = np.ones((), np.int64)
    pieces = np.ones((), np.int64)
    in_line, in_piece = np.True_, np.True_
    for axis in order:
        stride, size = view.strides[axis], sizes[axis]
        if stride == 0:
            continue
        trivial = size == 1
        extends = in_line & (stride == run)
        opens = in_piece & ~extends & ~trivial & (lines == 1)
        joins = in_piece & ~extends & ~trivial & (lines > 1) & (stride == pitch * lines)
        outside = ~(trivial | extends | opens | joins)
        run = np.where(extends, run * size, run)
        pitch = np.where(opens, stride, pitch)
        lines = np.where(opens | joins, lines * size, lines)
        pieces = np.where(outside, pieces * size, pieces)
        in_line = in_line & (extends | trivial)
        in_piece = in_piece & ~outside
    return run, lines * pieces, pieces
