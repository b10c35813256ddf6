"""Counts of flows that skip zeros, against a loop over folds and against the dense flows.

The expected cycles of one isolated fold are the reconstruction stated in the docstrings of the three families.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.config.array import SPARSE_DATAFLOWS as NAMED
from soc_sim.config.array import Array
from soc_sim.dataflow import SPARSE_DATAFLOWS, counts, counts_of_bitmap

NAMES = pytest.mark.parametrize("name", list(SPARSE_DATAFLOWS))


def grid(rows: int, cols: int, **modes: str) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz", **modes})


GRIDS = st.builds(
    lambda rows, cols, edge_tiles, os_drain: grid(rows, cols, edge_tiles=edge_tiles, os_drain=os_drain),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["actual", "full"]),
    st.sampled_from(["exposed", "hidden"]),
)


@st.composite
def bitmaps(draw: Any) -> Any:
    """Bitmaps with single zeros, zero rows and zero columns, from none to all of it."""
    m, k = draw(st.integers(1, 25)), draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    nonzero = np.ones((m, k), dtype=bool)
    for shape in ((m, k), (m, 1), (1, k)):
        nonzero &= rng.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.6, 1.0]))
    return nonzero


# All ways of counting: a hidden drain belongs to isolated folds.
MODES = GRIDS | st.builds(
    lambda rows, cols, edge_tiles: grid(rows, cols, edge_tiles=edge_tiles, tile_overlap="prefetch"),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["actual", "full"]),
)


def extents(size: int, limit: int) -> list[int]:
    return [min(limit, size - start) for start in range(0, size, limit)]


def fold_by_fold(name: str, array: Array, nonzero: Any, n: int) -> tuple[int, int, int]:
    """Cycles, folds and MACs from the table of isolated folds, in plain Python."""
    matrix = nonzero.tolist()
    if name == "csOS":
        matrix = [row for row in matrix if any(row)]
    full, drains = array.edge_tiles == "full", array.os_drain == "exposed"
    folds: list[tuple[int, int]] = []

    def fold(r: int, c: int, times_r: int, times_c: int, stream: int) -> None:
        paid_r, paid_c = (array.rows, array.cols) if full else (r, c)
        folds.append((times_r * paid_r + times_c * paid_c + stream - 2, r * c * stream))

    if name == "sIS":
        kept = [k for k in range(nonzero.shape[1]) if any(row[k] for row in matrix)]
        for start in range(0, len(kept), array.rows):
            block = kept[start : start + array.rows]
            streamed = sum(any(row[k] for k in block) for row in matrix)
            for c in extents(n, array.cols):
                fold(len(block), c, 2, 1, streamed)
    else:
        for start in range(0, len(matrix), array.rows):
            rows = matrix[start : start + array.rows]
            kept_columns = sum(any(column) for column in zip(*rows, strict=True))
            if name == "sWS":
                for c in extents(kept_columns, array.cols):
                    fold(len(rows), c, 1, 2, n)
            elif kept_columns:
                for c in extents(n, array.cols):
                    fold(len(rows), c, 2 if drains else 1, 1, kept_columns)
    return sum(cycles for cycles, _ in folds), len(folds), sum(macs for _, macs in folds)


@NAMES
@given(array=GRIDS, nonzero=bitmaps(), n=st.integers(1, 20))
def test_a_gemm_costs_the_sum_of_its_folds(name: Any, array: Array, nonzero: Any, n: int) -> None:
    gemm = counts_of_bitmap(name, array, nonzero, n)
    assert (gemm.cycles, gemm.folds, gemm.macs) == fold_by_fold(name, array, nonzero, n)


@NAMES
@given(array=MODES, m=st.integers(1, 25), k=st.integers(1, 25), n=st.integers(1, 20))
def test_without_zeros_a_sparse_flow_is_the_dense_one(name: Any, array: Array, m: int, k: int, n: int) -> None:
    dense: Any = f"d{name[-2:]}"
    assert counts_of_bitmap(name, array, np.ones((m, k), dtype=bool), n) == counts(dense, array, m, k, n)


@NAMES
@given(array=MODES, nonzero=bitmaps(), n=st.integers(1, 20))
def test_zeros_never_cost_cycles(name: Any, array: Array, nonzero: Any, n: int) -> None:
    dense: Any = f"d{name[-2:]}"
    sparse, all_of_it = counts_of_bitmap(name, array, nonzero, n), counts_of_bitmap(dense, array, nonzero, n)
    assert sparse.cycles <= all_of_it.cycles
    assert sparse.weight_words + sparse.zeros_injected <= all_of_it.weight_words


@NAMES
def test_nothing_is_run_for_weights_that_are_all_zero(name: Any) -> None:
    gemm = counts_of_bitmap(name, grid(4, 4), np.zeros((9, 9), dtype=bool), 5)
    assert (gemm.cycles, gemm.folds, gemm.macs, gemm.weight_words, gemm.zeros_injected) == (0, 0, 0, 0, 0)


@NAMES
def test_a_single_zero_is_injected_and_saves_no_cycle(name: Any) -> None:
    nonzero = np.ones((8, 8), dtype=bool)
    nonzero[2, 3] = False
    holed, whole = (counts_of_bitmap(name, grid(4, 4), bitmap, 4) for bitmap in (nonzero, nonzero | True))
    assert (holed.cycles, holed.macs) == (whole.cycles, whole.macs)
    assert (holed.zeros_injected, holed.weight_words) == (1, whole.weight_words - 1)


@NAMES
def test_a_large_layer_is_counted_in_under_a_fifth_of_a_second(name: Any) -> None:
    nonzero = np.random.default_rng(0).random((4096, 4096)) < 0.2
    start = time.process_time()
    counts_of_bitmap(name, grid(16, 16), nonzero, 1024)
    assert time.process_time() - start < 0.2


def test_every_named_flow_has_counts() -> None:
    assert set(NAMED) == set(SPARSE_DATAFLOWS)
