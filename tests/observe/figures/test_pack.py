"""Packed timelines say what the recorded ones say, exactly or, in bins, with every busy picosecond."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from unpack import One, leb128_numbers, timeline_of, unpack, unpack_counter

from soc_sim.observe.figures.pack import leb128, pack

ONES = st.lists(
    st.builds(
        lambda track, name, start, length, layer: One(track, name, 250 * start, 250 * (start + length), layer),
        st.sampled_from(["core0.array", "core0.dma.weights", "dram"]),
        st.sampled_from(["compute", "load", "read host"]),
        st.integers(0, 400),
        st.integers(1, 60),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


@given(ONES)
def test_slices_read_back_equal(ones: list[One]) -> None:
    packed = pack(timeline_of(ones, end_ps=250 * 460))
    found = Counter(
        (
            track["track"],
            one.kind,
            one.start * packed["unit_ps"],
            (one.start + one.duration) * packed["unit_ps"],
            one.layer,
        )
        for track in packed["tracks"]
        for lane in unpack(track)
        for one in lane
        if one.busy == one.duration
    )
    assert found == Counter((one.track, one.name, one.start_ps, one.end_ps, one.layer) for one in ones)
    assert packed["unit_ps"] % 250 == 0


@given(ONES)
def test_slices_of_a_lane_do_not_overlap(ones: list[One]) -> None:
    for track in pack(timeline_of(ones, end_ps=250 * 460))["tracks"]:
        for lane in unpack(track):
            assert all(one.start + one.duration <= other.start for one, other in pairwise(lane))


def test_bins_keep_the_busy_time_of_every_kind_and_layer() -> None:
    """6000 slices and room for 1000: fewer are left, and no time is lost."""
    ones = [One("dram", f"read {row % 3}", 1000 * row, 1000 * row + 100 + row % 700, row % 2) for row in range(6000)]
    packed = pack(timeline_of(ones, end_ps=6_000_000), most=1)
    (track,) = packed["tracks"]
    (lane,) = unpack(track)
    assert track["resolution"] > 0
    assert len(lane) <= 1000
    expected = Counter[tuple[str, int]]()
    for one in ones:
        expected[one.name, one.layer] += one.end_ps - one.start_ps
    found = Counter[tuple[str, int]]()
    for one in lane:
        found[one.kind, one.layer] += one.busy * packed["unit_ps"]
        assert 0 < one.busy <= one.duration == track["resolution"]
        assert one.start % track["resolution"] == 0
    assert found == expected


def test_an_array_and_its_stalls_are_one_track() -> None:
    ones = [One("core0.array", "compute", 0, 10), One("core0.array.stalls", "wait_inputs", 10, 30)]
    (track,) = pack(timeline_of(ones, end_ps=40))["tracks"]
    assert track["track"] == "core0.array"
    assert [(one.kind, one.start, one.duration) for one in unpack(track)[0]] == [
        ("compute", 0, 1),
        ("wait_inputs", 1, 2),
    ]


def test_tracks_come_in_the_order_of_viewing_and_idle_ones_stay() -> None:
    packed = pack(timeline_of([One("layers", "conv1", 0, 10)], tracks=["dram", "host", "core0.array"], end_ps=10))
    assert [track["track"] for track in packed["tracks"]] == ["layers", "core0.array", "host", "dram"]
    assert [track["kinds"] for track in packed["tracks"]] == [["layer"], [], [], []]


def test_the_fill_of_buffers_is_kept_and_other_counters_are_not() -> None:
    samples = [("core0.inputs.fill", 0, 0.0), ("core0.inputs.fill", 250, 64.0), ("core0.inputs.fill", 750, 32.0)]
    packed = pack(timeline_of([], end_ps=1000, samples=[*samples, ("core0.dma.inputs.outstanding", 0, 3.0)]))
    (counter,) = packed["counters"]
    assert counter["track"] == "core0.inputs.fill"
    assert counter["resolution"] == 0
    assert [(time * packed["unit_ps"], value) for time, value in unpack_counter(counter)] == [
        (0, 0),
        (250, 64),
        (750, 32),
    ]


def test_a_counter_that_changes_too_often_is_binned_by_its_mean() -> None:
    """It is 10 for 3 of 4 ps, and 50 for one: 20 on average, wherever bins begin."""
    samples = [
        ("core0.inputs.fill", 4 * row + part, value) for row in range(15_000) for part, value in ((0, 10.0), (3, 50.0))
    ]
    packed = pack(timeline_of([], end_ps=60_000, samples=samples))
    (counter,) = packed["counters"]
    found = unpack_counter(counter)
    assert len(found) <= 20_000
    assert counter["resolution"] > 0
    assert [time for time, _ in found] == [counter["resolution"] * row for row in range(len(found))]
    total = sum(value * counter["resolution"] for _, value in found)
    assert abs(total - 20 * 60_000) <= counter["resolution"] * len(found) / 2, "each mean is rounded"


def test_a_run_that_takes_no_time_can_be_packed() -> None:
    assert pack(timeline_of([], tracks=["host"], end_ps=0))["end"] == 0


@given(st.lists(st.integers(0, 2**62)))
def test_numbers_of_any_size_are_written_in_leb128(numbers: list[int]) -> None:
    assert leb128_numbers(leb128(np.array(numbers, np.int64))) == numbers
