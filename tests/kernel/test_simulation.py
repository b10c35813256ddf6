"""Time, event counts and the report of a simulation that cannot go on."""

from __future__ import annotations

import signal

import pytest

from soc_sim.errors import DeadlockError
from soc_sim.kernel import Component, CreditPool, Simulation
from soc_sim.kernel.simulation import Process


def test_callbacks_come_in_order_of_time_and_then_of_asking() -> None:
    simulation = Simulation()
    seen: list[tuple[str, int]] = []
    for name, time_ps in (("late", 20), ("first", 10), ("second", 10)):
        simulation.call_at(time_ps, lambda name=name: seen.append((name, simulation.now_ps)))
    simulation.run(lambda: True)
    assert seen == [("first", 10), ("second", 10), ("late", 20)]


def test_events_are_counted_and_reading_the_count_adds_none() -> None:
    simulation = Simulation()
    assert simulation.events == 0
    for time_ps in range(5):
        simulation.call_at(time_ps, lambda: None)
    assert (simulation.events, simulation.events) == (5, 5)
    simulation.run(lambda: True)
    assert simulation.events == 5


class Greedy(Component):
    """Takes 6 of the pool's credits again and again, and gives back fewer."""

    def __init__(self, simulation: Simulation, pool: CreditPool) -> None:
        super().__init__(simulation, "greedy")
        self._pool = pool

    def start(self) -> None:
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        for number in range(3):
            yield from self.take(self._pool, 6, f"request {number}")
            self.simulation.call_at(self.simulation.now_ps + 5, lambda: self._pool.give(2))


def test_a_deadlock_names_who_waits_for_what_with_what_is_free_at_the_end() -> None:
    """8 free, 6 taken, 2 come back while the second request already waits."""
    simulation = Simulation()
    Greedy(simulation, CreditPool(simulation, "core0.inputs", 8)).start()
    with pytest.raises(DeadlockError) as error:
        simulation.run(lambda: False)
    assert error.value.waits == ("greedy: request 1 needs 6 bytes of core0.inputs, free 4 of 8",)
    assert str(error.value).startswith("the simulation can make no progress:\n")


def test_a_run_that_has_finished_is_no_deadlock_although_processes_wait() -> None:
    simulation = Simulation()
    component = Greedy(simulation, CreditPool(simulation, "pool", 8))
    component.start()
    simulation.run(lambda: True)
    assert component.report_wait() is not None


def test_an_interruption_comes_between_two_events() -> None:
    """What an event does is done whole; SIGINT is Python's again afterwards."""
    simulation, seen = Simulation(), []

    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)
        seen.append(simulation.now_ps)

    for time_ps in (10, 20, 30):
        simulation.call_at(time_ps, interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulation.run(lambda: True)
    assert seen == [10]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_event_that_does_not_end_is_interrupted_the_second_time() -> None:
    simulation, tries = Simulation(), []

    def endless() -> None:
        while True:
            tries.append(1)
            signal.raise_signal(signal.SIGINT)

    simulation.call_at(10, endless)
    with pytest.raises(KeyboardInterrupt):
        simulation.run(lambda: True)
    assert len(tries) == 2


def test_a_handler_of_the_users_own_is_left_alone() -> None:
    simulation, got = Simulation(), []
    before = signal.signal(signal.SIGINT, lambda number, _: got.append(number))
    try:
        simulation.call_at(10, lambda: signal.raise_signal(signal.SIGINT))
        simulation.run(lambda: True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert got == [signal.SIGINT]
