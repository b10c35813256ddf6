"""The register-level model against W · X, and the closed forms against the register-level model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.config.array import Array
from soc_sim.dataflow import DATAFLOWS, counts
from soc_sim.dataflow.reference import run
from soc_sim.errors import InputError

NAMES = pytest.mark.parametrize("name", list(DATAFLOWS))


def grid(rows: int, cols: int, **modes: str) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz", **modes})


def operands(seed: int, m: int, k: int, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, n))


@NAMES
@settings(max_examples=400, deadline=None)
@given(
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    edge_tiles=st.sampled_from(["actual", "full"]),
    m=st.integers(1, 9),
    k=st.integers(1, 9),
    n=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_grid_computes_w_times_x_with_the_counts_of_the_closed_form(
    name: Any, rows: int, cols: int, edge_tiles: str, m: int, k: int, n: int, seed: int
) -> None:
    array = grid(rows, cols, edge_tiles=edge_tiles)
    weights, inputs = operands(seed, m, k, n)
    outcome = run(name, array, weights, inputs)
    np.testing.assert_array_equal(outcome.output, weights @ inputs)
    assert outcome.counts == counts(name, array, m, k, n)


@NAMES
@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (1, 16), (16, 1), (5, 12)])
def test_larger_grids_agree_too(name: Any, rows: int, cols: int) -> None:
    weights, inputs = operands(1, 19, 27, 23)
    outcome = run(name, grid(rows, cols), weights, inputs)
    np.testing.assert_array_equal(outcome.output, weights @ inputs)
    assert outcome.counts == counts(name, grid(rows, cols), 19, 27, 23)


@NAMES
def test_real_numbers_agree_within_rounding(name: Any) -> None:
    rng = np.random.default_rng(2)
    weights, inputs = rng.standard_normal((7, 20)), rng.standard_normal((20, 6))
    np.testing.assert_allclose(run(name, grid(3, 4), weights, inputs).output, weights @ inputs, rtol=1e-12, atol=1e-12)


def test_a_hidden_drain_is_refused_because_no_movement_of_words_does_it() -> None:
    weights, inputs = operands(0, 2, 2, 2)
    with pytest.raises(InputError, match="os_drain"):
        run("dOS", grid(2, 2, os_drain="hidden"), weights, inputs)
