"""Numbers of a GEMM, fold by fold, and what counts as a match."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.config.array import Array
from soc_sim.dataflow import DATAFLOWS, SPARSE_DATAFLOWS, counts_of_bitmap
from soc_sim.dataflow.execute import execute, matches
from soc_sim.dataflow.schedule import schedule

NAMES = pytest.mark.parametrize("name", [*DATAFLOWS, *SPARSE_DATAFLOWS])
SIZE = st.integers(1, 20)


def grid(rows: int, cols: int) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz"})


def weights_with_zeros(seed: int, m: int, k: int) -> Any:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-99, 100, (m, k))
    for shape in ((m, k), (m, 1), (1, k)):
        weights *= rng.random(shape) < rng.choice([0.3, 0.7, 1.0])
    return weights


@NAMES
@given(rows=st.integers(1, 5), cols=st.integers(1, 5), m=SIZE, k=SIZE, n=SIZE, seed=st.integers(0, 2**32))
def test_integers_are_exact(name: Any, rows: int, cols: int, m: int, k: int, n: int, seed: int) -> None:
    weights = weights_with_zeros(seed, m, k)
    inputs = np.random.default_rng(seed).integers(-99, 99, (k, n))
    output = execute(name, grid(rows, cols), weights, inputs)
    assert output.dtype == np.int64
    np.testing.assert_array_equal(output, weights @ inputs)


@NAMES
@given(rows=st.integers(1, 5), cols=st.integers(1, 5), m=SIZE, k=SIZE, n=SIZE, seed=st.integers(0, 2**32))
def test_the_folds_of_a_schedule_cover_every_product_that_is_not_zero_once(
    name: Any, rows: int, cols: int, m: int, k: int, n: int, seed: int
) -> None:
    array, nonzero = grid(rows, cols), weights_with_zeros(seed, m, k) != 0
    times = np.zeros((m, k, n), dtype=int)
    folds = list(schedule(name, array, nonzero, n))
    for fold in folds:
        times[np.ix_(fold.ms, fold.ks, fold.ns)] += 1
    assert (times[nonzero] == 1).all()
    assert times.max() <= 1
    expected = counts_of_bitmap(name, array, nonzero, n)
    assert (len(folds), times.sum()) == (expected.folds, expected.macs)


@NAMES
def test_real_numbers_match_in_every_order_of_addition(name: Any) -> None:
    rng = np.random.default_rng(4)
    weights, inputs = rng.standard_normal((30, 200)), rng.standard_normal((200, 30))
    assert matches(execute(name, grid(4, 4), weights, inputs), weights, inputs)


def test_one_wrong_integer_is_no_match() -> None:
    weights, inputs = np.ones((3, 4), dtype=np.int64), np.ones((4, 3), dtype=np.int64)
    output = weights @ inputs
    assert matches(output, weights, inputs)
    output[2, 1] += 1
    assert not matches(output, weights, inputs)


def test_a_real_number_off_by_more_than_rounding_is_no_match() -> None:
    weights, inputs = np.full((3, 4), 0.1), np.full((4, 3), 0.3)
    output = weights @ inputs
    assert matches(output, weights, inputs)
    output[0, 0] *= 1 + 1e-12
    assert not matches(output, weights, inputs)


def test_integers_beyond_the_precision_of_float64_stay_exact() -> None:
    weights, inputs = np.array([[2**31, 1]]), np.array([[2**31], [1]])
    assert execute("dWS", grid(1, 1), weights, inputs) == [[2**62 + 1]]
