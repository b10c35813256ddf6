"""How what a layer moves falls into a memory's accesses: short lines fill whole ones, and each is a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from soc_sim.compiler.memory_plan import alignment
from soc_sim.compiler.rates import MemoryRate, Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.views import Integers, View, box_shape
from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName


class Lines(NamedTuple):
    """Of the tiles of an operand."""

    moved: Floats | float
    """Bytes a memory moves for one that is wanted."""
    regions: Integers | int
    """Of a tile."""
    requests: Floats | float
    """For a byte."""


def lines_of(sizes: Sizes, rates: Rates) -> dict[BufferName, Lines]:
    """The lines of each operand's tiles, in the memory where it lies; arrays S × B."""
    homes, request_bytes = sizes.homes, sizes.soc.dma.burst_bytes
    s, b = sizes.spatial, sizes.blocks
    # A tile that is all padding reads nothing; its lines are then of no account.
    in_rows, in_cols = (np.maximum(size, 1)[:, None] for size in (s.tile_in_rows, s.tile_in_cols))
    images = s.images[:, None]
    groups, m, channels = b.groups[None], b.m[None], b.channels[None]

    def of(memory: MemoryName, view: View, *extents: Integers) -> Lines:
        line_bytes, _, regions = box_shape(view, extents)
        moved_bytes = _moved_bytes(line_bytes, _access_bytes(rates.memories, memory))
        return Lines(moved_bytes / line_bytes, regions, -(-line_bytes // request_bytes) / line_bytes)

    w, kernel = sizes.operands.w, (np.array(sizes.nest.rows.kernel), np.array(sizes.nest.cols.kernel))
    x, o = sizes.operands.x, sizes.operands.o
    # Addends come with the inputs.
    source = next((memory for memory in (homes.inputs, *homes.addends) if memory != "inputs_buffer"), homes.inputs)
    packed_access_bytes = _access_bytes(rates.memories, homes.weights)
    return {
        "weights": _packed(sizes, packed_access_bytes)
        if w is None
        else of(homes.weights, w, groups, m, channels, *kernel),
        "inputs": of(source, x, images, in_rows, in_cols, groups, channels),
        "outputs": of(homes.outputs, o, images, s.rows[:, None], s.cols[:, None], groups, m),
    }


def view_bytes(view: View, rate: MemoryRate) -> int:
    """Bytes that a memory moves for all of a view."""
    line_bytes, lines, _ = box_shape(view, _whole(view.shape))
    return int(lines * _moved_bytes(line_bytes, rate.burst_bytes))


def _whole(shape: Sequence[int]) -> list[Integers]:
    return [np.array(size) for size in shape]


def _moved_bytes(line_bytes: Integers, access_bytes: int) -> Integers:
    """A line that is not whole accesses begins anywhere within one."""
    moved: Integers = np.where(line_bytes % access_bytes == 0, line_bytes, access_bytes + line_bytes - 1)
    return moved


def _packed(sizes: Sizes, access_bytes: int) -> Lines:
    """Of tiles that lie packed one behind another: each begins where an access does, but for odd sizes."""
    tiles = sizes.g_tiles * sizes.m_tiles * sizes.k_tiles
    if alignment(access_bytes) % access_bytes:
        moved_bytes = sizes.weight_total + tiles * (access_bytes - 1.0)
    elif sizes.weights is not None:
        # What is stored without zeros ends anywhere within an access.
        moved_bytes = sizes.weight_total + tiles * ((access_bytes - 1) / 2)
    else:
        moved_bytes = sizes.weight_total_in_units(access_bytes)
    return Lines(moved_bytes / np.maximum(sizes.weight_total, 1), 1, 0.0)


def _access_bytes(memories: Mapping[MemoryName, MemoryRate], memory: MemoryName) -> int:
    return memories[memory].burst_bytes if memory in memories else 1
