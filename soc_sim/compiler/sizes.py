"""The candidates of a layer, and how many bytes each needs: of its tiles, and of a pass over each operand."""

from __future__ import annotations

from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import Blocks, Spatial, blocks, edges, spatial
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.views import Integers
from soc_sim.config.array import DATAFLOWS, Flow, dense_family
from soc_sim.config.core import BufferName, PadName
from soc_sim.config.soc import Soc

Floats = NDArray[np.float64]


class Sizes:
    """Candidates of one layer on one SoC, S spatial × B blocks; arrays have this shape or broadcast to it.

    With ``weights`` these are stored without their zeros.
    """

    def __init__(
        self,
        nest: Nest,
        operands: Operands,
        soc: Soc,
        homes: Homes,
        weights: SparseLayer | None = None,
        *,
        side_by_side: bool = True,
    ) -> None:
        self.nest, self.operands, self.soc, self.homes = nest, operands, soc, homes
        self.spatial: Spatial = spatial(nest, soc.array)
        self.blocks: Blocks = blocks(nest, soc.array, side_by_side=side_by_side)
        s, b, e = self.spatial, self.blocks, soc.array.operand_bytes
        self.k = b.channels * nest.kernel
        self.n_tiles = s.tiles[:, None]
        self.g_tiles = -(-nest.groups // b.groups)[None]
        self.m_tiles = -(-nest.m // b.m)[None]
        self.k_tiles = -(-nest.channels // b.channels)[None]
        self.constants = nest.channel_words * soc.array.accumulator_bytes
        # Bytes of the largest tile of each operand.
        self.weight_tile = (b.groups * b.m * (self.k * e + self.constants))[None]
        self.weight_block = (b.groups * b.m * (nest.gemm.k * e + self.constants))[None]
        pixels = s.images * s.tile_in_rows * s.tile_in_cols
        self.input_tile = pixels[:, None] * (b.groups * b.channels * e)[None]
        self.output_elements = s.n[:, None] * (b.groups * b.m)[None]
        self.addend_tile = self.output_elements * (len(operands.residuals) * e)
        # Of these, what has to be loaded tile by tile; the rest lies in the inputs buffer already.
        self.loaded_input_tile = self.input_tile * (homes.inputs != "inputs_buffer")
        self.loaded_addend_tile = self.output_elements * (homes.loaded_addends * e)
        # Bytes of one pass over each operand.
        gemm = nest.gemm
        self.weight_total: Integers = np.full((1, 1), nest.weight_bytes(soc.array))
        self.input_total = s.pixels_read[:, None] * (nest.groups * nest.channels * e)
        self.output_total = gemm.groups * gemm.m * gemm.n * e

        self.weights, self.compressible = weights, np.ones(len(b.m), bool)
        if weights is not None:
            largest, block, total, self.compressible = weights.tile_bytes(b, self.constants)
            self.weight_total = total[None]
            if not weights.expanded:
                self.weight_tile, self.weight_block = largest[None], block[None]

    def weight_total_in_units(self, unit_bytes: int) -> Integers:
        """Bytes of one pass over weights that are stored whole, each tile rounded up to units."""
        nest, b, array = self.nest, self.blocks, self.soc.array
        found: Integers = np.zeros((1, len(b.m)), np.int64)
        for groups, group_count in _parts(nest.groups, b.groups):
            for m, m_count in _parts(nest.m, b.m):
                for channels, k_count in _parts(nest.channels, b.channels):
                    rows, first = groups * m, channels == b.channels
                    size = rows * channels * nest.kernel * array.operand_bytes
                    # Constants come with the first block of channels, which is a full one.
                    whole = -(-(size + rows * self.constants) // unit_bytes)
                    units = -(-size // unit_bytes) * (k_count - first) + whole * first
                    found = found + (group_count * m_count * units)[None] * unit_bytes
        return found

    @property
    def weight_written(self) -> Integers:
        """Bytes of one pass that reach the weights buffer."""
        return np.full((1, 1), self.nest.weight_bytes(self.soc.array)) if self.expands else self.weight_total

    @property
    def expands(self) -> bool:
        """Whether weights are expanded on their way into the buffer."""
        return self.weights is not None and self.weights.expanded and self.weights.format != "dense"

    @property
    def inputs_fit(self) -> NDArray[np.bool_]:
        """Candidates whose tiles of inputs have room all together, beside addends of two tiles."""
        loaded = self.homes.inputs != "inputs_buffer"
        fit: NDArray[np.bool_] = loaded & (self.input_total + 2 * self.loaded_addend_tile <= self.room_bytes("inputs"))
        return fit

    def tile_bytes(self, dataflow: Flow, *, held: bool = False) -> dict[BufferName, Integers]:
        """Bytes of the largest tile of each operand, without what lies in its buffer already.

        With ``held``, a tile of weights has all of K, and inputs that fit all together lie there.
        """
        array = self.soc.array
        word = array.operand_bytes if dense_family(dataflow) == "dOS" else array.accumulator_bytes
        inputs = self.loaded_input_tile * ~self.inputs_fit if held else self.loaded_input_tile
        return {
            "weights": (self.weight_block if held else self.weight_tile) * (not self.homes.resident),
            "inputs": inputs + self.loaded_addend_tile,
            "outputs": self.output_elements * word,
        }

    def legal(self, dataflow: Flow, *, held: bool = False) -> NDArray[np.bool_]:
        """Candidates that fit the buffers and that the dataflow can run.

        To hold blocks of weights in parts pays where several tiles of pixels share one that has no room twice.
        """
        legal = self.runs(dataflow)
        if held:
            several = (self.k_tiles > 1) & (self.n_tiles > 1)
            block = self.tile_bytes(dataflow, held=True)["weights"]
            legal = legal & several & (2 * block > self.room_bytes("weights"))
        for name, size in self.pad_bytes(dataflow, held=held).items():
            legal = legal & (size <= self.room_bytes(name))
        return legal

    def pad_bytes(self, dataflow: Flow, *, held: bool = False) -> dict[PadName, Integers]:
        """Bytes of the largest tiles in each buffer together."""
        tiles, pads = self.tile_bytes(dataflow, held=held), self.soc.buffers.pads
        return {name: reduce(np.add, [tiles[operand] for operand in operands]) for name, operands in pads.items()}

    def runs(self, dataflow: Flow) -> NDArray[np.bool_]:
        """Candidates that the dataflow can run, whatever the buffers hold."""
        runs = np.broadcast_to(self.compressible, (len(self.spatial.n), len(self.k)))
        if dense_family(dataflow) == "dOS":
            # A fold that is fed in parts holds its sums in the PEs, so it must be the only one of its tile.
            array, b = self.soc.array, self.blocks
            single = (b.m <= array.rows)[None] & (b.groups == 1)[None] & (self.spatial.n <= array.cols)[:, None]
            runs = runs & ((self.k_tiles == 1) | single)
        return runs if dataflow in DATAFLOWS else runs & ~self.blocks.side_by_side

    def room_bytes(self, name: PadName) -> int:
        """Space for tiles in a buffer."""
        operands = self.soc.buffers.pads[name]
        return self.soc.buffers.of(operands[0]).capacity_bytes - sum(map(self.homes.taken_bytes, operands))

    @cached_property
    def n_extents(self) -> tuple[Integers, Floats]:
        """Columns of the GEMM that tiles have, and for each spatial candidate how many have them."""
        s = self.spatial
        sizes = zip(s.images.tolist(), s.rows.tolist(), s.cols.tolist(), strict=True)
        return extents([_columns(self.nest, size) for size in sizes])


def _parts(total: int, size: Integers) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
    """For each candidate the blocks of ``size`` that ``total`` is cut into: full ones and the rest, and how many."""
    rest = total % size
    return (size, total // size), (rest, (rest > 0).astype(np.int64))


def _columns(nest: Nest, sizes: tuple[int, int, int]) -> dict[int, int]:
    """Columns of the GEMM in the tiles of a spatial candidate → how many tiles have them."""
    images, rows, cols = sizes
    found: dict[int, int] = {}
    for image, image_count in edges(nest.images, images):
        for row, row_count in edges(nest.rows.size, rows):
            for col, col_count in edges(nest.cols.size, cols):
                n = image * row * col
                found[n] = found.get(n, 0) + image_count * row_count * col_count
    return found


def extents(rows: list[dict[int, int]]) -> tuple[Integers, Floats]:
    """All extents that occur, and a matrix: candidates × extents → how many."""
    values = sorted({extent for row in rows for extent in row})
    position = {extent: index for index, extent in enumerate(values)}
    matrix = np.zeros((len(rows), len(values)))
    for index, row in enumerate(rows):
        for extent, count in row.items():
            matrix[index, position[extent]] = count
    return np.array(values, np.int64), matrix
