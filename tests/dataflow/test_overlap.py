"""Folds that overlap: as early as possible, never earlier, and what then remains of a GEMM's cycles.

``reference/test_reference.py`` compares the cycles of whole GEMMs with the register-level model.
"""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.config.array import Array
from soc_sim.config.loader import load
from soc_sim.dataflow import DATAFLOWS, SPARSE_DATAFLOWS, counts, counts_of_bitmap
from soc_sim.dataflow.reference.edges import OutputBuffer
from soc_sim.dataflow.reference.memory import Memory
from soc_sim.dataflow.reference.overlapped import ConflictError, place_folds, run_output_stationary, run_stationary
from soc_sim.dataflow.schedule import schedule
from soc_sim.errors import ConfigurationError

DENSE = pytest.mark.parametrize("name", list(DATAFLOWS))
ALL = pytest.mark.parametrize("name", [*DATAFLOWS, *SPARSE_DATAFLOWS])
EXTENT, SIZE = st.integers(1, 4), st.integers(1, 9)


def grid(rows: int, cols: int, **modes: str) -> Array:
    return Array.model_validate({"rows": rows, "cols": cols, "clock": "1 GHz", "tile_overlap": "prefetch", **modes})


@ALL
@settings(max_examples=200)
@given(rows=EXTENT, cols=EXTENT, m=SIZE, k=SIZE, n=SIZE, seed=st.integers(0, 2**32), data=st.data())
def test_no_stream_could_start_a_cycle_earlier(
    name: Any, rows: int, cols: int, m: int, k: int, n: int, seed: int, data: Any
) -> None:
    rng = np.random.default_rng(seed)
    weights, inputs = rng.integers(-9, 9, (m, k)) * (rng.random((m, k)) < 0.6), rng.integers(-9, 9, (k, n))
    family = name[-2:]
    indices = [(fold.ms, fold.ks, fold.ns) for fold in schedule(name, grid(rows, cols), weights != 0, n)]
    folds = place_folds(family, Memory(weights.tolist(), inputs.tolist(), decompresses=True), indices)
    run = run_output_stationary if family == "OS" else run_stationary
    if len(folds) > 1:
        last = data.draw(st.integers(1, len(folds) - 1))
        run(folds[: last + 1], OutputBuffer())
        with pytest.raises(ConflictError):
            run([*folds[:last], replace(folds[last], start=folds[last].start - 1)], OutputBuffer())


@ALL
@given(rows=EXTENT, cols=EXTENT, m=SIZE, k=SIZE, n=SIZE, seed=st.integers(0, 2**32))
def test_overlap_saves_cycles_and_changes_nothing_else(
    name: Any, rows: int, cols: int, m: int, k: int, n: int, seed: int
) -> None:
    nonzero = np.random.default_rng(seed).random((m, k)) < 0.6
    overlapped = counts_of_bitmap(name, grid(rows, cols), nonzero, n)
    isolated = counts_of_bitmap(name, grid(rows, cols, tile_overlap="none"), nonzero, n)
    assert overlapped.cycles <= isolated.cycles
    assert replace(overlapped, cycles=isolated.cycles) == isolated


@pytest.mark.parametrize(
    ("name", "cycles"),
    # 4×4 PEs, 8×8×8: four folds. A stream of 8 words hides four words of preload or drain; the first preload (WS, IS),
    # the last drain (OS) and the skew of the last fold, 4 + 4 − 2, stay visible.
    [("dOS", 4 * 8 + 6 + 4), ("dWS", 4 + 4 * 8 + 6), ("dIS", 4 + 4 * 8 + 6)],
)
def test_long_streams_hide_all_preloads_and_drains_but_one(name: Any, cycles: int) -> None:
    assert counts(name, grid(4, 4), 8, 8, 8).cycles == cycles


@pytest.mark.parametrize(
    ("name", "m", "k", "n"),
    # The stream is one word; each fold of the 4×4 grid waits for the four words of its preload, or of the drain before.
    [("dOS", 8, 1, 8), ("dWS", 8, 8, 1), ("dIS", 1, 8, 8)],
)
def test_short_streams_wait_for_the_second_links(name: Any, m: int, k: int, n: int) -> None:
    preload, drain = (0, 4) if name == "dOS" else (4, 0)
    assert counts(name, grid(4, 4), m, k, n).cycles == preload + 3 * 4 + 1 + 6 + drain


@DENSE
@given(
    rows=EXTENT,
    cols=EXTENT,
    edge_tiles=st.sampled_from(["actual", "full"]),
    sizes=st.lists(st.tuples(SIZE, SIZE, SIZE), min_size=1, max_size=5),
)
def test_arrays_of_sizes_give_the_counts_of_each_size(
    name: Any, rows: int, cols: int, edge_tiles: str, sizes: list[tuple[int, int, int]]
) -> None:
    array = grid(rows, cols, edge_tiles=edge_tiles)
    together = counts(name, array, *np.array(sizes, dtype=np.int64).T)
    apart = [astuple(counts(name, array, *size)) for size in sizes]
    assert all(type(cell) is int for row in apart for cell in row)
    np.testing.assert_array_equal(np.stack(astuple(together), axis=1), apart)


def test_a_drain_is_not_hidden_in_two_ways() -> None:
    description = {"kind": "array", "rows": 4, "cols": 4, "clock": "1 GHz", "tile_overlap": "prefetch"}
    with pytest.raises(ConfigurationError, match="os_drain: 'hidden' counts isolated folds"):
        load(description | {"os_drain": "hidden"}, Array)
