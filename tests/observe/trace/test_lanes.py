"""Overlapping slices are spread over as few lanes as possible."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.observe.trace.lanes import assign_lanes

SLICES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30))).map(
    lambda pairs: sorted((start, start + duration) for start, duration in pairs)
)


def lanes_of(slices: list[tuple[int, int]]) -> list[int]:
    starts, ends = (np.array([one[side] for one in slices], np.int64) for side in (0, 1))
    return assign_lanes(starts, ends).tolist()


@given(SLICES)
def test_slices_of_a_lane_never_overlap(slices: list[tuple[int, int]]) -> None:
    free_at: dict[int, int] = {}
    for (start, end), lane in zip(slices, lanes_of(slices), strict=True):
        assert free_at.get(lane, 0) <= start
        free_at[lane] = end


@given(SLICES)
def test_there_are_as_many_lanes_as_slices_at_once(slices: list[tuple[int, int]]) -> None:
    at_once = max((sum(start <= time < end for start, end in slices) for time in range(91)), default=0)
    assert len(set(lanes_of(slices))) == at_once


def test_a_slice_takes_the_lowest_free_lane() -> None:
    """At 7 the lanes 0 and 2 are free, lane 1 is busy until 9."""
    assert lanes_of([(0, 5), (1, 9), (2, 6), (7, 8), (7, 9)]) == [0, 1, 2, 0, 2]
