"""The loop nest of an array layer: its sizes, and where its operands lie.

A convolution is a GEMM by im2col on the fly: the inputs buffer holds a tile of the raw input with its halo, padding is
not loaded, and the array reads it expanded, so memory traffic is not multiplied by the kernel's size. A product without
an image has its tokens as rows, one column, and a kernel of one element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from soc_sim.compiler.views import View
from soc_sim.config.array import Array
from soc_sim.network.operators import GemmShape


@dataclass(frozen=True, slots=True)
class Window:
    """One axis of a convolution: output o reads the inputs o·stride − pad + j·dilation, j < kernel, that exist."""

    size: int
    """Outputs."""
    inputs: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    def reads(self, start: int, stop: int) -> tuple[int, int]:
        """First and last-plus-one input that outputs ``start`` to ``stop`` read; equal if all of it is padding."""
        low = max(0, start * self.stride - self.pad)
        high = min(self.inputs, (stop - 1) * self.stride - self.pad + (self.kernel - 1) * self.dilation + 1)
        return (low, high) if low < high else (0, 0)


@dataclass(frozen=True, slots=True)
class Nest:
    """Loops of O[g, m, n] += W[g, m, k] · X[g, k, n] with k over channels and kernel, n over images, rows, columns."""

    groups: int
    m: int
    channels: int
    """Input channels of a group."""
    images: int
    rows: Window
    cols: Window
    constant_weights: bool
    channel_words: int
    """Accumulator-wide constants per output channel (bias), loaded with the weights."""

    @property
    def kernel(self) -> int:
        """Elements of the kernel."""
        return self.rows.kernel * self.cols.kernel

    @property
    def gemm(self) -> GemmShape:
        """The GEMM that the nest computes."""
        return GemmShape(
            self.m, self.channels * self.kernel, self.images * self.rows.size * self.cols.size, self.groups
        )

    def weight_bytes(self, array: Array) -> int:
        """Bytes of all weights and of the constants that travel with them."""
        channel = self.channels * self.kernel * array.operand_bytes + self.channel_words * array.accumulator_bytes
        return self.groups * self.m * channel


class Operands(NamedTuple):
    """Where the operands of a nest lie.

    ``x`` and the views of ``o`` and ``residuals`` have the dimensions (images, rows, columns, groups, channels),
    ``w`` (a product of two activations; None for constants, which are packed tile by tile) has
    (groups, m, channels, kernel rows, kernel columns).
    """

    x: View
    o: View
    w: View | None
    residuals: tuple[View, ...]
