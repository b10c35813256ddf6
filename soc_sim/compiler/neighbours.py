"""What layers that follow one another on a core hide of each other: first loads of one, the last store of the other.

A layer alone waits for its first tiles (fill) and ends with its last store (drain). Behind another layer, loads run
ahead as soon as what they read has been stored and there is room; so what is left is the wait from the last Compute of
the one to the first Compute of the other. That depends on the tiles of both: of a first tile that reads few rows, the
inputs were stored long ago, where the layer before cuts its rows, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import Tiling
from soc_sim.compiler.sizes import Sizes
from soc_sim.compiler.views import View


class Link(NamedTuple):
    """An operand that reads what the layer before has written."""

    operand: int
    """Its number among x, w and the addends."""
    offset_bytes: int
    """Of its first element, from where the results begin."""
    size_bytes: int
    """From the first byte of the results to their last one."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How a layer begins and ends, for one candidate or for many; arrays broadcast to S × B."""

    computing_ps: Any
    """From its first Compute to the end of the last, if the array is the bound."""
    bound_ps: Any
    """What queues, memories, interconnect and controller need for all of it."""
    inputs_ps: Any
    """To load the first tile of inputs; so the next one."""
    weights_ps: Any
    inputs_lead_ps: Any
    """For which the array works on the last tile of inputs, while those of the next layer come; so the next one."""
    weights_lead_ps: Any
    drain_ps: Any
    """From the end of its last Compute to that of its last store."""
    bands: Any
    """Bands of rows that its last pass over the pixels stores one after another."""
    band_ps: Any
    """Time from one of them to the next."""
    weight_tile: Any
    """Bytes of a buffer; so the next two."""
    input_tile: Any
    output_tile: Any
    kept_bytes: int
    """Of the inputs buffer."""
    resident_bytes: int
    """Of the weights buffer."""

    @property
    def alone_ps(self) -> Any:
        """What it takes where the array is no bound, so that nothing is hidden."""
        return np.maximum(self.inputs_ps, self.weights_ps) + self.bound_ps + self.drain_ps

    def at(self, candidate: tuple[int, int], shape: tuple[int, ...]) -> Ends:
        """Of one candidate."""
        return Ends(*(_one(getattr(self, name), candidate, shape) for name in self.__slots__))


def _one(values: Any, candidate: tuple[int, int], shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(values, shape)[candidate].item()


class Capacity(NamedTuple):
    """Bytes of the buffers of a core."""

    weights: int
    inputs: int
    outputs: int


def links(before: View, operands: Operands) -> tuple[Link, ...]:
    """Operands that read what was written to ``before``."""
    low, high = before.span((0,) * len(before.shape), before.shape)
    views = (operands.x, operands.w, *operands.residuals)
    return tuple(
        Link(number, view.offset - low, high - low)
        for number, view in enumerate(views)
        if view is not None and view.root == before.root
    )


def reach(nest: Nest, operands: Operands, found: tuple[Link, ...], tiling: Tiling | Sizes) -> Any:
    """Share of the results of the layer before, from their first byte on, that the first tile reads; 0: none.

    As for dependencies, all between the first and the last byte of a box counts.
    """
    images: Any
    rows: Any
    cols: Any
    groups: Any
    m: Any
    channels: Any
    if isinstance(tiling, Tiling):
        images, rows, cols = tiling.images, tiling.rows, tiling.cols
        groups, m, channels = tiling.groups, tiling.m, tiling.k // nest.kernel
    else:
        s, b = tiling.spatial, tiling.blocks
        images, rows, cols = (size[:, None] for size in (s.images, s.rows, s.cols))
        groups, m, channels = b.groups[None], b.m[None], b.channels[None]
    in_rows, in_cols = (
        np.minimum(window.inputs, (size - 1) * window.stride - window.pad + (window.kernel - 1) * window.dilation + 1)
        for window, size in ((nest.rows, rows), (nest.cols, cols))
    )
    boxes = (
        (images, np.maximum(in_rows, 1), np.maximum(in_cols, 1), groups, channels),
        (groups, m, channels, nest.rows.kernel, nest.cols.kernel),
        (images, rows, cols, groups, m),
    )
    share: Any = 0.0
    views = (operands.x, operands.w, *operands.residuals)
    for link in found:
        view, box = views[link.operand], boxes[min(link.operand, 2)]
        if view is None:
            continue
        end = link.offset_bytes + view.element_bytes
        for size, stride in zip(box, view.strides, strict=True):
            end = end + (size - 1) * stride
        share = np.maximum(share, np.clip(end / link.size_bytes, 0.0, 1.0))
    return share


def gap_ps(before: Ends, after: Ends, share: Any, capacity: Capacity) -> Any:
    """From the last Compute of a layer to the first of the next, whose first tile reads ``share`` of its results."""
    bands = np.ceil(share * before.bands)
    stored = np.where(bands > 0, before.drain_ps - (before.bands - bands) * before.band_ps, -np.inf)
    gap = np.maximum(stored + after.inputs_ps, 0.0)
    # Loads of a buffer follow one another.
    gap = np.maximum(gap, after.inputs_ps - before.inputs_lead_ps)
    gap = np.maximum(gap, after.weights_ps - before.weights_lead_ps)
    kept_bytes = np.maximum(before.kept_bytes, after.kept_bytes)
    resident_bytes = np.maximum(before.resident_bytes, after.resident_bytes)
    for late, needed, room in (
        (after.weights_ps, before.weight_tile + after.weight_tile + resident_bytes, capacity.weights),
        (after.inputs_ps, before.input_tile + after.input_tile + kept_bytes, capacity.inputs),
        (before.drain_ps, before.output_tile + after.output_tile, capacity.outputs),
    ):
        gap = np.where(needed > room, np.maximum(gap, late), gap)
    return gap


@dataclass(frozen=True, slots=True)
class Beside:
    """The layers before and behind one; None where there is none on the array, or nothing is known of it."""

    capacity: Capacity
    before: Ends | None
    links: tuple[Link, ...]
    """Operands that read what the layer before writes."""
    after: Ends | None
    share: float
    """Of this layer's results, what the first tile of the layer behind it reads."""

    def time_ps(self, nest: Nest, operands: Operands, tiling: Tiling | Sizes, ends: Ends) -> Any:
        """From the last Compute of the layer before to that of the layer itself, and what the one behind then waits.

        Where the array is no bound, it takes what it takes alone: a memory that is always busy hides nothing.
        """
        return np.maximum(self._array_ps(nest, operands, tiling, ends), ends.alone_ps)

    def hides(self, nest: Nest, operands: Operands, tiling: Tiling | Sizes, ends: Ends) -> bool:
        """Whether the array is the bound, so that other tiles may bring something."""
        return bool(self._array_ps(nest, operands, tiling, ends) > ends.alone_ps)

    def _array_ps(self, nest: Nest, operands: Operands, tiling: Tiling | Sizes, ends: Ends) -> Any:
        if self.before is None:
            begin_ps = np.maximum(ends.inputs_ps, ends.weights_ps)
        else:
            begin_ps = gap_ps(self.before, ends, reach(nest, operands, self.links, tiling), self.capacity)
        end_ps = ends.drain_ps
        if self.after is not None:
            computing_ps, alone_ps = self.after.computing_ps, self.after.alone_ps
            gap = gap_ps(ends, self.after, self.share, self.capacity)
            end_ps = np.maximum(gap + computing_ps, alone_ps) - np.maximum(computing_ps, alone_ps)
        return begin_ps + ends.computing_ps + end_ps
