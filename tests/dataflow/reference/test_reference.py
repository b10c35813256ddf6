"""The register-level model against W · X, and the closed forms against the register-level model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.config.array import Array
from soc_sim.dataflow import DATAFLOWS, SPARSE_DATAFLOWS, counts_of_bitmap
from soc_sim.dataflow.reference import run
from soc_sim.errors import InputError

NAMES = pytest.mark.parametrize("name", [*DATAFLOWS, *SPARSE_DATAFLOWS])


def grid(rows: int, cols: int, **modes: str) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz", **modes})


def operands(seed: int, m: int, k: int, n: int) -> tuple[Any, Any]:
    """Integers; W with single zeros, zero rows and zero columns, from none to all of it."""
    rng = np.random.default_rng(seed)
    weights, inputs = rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, n))
    for shape in ((m, k), (m, 1), (1, k)):
        weights *= rng.random(shape) < rng.choice([0.3, 0.7, 1.0])
    return weights, inputs


@NAMES
@settings(max_examples=2000, deadline=None)
@given(
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    edge_tiles=st.sampled_from(["actual", "full"]),
    tile_overlap=st.sampled_from(["none", "prefetch"]),
    m=st.integers(1, 8),
    k=st.integers(1, 8),
    n=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
def test_grid_computes_w_times_x_with_the_counts_of_the_closed_form(
    name: Any, rows: int, cols: int, edge_tiles: str, tile_overlap: str, m: int, k: int, n: int, seed: int
) -> None:
    array = grid(rows, cols, edge_tiles=edge_tiles, tile_overlap=tile_overlap)
    weights, inputs = operands(seed, m, k, n)
    outcome = run(name, array, weights, inputs)
    np.testing.assert_array_equal(outcome.output, weights @ inputs)
    assert outcome.counts == counts_of_bitmap(name, array, weights != 0, n)


@NAMES
@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (1, 16), (16, 1), (5, 12)])
def test_larger_grids_agree_too(name: Any, rows: int, cols: int) -> None:
    weights, inputs = operands(1, 19, 27, 23)
    outcome = run(name, grid(rows, cols), weights, inputs)
    np.testing.assert_array_equal(outcome.output, weights @ inputs)
    assert outcome.counts == counts_of_bitmap(name, grid(rows, cols), weights != 0, 23)


@NAMES
def test_real_numbers_agree_within_rounding(name: Any) -> None:
    rng = np.random.default_rng(2)
    weights, inputs = rng.standard_normal((7, 20)), rng.standard_normal((20, 6))
    np.testing.assert_allclose(run(name, grid(3, 4), weights, inputs).output, weights @ inputs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["dOS", "sOS", "csOS"])
def test_a_hidden_drain_is_refused_because_no_movement_of_words_does_it(name: Any) -> None:
    weights, inputs = operands(0, 2, 2, 2)
    with pytest.raises(InputError, match="os_drain"):
        run(name, grid(2, 2, os_drain="hidden"), weights, inputs)
