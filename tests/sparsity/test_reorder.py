"""Rows of similar zeros side by side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.sparsity.bitmap import any_in_row_blocks
from soc_sim.sparsity.reorder import group_rows, group_within


def test_interleaved_kinds_of_rows_are_separated() -> None:
    """Four kinds of rows that take turns, 8 to a block: each block then has the columns of one kind only."""
    kinds = np.repeat(np.eye(4, dtype=bool), 25, axis=1)
    nonzero = kinds[np.arange(32) % 4]
    assert any_in_row_blocks(nonzero, 8).sum() == 4 * 100
    assert any_in_row_blocks(nonzero[group_rows(nonzero, 8)], 8).sum() == 4 * 25


def test_empty_rows_come_last() -> None:
    """They share no block with others as long as there are enough of both."""
    nonzero = np.ones((12, 5), bool)
    nonzero[::3] = False
    assert group_rows(nonzero, 4)[-4:].tolist() == [0, 3, 6, 9]


@settings(max_examples=100, deadline=None)
@given(rows=st.integers(1, 40), cols=st.integers(1, 150), height=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_every_row_is_there_once_and_stays_in_its_chunk(rows: int, cols: int, height: int, seed: int) -> None:
    nonzero = np.random.default_rng(seed).random((rows, cols)) < 0.2
    order = group_within(nonzero, height, 2 * height)
    assert sorted(order.tolist()) == list(range(rows))
    assert (order // (2 * height) == np.arange(rows) // (2 * height)).all()


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_random_zeros_gain_too(level: float) -> None:
    """Never more columns than in order, on matrices of a usual size."""
    nonzero = np.random.default_rng(1).random((128, 512)) > level
    assert any_in_row_blocks(nonzero[group_rows(nonzero, 16)], 16).sum() < any_in_row_blocks(nonzero, 16).sum()
