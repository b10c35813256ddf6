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
