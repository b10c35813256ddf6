"""One tile of a GEMM: its part of W, its input by im2col, and the folds that its dataflow executes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.nest import Nest, Window
from soc_sim.compiler.tiles import Extent, Pixels, Step, Tiles
from soc_sim.config.array import Array, DataflowName, Flow, dense_family
from soc_sim.dataflow.packed import packed_schedule
from soc_sim.dataflow.schedule import Fold, schedule
from soc_sim.network.base import Operator
from soc_sim.sparsity.bitmap import Bitmap

Numbers = npt.NDArray[Any]


def constant_operand(head: Operator, constant: tuple[bool, bool], second: tuple[int, ...]) -> int:
    """Which of the two operands of a GEMM is W, where one of them is a constant (``second``: shape of that operand)."""
    return 1 if head.op_type == "Conv" or (constant[1] and all(size == 1 for size in second[:-2])) else 0


def weight_matrix(head: Operator, position: int, values: Numbers, nest: Nest) -> Numbers:
    """W, groups × m × k, of a constant operand."""
    shape = nest.groups, nest.m, nest.gemm.k
    if head.op_type == "Conv":
        return values.reshape(shape)
    stands = bool(head.attributes.get("transB" if position else "transA", 0)) != (position == 0)
    return values.reshape(shape) if stands else values.reshape(nest.gemm.k, nest.m).T[None]


def patches(x: Numbers, nest: Nest, pixels: Pixels, groups: Extent, channels: Extent, zero_point: float = 0) -> Numbers:
    """The im2col matrix of a tile, groups × k × n, from (images, rows, columns, groups, channels).

    Padding is zero without being read; of what is read, the zero point is subtracted.
    """
    rows, row_exists = _taps(nest.rows, pixels.rows)
    cols, col_exists = _taps(nest.cols, pixels.cols)
    block = x[slice(*pixels.images), :, :, slice(*groups), slice(*channels)]
    # images × rows × kernel rows × columns × kernel columns × groups × channels
    found = block[:, rows[:, :, None, None], cols[None, None], :, :]
    exists = row_exists[:, :, None, None] & col_exists[None, None]
    found = np.where(exists[None, ..., None, None], found - zero_point, 0)
    return found.transpose(5, 6, 2, 4, 0, 1, 3).reshape(groups.size, channels.size * nest.kernel, pixels.size)


def _taps(window: Window, outputs: Extent) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each output of an axis and each element of the kernel: which input it reads, and whether that exists."""
    starts = np.arange(*outputs)[:, None] * window.stride - window.pad
    taps = starts + np.arange(window.kernel) * window.dilation
    exists = (taps >= 0) & (taps < window.inputs)
    return np.where(exists, taps, 0), exists


class Folds:
    """The folds of the tiles of one layer."""

    def __init__(self, array: Array, flow: Flow, tiles: Tiles, nonzero: Bitmap | None) -> None:
        """``nonzero``: groups × m × k, where the weights are stored without their zeros."""
        self.array, self.flow, self.tiles, self.nonzero = array, flow, tiles, nonzero

    def of(self, step: Step, group: int) -> Iterable[Fold]:
        """The folds of one group of a tile, in order, with indices from the tile's corner."""
        tiles = self.tiles
        m, k, n = tiles.m[step.m], channels_as_k(tiles, step), tiles.pixels[step.n].size
        if self.nonzero is None:
            part = np.ones((m.size, k.size), bool)
            rows = part
        else:
            rows = self.nonzero[group, slice(*m)]
            part = rows[:, slice(*k)]
        if dense_family(self.flow) != "dOS" or len(tiles.channels) == 1:
            return schedule(self.flow, self.array, part, n)
        # K in parts: one fold, which keeps its sums in the PEs and with them the rows that any part needs.
        ms = np.flatnonzero(rows.any(axis=1)).tolist() if self.flow == "csOS" else range(m.size)
        ks = range(k.size) if self.flow == "dOS" else np.flatnonzero(part.any(axis=0)).tolist()
        return [Fold(ms, ks, range(n))]


def channels_as_k(tiles: Tiles, step: Step) -> Extent:
    """The part of K of a tile."""
    kernel, channels = tiles.nest.kernel, tiles.channels[step.k]
    return Extent(channels.start * kernel, channels.stop * kernel)


def accumulate(sums: Numbers, weights: Numbers, inputs: Numbers, folds: Iterable[Fold]) -> int:
    """Adds W · X to ``sums`` (m × n) fold by fold; returns the multiply-accumulates."""
    macs = 0
    for fold in folds:
        ms, ks, ns = (_selection(part) for part in (fold.ms, fold.ks, fold.ns))
        sums[ms, ns] += weights[ms][:, ks] @ inputs[ks][:, ns]
        macs += len(fold.ms) * len(fold.ks) * len(fold.ns)
    return macs


def _selection(part: Any) -> Any:
    return slice(part.start, part.stop) if isinstance(part, range) else part


def accumulate_side_by_side(sums: Numbers, weights: Numbers, inputs: Numbers, array: Array, flow: DataflowName) -> int:
    """Adds W · X of several groups to ``sums`` (groups × m × n), fold by fold of their block-diagonal GEMM."""
    groups, m, k = weights.shape
    macs = 0
    for fold in packed_schedule(flow, array, groups, m, k, inputs.shape[2]):
        columns, ns = range(fold.ks[0], fold.ks[-1] + 1), _selection(fold.ns)
        for group in range(columns.start // k, (columns.stop - 1) // k + 1):
            part = slice(max(columns.start - group * k, 0), min(columns.stop - group * k, k))
            sums[group][:, ns] += weights[group][:, part] @ inputs[group][part, ns]
        macs += m * len(columns) * len(fold.ns)
    return macs
