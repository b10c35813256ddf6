"""The tiles of a layer: their extents, their order on each core, and where packed weights lie."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from soc_sim.compiler.memory_plan import align
from soc_sim.compiler.nest import Nest
from soc_sim.compiler.program import Tiling
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.config.array import Array
from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.formats import FORMATS, FormatSize


class Extent(NamedTuple):
    """Indices from ``start`` up to ``stop`` (exclusive)."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of indices."""
        return self.stop - self.start


class Pixels(NamedTuple):
    """One tile of images × output rows × output columns."""

    images: Extent
    rows: Extent
    cols: Extent

    @property
    def size(self) -> int:
        """Columns of the GEMM."""
        return self.images.size * self.rows.size * self.cols.size


class Step(NamedTuple):
    """Numbers of the blocks that one Compute works on."""

    group: int
    m: int
    n: int
    k: int


def _cut(total: int, size: int) -> list[Extent]:
    return [Extent(start, min(total, start + size)) for start in range(0, total, size)]


def tile_count(nest: Nest, tiling: Tiling) -> int:
    """Number of tiles of a layer."""
    sizes = (
        (nest.groups, tiling.groups),
        (nest.m, tiling.m),
        (nest.channels * nest.kernel, tiling.k),
        (nest.images, tiling.images),
        (nest.rows.size, tiling.rows),
        (nest.cols.size, tiling.cols),
    )
    return math.prod(-(-total // size) for total, size in sizes)


@dataclass(frozen=True)
class Tiles:
    """A nest cut up by a tiling."""

    nest: Nest
    tiling: Tiling
    weights: SparseLayer | None = None
    """Weights stored without their zeros; None for all of them."""

    @cached_property
    def groups(self) -> list[Extent]:
        """Blocks of groups."""
        return _cut(self.nest.groups, self.tiling.groups)

    @cached_property
    def m(self) -> list[Extent]:
        """Blocks of output channels."""
        return _cut(self.nest.m, self.tiling.m)

    @cached_property
    def channels(self) -> list[Extent]:
        """Blocks of input channels (K tiles, without the kernel)."""
        return _cut(self.nest.channels, self.tiling.k // self.nest.kernel)

    @cached_property
    def pixels(self) -> list[Pixels]:
        """Blocks of output pixels, in memory order."""
        nest, tiling = self.nest, self.tiling
        return [
            Pixels(images, rows, cols)
            for images in _cut(nest.images, tiling.images)
            for rows in _cut(nest.rows.size, tiling.rows)
            for cols in _cut(nest.cols.size, tiling.cols)
        ]

    def of_core(self, core: int) -> Iterator[Step]:
        """What one core computes, in order; nothing, where the layer runs on others.

        Its share is contiguous: of groups × output channels with all pixels, or of pixels with all groups and channels.
        """
        tiling = self.tiling
        rank, m_outside = core - tiling.first_core, tiling.outer == "m"
        if not 0 <= rank < tiling.cores:
            return
        by_channels = tiling.split == "channels"
        units = len(self.groups) * len(self.m) if by_channels else len(self.pixels)
        own = range(rank * units // tiling.cores, (rank + 1) * units // tiling.cores)
        for group in range(len(self.groups)):
            first = group * len(self.m)
            ms = range(len(self.m))
            if by_channels:
                ms = range(max(own.start - first, 0), min(own.stop - first, len(self.m)))
            ns = range(len(self.pixels)) if by_channels else own
            for outer, inner in itertools.product(*((ms, ns) if m_outside else (ns, ms))):
                m, n = (outer, inner) if m_outside else (inner, outer)
                for k in range(len(self.channels)):
                    yield Step(group, m, n, k)

    def weight_bytes(self, step: Step, operand_bytes: int, accumulator_bytes: int) -> int:
        """Bytes of a packed weight tile; its channels' constants come with the first block of K."""
        rows = self.groups[step.group].size * self.m[step.m].size
        constants = rows * self.nest.channel_words * accumulator_bytes if step.k == 0 else 0
        if self.weights is None:
            return rows * self.channels[step.k].size * self.nest.kernel * operand_bytes + constants
        size = self.stored[step.group, step.m, step.k]
        return size.values * operand_bytes + self.metadata_bytes(step) + constants

    @property
    def expands(self) -> bool:
        """Whether weights are expanded on their way into the buffer."""
        return self.weights is not None and self.weights.expanded and self.weights.format != "dense"

    def buffer_bytes(self, step: Step, operand_bytes: int, accumulator_bytes: int) -> int:
        """What a weight tile takes of the weights buffer."""
        whole = replace(self, weights=None) if self.expands else self
        return whole.weight_bytes(step, operand_bytes, accumulator_bytes)

    def resident_bytes(self, array: Array) -> int:
        """What all weight tiles take of the weights buffer."""
        return self.nest.weight_bytes(array) if self.expands else self.stored_bytes(array)

    def stored_bytes(self, array: Array) -> int:
        """Bytes of all weight tiles, without the gaps between them."""
        if self.weights is None:
            return self.nest.weight_bytes(array)
        return sum(
            self.weight_bytes(Step(group, m, 0, k), array.operand_bytes, array.accumulator_bytes)
            for group, m, k in self.stored
        )

    def metadata_bytes(self, step: Step) -> int:
        """Of these: what says where the zeros are, in whole bytes."""
        return -(-self.stored[step.group, step.m, step.k].metadata_bits // 8) if self.weights else 0

    def nonzero(self, weights: SparseLayer, step: Step) -> Bitmap:
        """The part of the bitmap that is one weight tile, groups × m × k."""
        k, kernel = self.channels[step.k], self.nest.kernel
        part = weights.nonzero[slice(*self.groups[step.group]), slice(*self.m[step.m])]
        return part[..., k.start * kernel : k.stop * kernel]

    @cached_property
    def stored(self) -> dict[tuple[int, int, int], FormatSize]:
        """(group, m, k) → exact size of the weight tile in its format; each group is encoded on its own."""
        weights, found = self.weights, {}
        if weights is None:
            return {}
        array, known = weights.array, dict[tuple[tuple[int, ...], bytes], FormatSize]()
        for group, m, k in itertools.product(range(len(self.groups)), range(len(self.m)), range(len(self.channels))):
            bits = values = 0
            for matrix in self.nonzero(weights, Step(group, m, 0, k)):
                # Many groups have small matrices, and then often equal ones.
                key = matrix.shape, matrix.tobytes()
                if key not in known:
                    known[key] = FORMATS[weights.format].size(matrix, array.rows, array.cols)
                bits, values = bits + known[key].metadata_bits, values + known[key].values
            found[group, m, k] = FormatSize(bits, values)
        return found

    def pack(
        self, operand_bytes: int, accumulator_bytes: int, unit_bytes: int
    ) -> tuple[dict[tuple[int, int, int], int], int]:
        """Offsets of all packed weight tiles by (group, m, k), multiples of ``unit_bytes``, and the end of the last."""
        offsets, end = {}, 0
        for group in range(len(self.groups)):
            for m in range(len(self.m)):
                for k in range(len(self.channels)):
                    offsets[group, m, k] = start = align(end, unit_bytes)
                    end = start + self.weight_bytes(Step(group, m, 0, k), operand_bytes, accumulator_bytes)
        return offsets, end

    def packed_bytes(self, array: Array, unit_bytes: int) -> int:
        """Bytes of all packed weight tiles, up to where others may begin."""
        return align(self.pack(array.operand_bytes, array.accumulator_bytes, unit_bytes)[1])
