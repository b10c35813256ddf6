"""How a dimension of a GEMM is cut into folds: blocks of at most the grid's extent, the last one shorter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from soc_sim.config.array import Array
from soc_sim.dataflow.base import Size
from soc_sim.sparsity.bitmap import extents


def blocks(size: Size, extent: int) -> Size:
    """Number of blocks of at most ``extent`` that cover ``size``."""
    return -(-size // extent)


def occupied(array: Array, size: Size, extent: int) -> Size:
    """PEs along one edge of the grid that folds pay for, summed over the blocks of ``size``.

    The blocks' own extents sum to ``size``; with ``edge_tiles: full`` each block pays for the whole ``extent``.
    """
    return size if array.edge_tiles == "actual" else blocks(size, extent) * extent


def paid(array: Array, size: int, extent: int) -> npt.NDArray[np.int64]:
    """The extent each block of ``size`` pays for."""
    own = extents(size, extent)
    return own if array.edge_tiles == "actual" else np.full_like(own, extent)
