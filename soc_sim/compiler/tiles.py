"""The tiles of a layer: their extents, their order on each core, and where packed weights lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from soc_sim.compiler.memory_plan import align
from soc_sim.compiler.nest import Nest
from soc_sim.compiler.program import Tiling


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

    def of_core(self, core: int, cores: int) -> Iterator[Step]:
        """What one core computes, in order: a contiguous share of groups × outer blocks, with all inner blocks."""
        m_outside = self.tiling.outer == "m"
        outer, inner = (len(self.m), len(self.pixels)) if m_outside else (len(self.pixels), len(self.m))
        units = len(self.groups) * outer
        for unit in range(core * units // cores, (core + 1) * units // cores):
            group, block = divmod(unit, outer)
            for other in range(inner):
                m, n = (block, other) if m_outside else (other, block)
                for k in range(len(self.channels)):
                    yield Step(group, m, n, k)

    def weight_bytes(self, step: Step, operand_bytes: int, accumulator_bytes: int) -> int:
        """Bytes of a packed weight tile; its channels' constants come with the first block of K."""
        constants = self.nest.channel_words * accumulator_bytes if step.k == 0 else 0
        k = self.channels[step.k].size * self.nest.kernel
        return self.groups[step.group].size * self.m[step.m].size * (k * operand_bytes + constants)

    def pack(self, operand_bytes: int, accumulator_bytes: int) -> tuple[dict[tuple[int, int, int], int], int]:
        """Offsets of all packed weight tiles by (group, m, k), and the end of the last one."""
        offsets, end = {}, 0
        for group in range(len(self.groups)):
            for m in range(len(self.m)):
                for k in range(len(self.channels)):
                    offsets[group, m, k] = start = align(end)
                    end = start + self.weight_bytes(Step(group, m, 0, k), operand_bytes, accumulator_bytes)
        return offsets, end
