"""Closed forms of whole GEMMs against a loop over their folds.

The expected cycles of one isolated fold are the reconstruction stated in the docstrings of the three families.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.config.array import DATAFLOWS as CONFIGURABLE
from soc_sim.config.array import Array
from soc_sim.dataflow import DATAFLOWS, GemmCounts, counts

SIZES = st.integers(1, 60)
GRIDS = st.builds(
    lambda rows, cols, edge_tiles, os_drain: Array.model_validate(
        {"rows": rows, "cols": cols, "clock": "1 GHz", "edge_tiles": edge_tiles, "os_drain": os_drain}
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["actual", "full"]),
    st.sampled_from(["exposed", "hidden"]),
)
NAMES = pytest.mark.parametrize("name", list(DATAFLOWS))


def extents(size: int, limit: int) -> list[int]:
    """The blocks a dimension is cut into: full ones, then the rest."""
    return [min(limit, size - start) for start in range(0, size, limit)]


def fold_by_fold(name: str, array: Array, m: int, k: int, n: int) -> GemmCounts:
    """The table of isolated folds, summed one fold at a time."""
    held, stream = {"dOS": ((m, n), k), "dWS": ((m, k), n), "dIS": ((k, n), m)}[name]
    cycles = folds = macs = weights = inputs = outputs = reads = 0
    for row_block, r in enumerate(extents(held[0], array.rows)):
        for col_block, c in enumerate(extents(held[1], array.cols)):
            paid_r, paid_c = (r, c) if array.edge_tiles == "actual" else (array.rows, array.cols)
            if name == "dOS":
                cycles += stream + paid_r + paid_c - 2 + (paid_r if array.os_drain == "exposed" else 0)
                weights, inputs, outputs = weights + r * stream, inputs + stream * c, outputs + r * c
            elif name == "dWS":
                cycles += 2 * paid_c + paid_r + stream - 2
                weights, inputs, outputs = weights + r * c, inputs + c * stream, outputs + r * stream
                reads += r * stream if col_block else 0
            else:
                cycles += 2 * paid_r + paid_c + stream - 2
                weights, inputs, outputs = weights + stream * r, inputs + r * c, outputs + stream * c
                reads += stream * c if row_block else 0
            macs += r * c * stream
            folds += 1
    return GemmCounts(cycles, folds, macs, weights, inputs, outputs, reads, zeros_injected=0)


@NAMES
@given(array=GRIDS, m=SIZES, k=SIZES, n=SIZES)
def test_a_gemm_costs_the_sum_of_its_folds(name: Any, array: Array, m: int, k: int, n: int) -> None:
    assert counts(name, array, m, k, n) == fold_by_fold(name, array, m, k, n)


@NAMES
def test_a_dense_gemm_performs_every_mac_once(name: Any) -> None:
    array = Array.model_validate({"rows": 4, "cols": 3, "clock": "1 GHz"})
    assert counts(name, array, 11, 7, 5).macs == 11 * 7 * 5


@NAMES
@given(array=GRIDS, sizes=st.lists(st.tuples(SIZES, SIZES, SIZES), min_size=1, max_size=5))
def test_arrays_of_sizes_give_the_counts_of_each_size(
    name: Any, array: Array, sizes: list[tuple[int, int, int]]
) -> None:
    together = counts(name, array, *np.array(sizes, dtype=np.int64).T)
    apart = [astuple(counts(name, array, *size)) for size in sizes]
    np.testing.assert_array_equal(np.stack(astuple(together), axis=1), apart)


@NAMES
def test_sizes_broadcast_against_one_another(name: Any) -> None:
    array = Array.model_validate({"rows": 4, "cols": 3, "clock": "1 GHz"})
    m, n = np.arange(1, 8)[:, None], np.arange(1, 6)
    table = counts(name, array, m, 9, n)
    for field in astuple(table):
        assert field.shape == (7, 5)
    assert table.cycles[6, 4] == counts(name, array, 7, 9, 5).cycles


@NAMES
def test_sizes_beyond_32_bits_stay_exact(name: Any) -> None:
    array = Array.model_validate({"rows": 16, "cols": 16, "clock": "1 GHz"})
    size = 50_000
    assert counts(name, array, np.int64(size), np.int64(size), np.array([size])).macs == [size**3]


def test_every_flow_a_description_may_name_has_counts() -> None:
    assert set(CONFIGURABLE) <= set(DATAFLOWS)
