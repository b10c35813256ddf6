"""Why a wait took as long as it did, from transfers whose stages are written down by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.kernel import CompletionLog, Ledger, Reason, Transfer


def transfer(**stages: Any) -> Transfer:
    made = Transfer("dma", "dram", False, 0, 64, 1, 0, 1, 0, lambda _: None)
    for name, value in stages.items():
        setattr(made, name, value)
    return made


def explain(start_ps: int, end_ps: int, *completed: tuple[int, Transfer]) -> dict[tuple[str, str], int]:
    log = CompletionLog("dma")
    for done_ps, done in completed:
        log.add(done_ps, done)
    return {tuple(reason): span_ps for reason, span_ps in log.explain(start_ps, end_ps).items()}


# Sent at 0; the memory needs 30 before data move from 40 (an activation took 10 of it) to 60; 25 at its peak rate.
LONE = {"submitted_ps": 0, "row_ps": 10, "data_ps": 25, "served_ps": 60, "delivered_ps": 70}


def test_a_lone_transfer_by_stages() -> None:
    assert explain(0, 75, (75, transfer(**LONE))) == {
        ("interconnect", "latency"): 5,
        ("interconnect", "transfer"): 10,
        ("dram", "transfer"): 25,
        ("dram", "row"): 10,
        ("dram", "latency"): 25,
    }


def test_only_what_lies_between_completions_counts() -> None:
    """The earlier one is done at 50: of the later one's service only the last 10 are seen."""
    earlier = transfer(submitted_ps=0, data_ps=25, served_ps=50, delivered_ps=50)
    spans = explain(50, 75, (50, earlier), (75, transfer(**LONE)))
    assert spans == {("interconnect", "latency"): 5, ("interconnect", "transfer"): 10, ("dram", "transfer"): 10}


def test_time_for_others_has_their_name() -> None:
    blocked = transfer(submitted_ps=0, data_ps=20, others_ps=50, waited_for="display", served_ps=100, delivered_ps=100)
    assert explain(0, 100, (100, blocked)) == {
        ("dram", "transfer"): 20,
        ("dram", "arbitration:display"): 50,
        ("dram", "latency"): 30,
    }


def test_a_refresh_in_between() -> None:
    late = transfer(submitted_ps=0, data_ps=20, refresh_ps=70, served_ps=100, delivered_ps=100)
    assert explain(0, 100, (100, late)) == {("dram", "transfer"): 20, ("dram", "refresh"): 70, ("dram", "latency"): 10}


def test_latency_that_more_credits_would_hide_is_credit() -> None:
    """It could have been sent 20 earlier: so much of the 30 of latency would have passed beside its predecessor."""
    limited = transfer(submitted_ps=0, credit_ps=20, data_ps=20, served_ps=50, delivered_ps=50)
    assert explain(0, 50, (50, limited)) == {
        ("dram", "transfer"): 20,
        ("dma", "credit"): 20,
        ("dram", "latency"): 10,
    }


def test_before_anything_was_sent_the_channel_sets_up() -> None:
    assert explain(0, 110, (110, transfer(submitted_ps=80, data_ps=30, served_ps=110, delivered_ps=110))) == {
        ("dma", "latency"): 80,
        ("dram", "transfer"): 30,
    }


def test_the_next_clock_edge_is_the_channels_latency() -> None:
    assert explain(90, 105, (100, transfer(submitted_ps=0, data_ps=90, served_ps=100, delivered_ps=100))) == {
        ("dma", "latency"): 5,
        ("dram", "transfer"): 10,
    }


stage = st.integers(0, 300)


@given(
    st.lists(st.tuples(st.integers(0, 50), stage, stage, stage, stage, stage, stage, stage), max_size=12),
    st.integers(0, 500),
    st.integers(-300, 500),
)
def test_reasons_sum_to_the_wait(made: list[tuple[int, ...]], start_ps: int, span_ps: int) -> None:
    """Whatever the transfers say of themselves, nothing is lost and nothing counted twice; some complete later."""
    now_ps, completed = start_ps, []
    for gap, submitted, data, row, refresh, others, credit, served in made:
        now_ps += gap
        completed.append((
            now_ps,
            transfer(
                submitted_ps=min(submitted, now_ps), data_ps=data, row_ps=row, refresh_ps=refresh, others_ps=others,
                credit_ps=credit, served_ps=min(served, now_ps), delivered_ps=min(served + 5, now_ps), waited_for="x",
            ),
        ))  # fmt: skip
    end_ps = max(start_ps, now_ps + span_ps)
    spans = explain(start_ps, end_ps, *completed)
    assert sum(spans.values()) == end_ps - start_ps
    assert all(span > 0 for span in spans.values())


def test_what_is_forgotten_takes_no_room() -> None:
    log = CompletionLog("dma")
    for done_ps in range(10):
        log.add(done_ps, transfer())
    log.forget(6, "array")
    assert len(log) == 3


def test_nothing_is_forgotten_that_another_may_ask_for() -> None:
    log = CompletionLog("dma")
    log.subscribe("first")
    log.subscribe("second")
    for done_ps in range(10):
        log.add(done_ps, transfer())
    log.forget(6, "first")
    assert len(log) == 9  # the one at 0 is before any wait
    log.forget(3, "second")
    assert len(log) == 6
    assert log.completed_at(6)
    assert not log.completed_at(3)
    assert not log.completed_at(20)


def test_a_ledger_refuses_reasons_that_do_not_sum_to_the_wait() -> None:
    ledger = Ledger()
    ledger.record_wait(10, "wait_inputs", 0, {Reason("dram", "row"): 4, Reason("dram", "transfer"): 6})
    assert ledger.reasons_ps == {
        (0, "wait_inputs", Reason("dram", "row")): 4,
        (0, "wait_inputs", Reason("dram", "transfer")): 6,
    }
    ledger.record_wait(10, "wait_inputs", 0, {})
    with pytest.raises(ValueError, match="wait_inputs of 5 ps has reasons for 4 ps"):
        ledger.record_wait(15, "wait_inputs", 0, {Reason("dram", "row"): 4})
