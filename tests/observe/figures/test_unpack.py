"""Activity of tracks over time, against slices added up one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unpack import One, timeline_of

from soc_sim.observe.figures.pack import pack
from soc_sim.observe.figures.unpack import activities, share_over_time

ONES = st.lists(
    st.builds(
        lambda name, start, length: One("dram", name, start, start + length, start % 2),
        st.sampled_from(["read", "write"]),
        st.integers(0, 5000),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=40,
)


@given(ONES)
def test_columns_are_the_slices_that_were_recorded(ones: list[One]) -> None:
    found = activities(pack(timeline_of(ones, end_ps=6000)))["dram"]
    columns = (found.kind_of, found.starts_ps, found.durations_ps, found.layers)
    slices = Counter(
        (found.kinds[kind], start, start + duration, layer)
        for kind, start, duration, layer in zip(*(column.tolist() for column in columns), strict=True)
    )
    assert slices == Counter(one[1:] for one in ones)
    assert (found.busy_ps == found.durations_ps).all()
    for lane in range(int(found.lanes.max()) + 1):
        starts, durations = found.starts_ps[found.lanes == lane], found.durations_ps[found.lanes == lane]
        assert (starts[1:] >= (starts + durations)[:-1]).all()


@given(ONES, st.integers(1, 40))
def test_shares_are_overlaps_with_each_bin(ones: list[One], bins: int) -> None:
    edges = np.linspace(0, 6000, bins + 1)
    found = share_over_time(activities(pack(timeline_of(ones, end_ps=6000)))["dram"], edges)
    for kind in {one.name for one in ones}:
        for share, low, high in zip(found[kind], edges[:-1], edges[1:], strict=True):
            overlap = sum(max(0.0, min(high, one.end_ps) - max(low, one.start_ps)) for one in ones if one.name == kind)
            assert share == pytest.approx(overlap / (high - low), abs=1e-9)


def test_a_track_that_was_never_busy_has_no_shares() -> None:
    found = activities(pack(timeline_of([], tracks=["host"], end_ps=10)))["host"]
    assert share_over_time(found, np.array([0.0, 10.0])) == {}
