"""Groups side by side: the closed forms and the numbers against the register-level model, and the bound of the edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.config.array import Array
from soc_sim.dataflow import DATAFLOWS, counts
from soc_sim.dataflow.packed import packable, packed_counts
from soc_sim.dataflow.reference import run_packed

NAMES = pytest.mark.parametrize("name", list(DATAFLOWS))


def grid(rows: int, cols: int, **modes: str) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz", **modes})


@NAMES
@settings(max_examples=300, deadline=None)
@given(
    rows=st.integers(2, 5),
    cols=st.integers(1, 5),
    edge_tiles=st.sampled_from(["actual", "full"]),
    tile_overlap=st.sampled_from(["none", "prefetch"]),
    groups=st.integers(2, 6),
    height=st.integers(1, 2),
    k=st.integers(1, 7),
    n=st.integers(1, 6),
    seed=st.integers(0, 2**32),
)
def test_the_grid_computes_all_groups_with_the_counts_of_the_closed_form(
    name: Any,
    rows: int,
    cols: int,
    edge_tiles: str,
    tile_overlap: str,
    groups: int,
    height: int,
    k: int,
    n: int,
    seed: int,
) -> None:
    array, m = grid(rows, cols, edge_tiles=edge_tiles, tile_overlap=tile_overlap), min(height, rows // 2)
    rng = np.random.default_rng(seed)
    weights, inputs = rng.integers(-128, 128, (groups, m, k)), rng.integers(-128, 128, (groups, k, n))
    outcome = run_packed(name, array, weights, inputs)
    np.testing.assert_array_equal(outcome.output.reshape(groups, m, n), weights @ inputs)
    assert outcome.counts == packed_counts(name, array, groups, m, k, n)


@NAMES
@pytest.mark.parametrize("tile_overlap", ["none", "prefetch"])
@pytest.mark.parametrize("drain", ["exposed", "hidden"])
def test_many_columns_at_once_are_each_as_on_their_own(name: Any, tile_overlap: str, drain: str) -> None:
    if (tile_overlap, drain) == ("prefetch", "hidden"):
        return
    array, n = grid(8, 8, tile_overlap=tile_overlap, os_drain=drain), np.array([[1, 7, 8], [9, 30, 7]])
    together = packed_counts(name, array, 10, 3, 5, n)
    for index in np.ndindex(*n.shape):
        alone = packed_counts(name, array, 10, 3, 5, int(n[index]))
        for field in ("cycles", "folds", "macs", "weight_words", "input_words", "output_words", "zeros_injected"):
            assert getattr(together, field)[index] == getattr(alone, field)


@pytest.mark.parametrize(("size", "kernel"), [(8, 9), (16, 9), (32, 9), (16, 25)])
def test_depthwise_layers_come_near_the_bound_of_the_top_edge(size: int, kernel: int) -> None:
    """C words of X enter a cycle, each meets one row: at least G · k · N / C cycles; alone, ⌈k/C⌉ N for each group."""
    array, groups, n = grid(size, size), 64, 56 * 56
    bound = groups * kernel * n / size
    packed = packed_counts("dWS", array, groups, 1, kernel, n)
    alone = groups * counts("dWS", array, 1, kernel, n).cycles
    assert bound <= packed.cycles < 1.03 * bound
    assert packed.macs == groups * kernel * n
    assert alone / packed.cycles == pytest.approx(math.ceil(kernel / size) * size / kernel, rel=0.03)


def test_output_stationary_pays_skew_and_drain_once_for_many_groups() -> None:
    """16 groups of 9 on 16 × 16: K = 144 and one drain, instead of 16 times 9 and 16 drains of a row."""
    array = grid(16, 16)
    assert packed_counts("dOS", array, 16, 1, 9, 16).cycles == 144 + 2 * 16 + 16 - 2
    assert 16 * counts("dOS", array, 1, 9, 16).cycles == 16 * (9 + 2 + 16 - 2)


def test_what_cannot_lie_side_by_side() -> None:
    """A single group, or groups of more than half of the rows."""
    assert packable(grid(16, 16), 2, 8)
    assert not packable(grid(16, 16), 2, 9)
    assert not packable(grid(16, 16), 1, 1)
