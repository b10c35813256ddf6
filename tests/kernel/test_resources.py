"""Timelines, credits, mailboxes, the scoreboard and ledgers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.kernel import CreditPool, Ledger, Mailbox, Scoreboard, Simulation, Timeline


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 100)), min_size=1))
def test_bookings_keep_their_order_never_overlap_and_leave_no_needless_gap(wishes: list[tuple[int, int]]) -> None:
    timeline, end_ps = Timeline(), 0
    for earliest_ps, duration_ps in wishes:
        start_ps = timeline.book(earliest_ps, duration_ps)
        assert start_ps == max(end_ps, earliest_ps)
        end_ps = start_ps + duration_ps
    assert timeline.free_ps == end_ps
    assert timeline.busy_ps == sum(duration for _, duration in wishes) <= end_ps


def test_credits_are_given_in_the_order_of_asking() -> None:
    """A small request does not overtake a large one that waits."""
    simulation = Simulation()
    pool = CreditPool(simulation, "pool", 10)
    assert pool.try_take(8)
    large = pool.wait(5)
    assert not pool.try_take(1)
    small = pool.wait(1)
    pool.give(2)
    assert not large.triggered
    assert not small.triggered
    pool.give(2)
    assert large.triggered
    assert small.triggered
    assert (pool.free, pool.lowest_free) == (0, 0)


def test_giving_back_more_than_was_taken_is_an_error() -> None:
    pool = CreditPool(Simulation(), "core0.weights", 10)
    pool.try_take(3)
    with pytest.raises(ValueError, match=r"^core0\.weights: 11 credits of 10$"):
        pool.give(4)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), max_size=60))
def test_credits_are_conserved(actions: list[tuple[bool, int]]) -> None:
    """What is free and what is held add up to the capacity, and nobody waits for what is free."""
    pool = CreditPool(Simulation(), "pool", 10)
    held: list[int] = []
    waiting: list[tuple[int, object]] = []
    for give, amount in actions:
        if give and held:
            pool.give(held.pop())
        elif not give:
            if pool.try_take(amount):
                held.append(amount)
            else:
                waiting.append((amount, pool.wait(amount)))
        while waiting and waiting[0][1].triggered:  # type: ignore[attr-defined]
            held.append(waiting.pop(0)[0])
        assert pool.free + sum(held) == pool.capacity
        assert not waiting or waiting[0][0] > pool.free
        assert pool.lowest_free <= pool.free


def test_a_mailbox_hands_on_in_order_and_waits_only_where_it_must() -> None:
    simulation = Simulation()
    box: Mailbox[int] = Mailbox(simulation, 2)
    taken: list[tuple[int, int]] = []
    put_ps: list[int] = []

    def producer():  # type: ignore[no-untyped-def]
        for item in range(5):
            if (room := box.room()) is not None:
                yield room
            box.put(item)
            put_ps.append(simulation.now_ps)

    def consumer():  # type: ignore[no-untyped-def]
        for _ in range(5):
            yield simulation.wait_until(simulation.now_ps + 10)
            if (filled := box.filled()) is not None:
                yield filled
            taken.append((simulation.now_ps, box.take()))

    simulation.start(producer(), lambda: None)
    simulation.start(consumer(), lambda: None)
    simulation.run(lambda: True)
    assert taken == [(10, 0), (20, 1), (30, 2), (40, 3), (50, 4)]
    # Two fit at once; each further one follows when one has been taken.
    assert put_ps == [0, 0, 10, 20, 30]


def test_the_scoreboard_wakes_when_the_last_dependency_is_complete() -> None:
    simulation = Simulation()
    board = Scoreboard(simulation, 3)
    assert board.pending([]) is None
    woken_ps: list[int] = []

    def waiter():  # type: ignore[no-untyped-def]
        event = board.pending([0, 1, 1])
        assert event is not None
        yield event
        woken_ps.append(simulation.now_ps)
        assert board.pending([0, 1]) is None

    simulation.start(waiter(), lambda: None)
    simulation.call_at(30, lambda: board.complete(1))
    simulation.call_at(70, lambda: board.complete(0))
    simulation.run(lambda: board.remaining == 1)
    assert woken_ps == [70]
    assert board.time_ps([0, 1]) == 70
    assert board.time_ps([1]) == 30
    assert board.time_ps([]) == 0


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["busy", "wait_inputs", "idle"]), st.integers(0, 2))))
def test_a_ledger_accounts_for_every_picosecond_once(entries: list[tuple[int, str, int]]) -> None:
    ledger = Ledger()
    for until_ps, cause, layer in entries:
        ledger.record(until_ps, cause, layer)  # type: ignore[arg-type]
    assert sum(ledger.spans_ps.values()) == ledger.covered_ps == max((until for until, _, _ in entries), default=0)
    assert all(span > 0 for span in ledger.spans_ps.values())
