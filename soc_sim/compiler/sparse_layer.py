"""What the zeros of a layer's weights mean for its tiles: sizes of compressed tiles, and sums of cycles and words.

The cost model asks for thousands of tilings at once. Sums over all tiles of a tiling are linear in what a tile of
output columns is made of, so one pass over the bitmap yields a few numbers per row block and channel, and every tiling
is a sum of those. Exact for ``tile_overlap: none``; with ``prefetch`` each fold is taken for the longer of its stream
and its preload or drain. The program's own counts are exact always (``emit``).

Candidates are tiles that hold whole row blocks and at least max(R, C) channels; sIS looks at no more than
``MOST_IS_BLOCKS`` blocks of output channels, because short streams do not pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.candidates import Blocks
from soc_sim.compiler.nest import Nest
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Array, SparseDataflowName
from soc_sim.config.sparsity import FormatName
from soc_sim.sparsity.bitmap import Bitmap, extents
from soc_sim.sparsity.formats import FORMATS
from soc_sim.sparsity.formats.base import index_bits
from soc_sim.sparsity.reorder import Order, group_rows, group_within

MOST_IS_BLOCKS = 4
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.int64)
"""Byte → how many of its bits are set."""


@dataclass(slots=True)
class Sums:
    """Sums over the weight tiles of each candidate, all groups together; arrays of B.

    Cycles of the layer are a sum over its tiles of output columns, n wide: ``per_col_block`` for each block of C
    columns, ``per_col`` for each column the array pays for, ``per_n`` for each column streamed, ``per_tile`` once.
    """

    per_col_block: Integers
    per_col: Integers
    per_n: Integers
    per_tile: Integers
    entering: Integers
    """Words of W that enter the grid in one pass, injected zeros included."""
    inputs: Integers
    """Words of X fetched for each column."""
    outputs: Integers
    """Words written for each column, partial sums included."""
    legal: NDArray[np.bool_]


class SparseLayer:
    """The weights of one layer, and what follows from their zeros."""

    def __init__(
        self,
        nonzero: Bitmap,
        nest: Nest,
        array: Array,
        wanted: FormatName | None = None,
        order: Order | None = None,
        chunk: int = 1,
        k_order: Order | None = None,
        *,
        expanded: bool = False,
    ) -> None:
        """Of weights that are not zero where ``nonzero`` (groups × m × k) says so.

        Args:
            nonzero: Rows in the order in which they are stored and executed.
            nest: The layer.
            array: The grid.
            wanted: The format to store them in; by default the smallest.
            order: Groups × m, position → output channel; None: as they are.
            chunk: Rows have moved only within blocks of so many, so tiles have to hold whole ones.
            k_order: Groups × k, position → column, for tiles of all of K; None: as they are.
            expanded: Compressed in memory alone: they reach the weights buffer, and the array, with all their zeros.
        """
        self.nonzero, self.nest, self.array = nonzero, nest, array
        self.wanted, self.order, self.chunk, self.k_order = wanted, order, chunk, k_order
        groups, m, k = nonzero.shape
        rows = array.rows
        self.heights = extents(m, rows)
        self.paid = self.heights if array.edge_tiles == "actual" else np.full_like(self.heights, rows)
        blocks = len(self.heights)
        padded = np.ascontiguousarray(nonzero).view(np.uint8)
        if blocks * rows > m:
            padded = np.concatenate((padded, np.zeros((groups, blocks * rows - m, k), np.uint8)), axis=1)
        self._blocks = padded.reshape(groups, blocks, rows, k)
        counts = np.add.reduce(self._blocks, axis=2, dtype=np.uint8 if rows < 256 else np.uint16)
        by_channel = groups, blocks, nest.channels, nest.kernel
        self._kept = _running((counts > 0).reshape(by_channel).sum(axis=3))
        self._values = _running(counts.reshape(by_channel).sum(axis=3, dtype=np.int64))
        self.values = int(self._values[..., -1].sum())
        self._known_blocks: dict[int, list[tuple[NDArray[np.uint8], Integers]]] = {}
        # A layer is asked again for every place its operands may lie in.
        self._known_sums: dict[tuple[SparseDataflowName, int, int], tuple[int, ...] | None] = {}
        self.format: FormatName = wanted or self._smallest()
        self.expanded = expanded

    @property
    def compressed_in_buffer(self) -> bool:
        """Whether the weights buffer holds them without their zeros."""
        return self.format != "dense" and not self.expanded

    def reordered(self) -> list[SparseLayer]:
        """The same weights with rows of similar zeros side by side: over all of M, and within blocks of four heights.

        And with columns of similar zeros side by side, for sIS. Nothing, where a single block has room for all of them.
        """
        (groups, m, _), rows = self.nonzero.shape, self.array.rows
        found = []
        for chunk in (size for size in (m, 4 * rows) if rows < size <= m):
            order = np.stack([group_within(matrix, rows, chunk) for matrix in self.nonzero])
            moved = self.nonzero[np.arange(groups)[:, None], order]
            found.append(SparseLayer(moved, self.nest, self.array, self.wanted, order, chunk))
        if self.nest.gemm.k > rows:
            order = np.stack([group_rows(matrix.T, rows) for matrix in self.nonzero])
            moved = np.take_along_axis(self.nonzero, order[:, None], axis=2)
            found.append(SparseLayer(moved, self.nest, self.array, self.wanted, k_order=order))
        return found

    @cached_property
    def by_channel(self) -> Bitmap:
        """Groups × m × k, with columns in the order of channels and kernel."""
        if self.k_order is None:
            return self.nonzero
        return np.take_along_axis(self.nonzero, np.argsort(self.k_order, axis=1)[:, None], axis=2)

    @property
    def sparsity(self) -> float:
        """Share of zeros."""
        return 1 - self.values / self.nonzero.size

    def tile_bytes(
        self, candidates: Blocks, constant_bytes: int
    ) -> tuple[Integers, Integers, Integers, NDArray[np.bool_]]:
        """For each candidate: bytes of its largest weight tile, of the largest with all of K, of all tiles.

        And whether it is one for sparse weights.

        Args:
            candidates: The tilings.
            constant_bytes: What travels with the first tile of each output channel (bias).
        """
        count = len(candidates.m)
        largest, block, total = (np.zeros(count, np.int64) for _ in range(3))
        legal = np.zeros(count, bool)
        for indices, m, channels in self._distinct(candidates):
            bits = self._tile_bits(self.format, m, channels)
            for index in indices:
                size = int(candidates.groups[index])
                tiles = -(-np.add.reduceat(bits, np.arange(0, len(bits), size), axis=0) // 8)
                if constant_bytes:
                    together = np.outer(extents(len(bits), size), extents(self.nest.m, m))
                    tiles[..., 0] += constant_bytes * together
                largest[index], block[index] = tiles.max(), tiles.sum(axis=-1).max()
                total[index], legal[index] = tiles.sum(), True
        return largest, block, total, legal

    def sums(self, flow: SparseDataflowName, candidates: Blocks) -> Sums:
        """The sums of all candidates under a dataflow."""
        count = len(candidates.m)
        columns: dict[str, Integers] = {field: np.zeros(count, np.int64) for field in _FIELDS}
        legal = np.zeros(count, bool)
        known = self._known_sums
        of = {"sOS": self._os, "csOS": self._cs_os, "sWS": self._ws, "sIS": self._is}[flow]
        for indices, m, channels in self._distinct(candidates):
            # What a sum does not depend on is left out of its key.
            key = (flow, m if flow in ("csOS", "sIS") else 0, channels if flow in ("sWS", "sIS") else 0)
            if key not in known:
                known[key] = of(m, channels)
            if (values := known[key]) is None:
                continue
            for field, value in zip(_FIELDS, values, strict=True):
                columns[field][indices] = value
            legal[indices] = True
        return Sums(**columns, legal=legal)

    def _distinct(self, candidates: Blocks) -> list[tuple[list[int], int, int]]:
        """Indices of candidates with the same sizes of tiles."""
        least = min(max(self.array.rows, self.array.cols), self.nest.channels)
        found: dict[tuple[int, int], list[int]] = {}
        for index, (m, channels) in enumerate(zip(candidates.m.tolist(), candidates.channels.tolist(), strict=True)):
            whole = m % self.chunk == 0 or m == self.nest.m
            whole = whole and (self.k_order is None or channels == self.nest.channels)
            if whole and m >= min(self.array.rows, self.nest.m) and channels >= least:
                found.setdefault((m, channels), []).append(index)
        return [(indices, *sizes) for sizes, indices in found.items()]

    def _smallest(self) -> FormatName:
        """The format in which the whole layer is smallest; the first of equals."""
        names: tuple[FormatName, ...] = ("dense", "two_stage_bitmap", "csb", "csr")
        m, channels = self.nest.m, self.nest.channels
        bits = {name: int(self._tile_bits(name, m, channels).sum()) for name in names}
        if len(self.nonzero) == 1:  # else what a kept row takes at most
            exact = FORMATS["csb"].size(self.nonzero[0], self.array.rows, self.array.cols)
            bits["csb"] = exact.bits(self.array.operand_bits)
        return min(names, key=bits.__getitem__)

    def _tile_bits(self, name: FormatName, m: int, channels: int) -> Integers:
        """Bits of each weight tile, groups × blocks of m × blocks of channels; of csb an upper bound.

        The bound takes every row of a tile for kept, as it is where whole tile columns are pruned.
        """
        array, value = self.array, self.array.operand_bits
        rows, width = self.heights[:, None], extents(self.nest.channels, channels) * self.nest.kernel
        starts = np.arange(0, len(self.heights), -(-m // array.rows))
        heights = extents(self.nest.m, m)[:, None]
        bits: Integers
        match name:
            case "dense":
                return np.broadcast_to(heights * width * value, (len(self.nonzero), len(heights), len(width)))
            case "two_stage_bitmap":
                bits = width + rows * _parts(self._kept, channels) + value * _parts(self._values, channels)
                return np.add.reduceat(bits, starts, axis=1, dtype=np.int64)
            case "csb":
                counters = index_bits(array.rows + 1) + index_bits(array.cols + 1)
                blocks = -(-width // array.cols)
                bits = blocks * (rows * index_bits(array.rows) + counters)
                bits = bits + _parts(self._kept, channels) * (index_bits(array.cols) + value * rows)
                return np.add.reduceat(bits, starts, axis=1)
            case "csr":
                values = np.add.reduceat(_parts(self._values, channels), starts, axis=1)
                columns = np.array([index_bits(size) for size in width.tolist()])
                # ⌈log2 (values + 1)⌉, exact: frexp gives the number of bits.
                pointers = np.frexp(values.astype(np.float64))[1]
                bits = values * (value + columns) + (heights + 1) * pointers
                return bits

    def _os(self, m: int, channels: int) -> tuple[int, ...] | None:  # noqa: ARG002 # the same for all tilings
        kept = self._kept[..., -1]
        return self._output_stationary(kept, np.broadcast_to(self.heights, kept.shape), self.paid)

    def _output_stationary(self, kept: Integers, rows: Integers, paid: Integers) -> tuple[int, ...]:
        """Sums over row blocks that keep so many columns."""
        run = kept > 0
        paid = np.broadcast_to(paid, kept.shape)[run]
        kept, rows = kept[run], rows[run]
        words = int((kept * rows).sum()), int(kept.sum()), int(rows.sum())
        if self.array.tile_overlap == "prefetch":
            return int(np.maximum(kept, paid).sum()), 0, 0, self._tail if len(kept) else 0, *words
        skew = 2 if self.array.os_drain == "exposed" else 1
        return int((kept - 2 + skew * paid).sum()), len(kept), 0, 0, *words

    @property
    def _tail(self) -> int:
        """Skew and drain of a tile's last fold where folds overlap."""
        return 2 * self.array.rows + self.array.cols - 2

    def _cs_os(self, m: int, channels: int) -> tuple[int, ...] | None:
        any_row = self._packed_rows.any(axis=2)
        if any_row.all():
            return self._os(m, channels)
        groups, total = any_row.shape
        flat = np.flatnonzero(any_row)
        if not len(flat):
            return self._os(m, channels)
        tile = flat // total * -(-total // m) + flat % total // m
        starts = _every(tile, self.array.rows)
        rows = np.diff(np.append(starts, len(flat)))
        merged = np.bitwise_or.reduceat(self._packed_rows.reshape(groups * total, -1), flat[starts], axis=0)
        paid = rows if self.array.edge_tiles == "actual" else np.full_like(rows, self.array.rows)
        return self._output_stationary(_ONES[merged].sum(axis=1), rows, paid)

    def _ws(self, m: int, channels: int) -> tuple[int, ...] | None:  # noqa: ARG002 # row blocks are the same
        kept, rows, paid = _parts(self._kept, channels), self.heights[:, None], self.paid[:, None]
        cols = self.array.cols
        folds = -(-kept // cols)
        held = kept if self.array.edge_tiles == "actual" else folds * cols
        count = int(folds.sum())
        words = int((kept * rows).sum()), int(kept.sum()), int((folds * rows).sum())
        if self.array.tile_overlap == "prefetch":
            return 0, 0, count, self._tail, *words
        return 0, 0, count, int((folds * (paid - 2)).sum() + 2 * held.sum()), *words

    def _is(self, m: int, channels: int) -> tuple[int, ...] | None:
        if -(-self.nest.m // m) > MOST_IS_BLOCKS:
            return None
        rows, k, k_tile = self.array.rows, self.nest.gemm.k, channels * self.nest.kernel
        k_tiles = -(-k // k_tile)
        totals = np.zeros(7, np.int64)
        for columns, flat in self._column_blocks(m):
            if not len(flat):
                continue
            tile = flat // k * k_tiles + flat % k // k_tile
            starts = _every(tile, rows)
            held = np.diff(np.append(starts, len(flat)))
            streamed = _ONES[np.bitwise_or.reduceat(columns, flat[starts], axis=0)].sum(axis=1)
            paid = held if self.array.edge_tiles == "actual" else np.full_like(held, rows)
            words = int((streamed * held).sum()), len(flat), int(streamed.sum())
            if self.array.tile_overlap == "prefetch":
                totals += (int(np.maximum(streamed, paid).sum()), 0, 0, self._tail, *words)
            else:
                totals += (int((streamed - 2 + 2 * paid).sum()), len(starts), 0, 0, *words)
        return tuple(totals.tolist())

    def _column_blocks(self, m: int) -> list[tuple[NDArray[np.uint8], Integers]]:
        """For each block of m: bytes of its rows for every (group, k), and the (group, k) that are not zero."""
        if m not in self._known_blocks:
            size = -(-m // self.array.rows)
            parts = [self._packed_columns[:, start : start + size] for start in range(0, len(self.heights), size)]
            columns = [part.reshape(len(part), -1) for part in parts]
            self._known_blocks[m] = [(part, np.flatnonzero(np.bitwise_or.reduce(part, axis=1))) for part in columns]
        return self._known_blocks[m]

    @cached_property
    def _packed_rows(self) -> NDArray[np.uint8]:
        """Groups × m × bytes of k."""
        return np.packbits(self.nonzero, axis=2)

    @cached_property
    def _packed_columns(self) -> NDArray[np.uint8]:
        """Groups · k × row blocks × bytes of their rows."""
        packed = np.packbits(self._blocks, axis=2).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(packed).reshape(-1, *packed.shape[2:])


_FIELDS = ("per_col_block", "per_col", "per_n", "per_tile", "entering", "inputs", "outputs")


def _running(values: Integers) -> Integers:
    """Sums over the last axis from its beginning, zero first."""
    return np.concatenate((np.zeros((*values.shape[:-1], 1), np.int64), np.cumsum(values, axis=-1)), axis=-1)


def _parts(running: Integers, size: int) -> Integers:
    """Sums over blocks of ``size`` along the last axis, from running sums."""
    total = running.shape[-1] - 1
    ends = np.minimum(np.arange(0, total + size, size), total)
    return np.diff(running[..., ends], axis=-1)


def _every(tile: Integers, extent: int) -> Integers:
    """Positions where a block of ``extent`` begins, blocks ending where the (sorted) number of the tile changes."""
    position = np.arange(len(tile))
    first = np.concatenate(([True], tile[1:] != tile[:-1]))
    begin = np.maximum.accumulate(np.where(first, position, 0))
    return np.flatnonzero((position - begin) % extent == 0)
