"""Synthetic sparsity: level, shape of the units, determinism."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.sparsity.patterns import GROUP, PATTERNS, prune

SIZE = st.integers(1, 40)
GRID = st.integers(1, 8)
LEVEL = st.floats(0, 1)
WHOLE_UNITS = pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "n_of_m"])


def unit(pattern: str, k: int, rows: int, cols: int) -> tuple[int, int]:
    """Height and width of what is pruned together."""
    return {
        "unstructured": (1, 1),
        "tile_columns": (rows, 1),
        "tile_rows": (1, rows),
        "channels": (1, k),
        "blocks": (rows, cols),
    }[pattern]


@WHOLE_UNITS
@given(m=SIZE, k=SIZE, rows=GRID, cols=GRID, level=LEVEL, seed=st.integers(0, 99))
def test_the_level_is_reached_within_one_unit(
    pattern: Any, m: int, k: int, rows: int, cols: int, level: float, seed: int
) -> None:
    height, width = unit(pattern, k, rows, cols)
    kept = prune(pattern, m, k, level, rows=rows, cols=cols, seed=seed)
    assert kept.shape == (m, k)
    assert abs((~kept).sum() - level * m * k) <= min(height, m) * min(width, k) / 2 + 1e-9


@WHOLE_UNITS
@given(m=SIZE, k=SIZE, rows=GRID, cols=GRID, level=LEVEL)
def test_a_unit_is_kept_or_pruned_as_a_whole(pattern: Any, m: int, k: int, rows: int, cols: int, level: float) -> None:
    height, width = unit(pattern, k, rows, cols)
    kept = prune(pattern, m, k, level, rows=rows, cols=cols, seed=1)
    for top in range(0, m, height):
        for left in range(0, k, width):
            together = kept[top : top + height, left : left + width]
            assert together.all() or not together.any()


@given(m=SIZE, groups=st.integers(1, 10), level=LEVEL)
def test_every_group_of_n_of_m_keeps_the_same_number(m: int, groups: int, level: float) -> None:
    kept = prune("n_of_m", m, groups * GROUP, level, rows=1, cols=1, seed=1).reshape(m, groups, GROUP)
    assert set((~kept).sum(axis=2).ravel().tolist()) == {round(level * GROUP)}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_seed_decides_and_nothing_else(pattern: Any) -> None:
    def bitmap(seed: int) -> Any:
        return prune(pattern, 40, 40, 0.5, rows=4, cols=4, seed=seed)

    np.testing.assert_array_equal(bitmap(1), bitmap(1))
    assert (bitmap(1) != bitmap(2)).any()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_level_zero_keeps_all_and_level_one_nothing(pattern: Any) -> None:
    assert prune(pattern, 30, 30, 0.0, rows=4, cols=4, seed=0).all()
    assert not prune(pattern, 30, 30, 1.0, rows=4, cols=4, seed=0).any()


@WHOLE_UNITS
@given(m=SIZE, k=SIZE, rows=GRID, cols=GRID, level=LEVEL, seed=st.integers(0, 99))
def test_by_norm_no_kept_unit_is_smaller_than_a_pruned_one(
    pattern: Any, m: int, k: int, rows: int, cols: int, level: float, seed: int
) -> None:
    """The L2 norm over the number of weights, reckoned unit by unit."""
    weights = np.random.default_rng(seed).standard_normal((m, k))
    height, width = unit(pattern, k, rows, cols)
    kept = prune(pattern, m, k, level, rows=rows, cols=cols, seed=seed, weights=weights)
    assert abs((~kept).sum() - level * m * k) <= min(height, m) * min(width, k) / 2 + 1e-9
    scores: dict[bool, list[float]] = {True: [], False: []}
    for top in range(0, m, height):
        for left in range(0, k, width):
            block = np.s_[top : top + height, left : left + width]
            scores[bool(kept[block].all())].append(float(np.linalg.norm(weights[block]) / weights[block].size))
            assert kept[block].all() or not kept[block].any()
    assert max(scores[False], default=0.0) <= min(scores[True], default=np.inf) + 1e-12


def test_by_norm_each_four_lose_their_smallest() -> None:
    weights = np.array([[4.0, -1.0, 2.0, -3.0, 0.5, 9.0]])
    kept = prune("n_of_m", 1, 6, 0.5, rows=1, cols=1, seed=0, weights=weights)
    assert kept.tolist() == [[True, False, False, True, False, False]]


def test_equal_weights_go_first_to_last() -> None:
    kept = prune("unstructured", 1, 5, 0.6, rows=1, cols=1, seed=0, weights=np.array([[1.0, 2.0, 1.0, 1.0, 1.0]]))
    assert kept.tolist() == [[False, True, False, False, True]]
