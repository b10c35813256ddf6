"""How a dimension of a GEMM is cut into folds: blocks of at most the grid's extent, the last one shorter."""

from __future__ import annotations

from soc_sim.config.array import Array
from soc_sim.dataflow.base import Size


def blocks(size: Size, extent: int) -> Size:
    """Number of blocks of at most ``extent`` that cover ``size``."""
    return -(-size // extent)


def occupied(array: Array, size: Size, extent: int) -> Size:
    """PEs along one edge of the grid that folds pay for, summed over the blocks of ``size``.

    The blocks' own extents sum to ``size``; with ``edge_tiles: full`` each block pays for the whole ``extent``.
    """
    return size if array.edge_tiles == "actual" else blocks(size, extent) * extent
