"""Edges of a clock against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from soc_sim.kernel import Clock

frequencies = st.integers(1, 10**12)
starts = st.integers(0, 10**15)
indices = st.integers(0, 10**12)
times = st.integers(0, 10**15)


def exact_edge_ps(clock: Clock, index: int) -> int:
    return clock.start_ps + ceil(Fraction(index * 10**12, clock.frequency_hz))


@given(frequencies, starts, indices)
def test_an_edge_is_the_exact_time_rounded_up(frequency_hz: int, start_ps: int, index: int) -> None:
    clock = Clock(frequency_hz, start_ps)
    assert clock.edge_ps(index) == exact_edge_ps(clock, index)


@given(frequencies, starts, times)
def test_index_at_is_the_first_edge_not_before_a_time(frequency_hz: int, start_ps: int, time_ps: int) -> None:
    clock = Clock(frequency_hz, start_ps)
    index = clock.index_at(time_ps)
    assert exact_edge_ps(clock, index) >= time_ps
    assert index == 0 or exact_edge_ps(clock, index - 1) < time_ps


@given(frequencies, starts, times, st.integers(0, 10**6))
def test_after_counts_cycles_from_that_edge(frequency_hz: int, start_ps: int, time_ps: int, cycles: int) -> None:
    clock = Clock(frequency_hz, start_ps)
    assert clock.after_ps(time_ps, cycles) == exact_edge_ps(clock, clock.index_at(time_ps) + cycles)


@given(frequencies, st.lists(st.integers(0, 1000), max_size=50))
def test_rounding_does_not_accumulate(frequency_hz: int, steps: list[int]) -> None:
    clock, time_ps = Clock(frequency_hz), 0
    for cycles in steps:
        time_ps = clock.after_ps(time_ps, cycles)
    assert time_ps == exact_edge_ps(clock, sum(steps))


@given(frequencies, st.integers(0, 10**9))
def test_a_span_is_the_exact_duration_rounded_up(frequency_hz: int, cycles: int) -> None:
    assert Clock(frequency_hz).span_ps(cycles) == ceil(Fraction(cycles * 10**12, frequency_hz))


@given(frequencies, frequencies, times, st.integers(0, 1000))
def test_a_new_frequency_counts_from_the_next_edge_of_the_old(old: int, new: int, now_ps: int, index: int) -> None:
    clock = Clock(old)
    turn_ps = clock.edge_ps(clock.index_at(now_ps))
    clock.set_frequency(new, now_ps)
    assert clock.edge_ps(index) == turn_ps + ceil(Fraction(index * 10**12, new))
    assert clock.index_at(now_ps) == 0
