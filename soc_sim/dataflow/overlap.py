"""``tile_overlap: prefetch``: the next fold's preload, or the last fold's drain, proceeds under the current stream.

Every PE has a shadow register and a second link, to the right for weight stationary, downwards for the others, one word
per cycle; the edge units serve one word per cycle for each of the two links. What remains of a fold is its *period*,
from the start of its stream to the start of the next one. The stream of L words needs L cycles of the load units, and:

- Stationary operands (WS; IS with rows and columns exchanged): a tile of c columns takes c cycles of the second links,
  and its preload ends when its stream starts. Row i preloads i cycles late, and takes over its shadow
  registers when the stream arrives. If the next tile is narrower by d, its results reach the store units d cycles
  earlier, and the stream waits for as long: period = max(L + max(0, c − c'), c').
  The first fold's preload (c cycles) and the last fold's skew (r + c − 2) stay visible.
- Outputs: column j drains through its one second link when its lowest PE is complete, r words in r cycles, and the
  shadow registers must be empty when the next sums are complete: period = max(L, L − L' + max(r, 2r − r')). The drain
  of the last fold stays visible.

Status: reconstructed here, like the dataflows themselves; ``reference.overlapped`` proves it word by word, and that no
stream could start a cycle earlier.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import Array
from soc_sim.dataflow.base import Size
from soc_sim.dataflow.folds import blocks

Sizes = npt.NDArray[np.int64]
"""One value per fold, in the order in which folds run."""


def stationary_starts(stream: Sizes, held: Sizes) -> Sizes:
    """When each fold's stream starts; ``held`` is the extent along which a fold preloads."""
    periods = np.maximum(stream[:-1] + np.maximum(held[:-1] - held[1:], 0), held[1:])
    return np.concatenate((held[:1], periods)).cumsum()


def stationary_cycles(stream: Sizes, held: Sizes, across: Sizes) -> int:
    """Cycles of a sequence of WS folds (held: columns, across: rows) or IS folds (the reverse)."""
    return int((stationary_starts(stream, held) + stream + held + across - 2).max(initial=0))


def output_starts(stream: Sizes, rows: Sizes) -> Sizes:
    """When each fold's stream starts, for output-stationary folds."""
    drained = stream[:-1] - stream[1:] + np.maximum(rows[:-1], 2 * rows[:-1] - rows[1:])
    return np.concatenate((np.zeros_like(rows[:1]), np.maximum(stream[:-1], drained))).cumsum()


def output_cycles(stream: Sizes, rows: Sizes, cols: Sizes) -> int:
    """Cycles of a sequence of output-stationary folds."""
    return int((output_starts(stream, rows) + stream + 2 * rows + cols - 2).max(initial=0))


def dense_stationary_cycles(
    array: Array, stream: Size, held: Size, held_extent: int, across: Size, across_extent: int
) -> Size:
    """As :func:`stationary_cycles` for all folds of a dense GEMM, those along ``held`` running one after another.

    All tiles are of the full extent but the last of each dimension, so that three periods occur. A fold before the last
    can end last only if it is the one before in ``across``, which may be larger.
    """
    held_blocks, across_blocks = blocks(held, held_extent), blocks(across, across_extent)
    held_last, across_last = _last(array, held, held_extent), _last(array, across, across_extent)
    held_first = held_last + (held_blocks > 1) * (held_extent - held_last)
    among_full = _larger(stream, held_extent)
    into_last = _larger(stream + held_extent - held_last, held_last)
    row = (held_blocks > 1) * ((held_blocks - 2) * among_full + into_last)
    to_next_row = _larger(stream, held_first)
    start = held_first + across_blocks * row + (across_blocks - 1) * to_next_row
    end = start + stream + held_last - 2
    return _larger(end + across_last, (across_blocks > 1) * (end - row - to_next_row + across_extent))


def dense_output_cycles(array: Array, stream: Size, m: Size, n: Size) -> Size:
    """As :func:`output_cycles` for all folds of a dense GEMM, those of one row block running one after another.

    The last fold of a row block ends last in it, or, if it is narrower, the one before.
    """
    row_blocks, col_blocks = blocks(m, array.rows), blocks(n, array.cols)
    rows_last, cols_last = _last(array, m, array.rows), _last(array, n, array.cols)
    among_full, among_last = _larger(stream, array.rows), _larger(stream, rows_last)
    into_last = _larger(stream, 2 * array.rows - rows_last)
    last_block = (row_blocks > 1) * (((row_blocks - 1) * col_blocks - 1) * among_full + into_last)

    def end(start: Size, rows: Size, period: Size) -> Size:
        narrow = start + stream + 2 * rows + cols_last - 2
        return _larger(narrow, (col_blocks > 1) * (narrow - period + array.cols - cols_last))

    return _larger(
        end(last_block + (col_blocks - 1) * among_last, rows_last, among_last),
        (row_blocks > 1) * end(last_block - into_last, array.rows, among_full),
    )


def _last(array: Array, size: Size, extent: int) -> Size:
    """What the last block of ``size`` pays for."""
    return extent if array.edge_tiles == "full" else size - (blocks(size, extent) - 1) * extent


def _larger(a: Size, b: Size) -> Size:
    return np.maximum(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else max(a, b)
