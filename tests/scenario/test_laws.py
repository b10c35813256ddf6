"""Laws of queueing that hold for every system, and one queue whose waiting time is known in closed form."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

import soc_sim
from soc_sim.compiler.program import Compute, Instruction, Program
from soc_sim.scenario import Outcome
from soc_sim.testing.small import program_of, small_soc, tile

US = 10**-6


def service(layers: int, cycles: int) -> Program:
    """A program that takes an array of 1 GHz ``layers`` · ``cycles`` ns, and nothing else."""
    tiles: list[Instruction] = [Compute(index, index, 0, (), (), 0, 0, 0, tile(cycles)) for index in range(layers)]
    return program_of(tiles)


def queue(load: float, requests: int, seed: int, **scheduling: Any) -> Outcome:
    """Poisson arrivals at one server that takes 1 µs for each."""
    scenario = soc_sim.Scenario(small_soc(), seed=seed, **scheduling)
    scenario.stream(service(1, 1000), name="queue", arrivals="poisson", period_s=1 * US / load)
    return scenario.run(until_s=requests * US / load)


@pytest.mark.parametrize("load", [0.4, 0.75])
def test_the_waiting_time_of_m_d_1_lies_in_the_confidence_interval(load: float) -> None:
    """Mean wait ρ·D / 2(1 − ρ) (Pollaczek and Khinchine); 20 independent runs, Student's t for 99 %."""
    runs = [queue(load, 1000, seed).streams[0] for seed in range(20)]
    waits = [run.latency_mean_s - 1 * US for run in runs]
    expected = load * US / (2 * (1 - load))
    half_width = 2.861 * statistics.stdev(waits) / math.sqrt(len(waits))
    # A run begins with an empty queue, which lowers its mean by far less than this.
    assert abs(statistics.mean(waits) - expected) < half_width
    assert half_width < 0.2 * expected + 0.02 * US


def test_the_utilisation_law_holds() -> None:
    """Utilisation = throughput · service time; what is at work when the scenario ends counts in part."""
    outcome = queue(0.7, 2000, seed=3)
    stream = outcome.streams[0]
    assert stream.utilisation == outcome.cores[0]["utilisation"]
    assert stream.utilisation == pytest.approx(stream.throughput_per_s * 1 * US, abs=1 * US / outcome.elapsed_s)


def test_littles_law_holds() -> None:
    """Requests in the system, looked at every 0.13 µs, are arrivals a second times their time in it."""
    scenario = soc_sim.Scenario(small_soc(), seed=5)
    scenario.stream(service(1, 1000), name="queue", arrivals="poisson", period_s=1.4 * US, requests=1000)
    until_s = 1800 * US
    present: list[int] = []
    for step in range(int(until_s / (0.13 * US))):
        scenario.at(step * 0.13 * US, lambda scene: present.append(scene.pending("queue")))
    outcome = scenario.run(until_s)
    stream = outcome.streams[0]
    assert stream.completed == stream.requests == 1000
    arrivals_per_s = stream.requests / outcome.elapsed_s
    assert stream.mean_in_system == pytest.approx(arrivals_per_s * stream.latency_mean_s, rel=1e-9)
    assert statistics.mean(present) == pytest.approx(arrivals_per_s * stream.latency_mean_s, rel=0.02)


@pytest.mark.parametrize("policy", ["fifo", "edf", "fixed_priority"])
def test_no_policy_changes_the_work_done(policy: Any) -> None:
    """All are work-conserving: the server is busy at the same times, so the busy time is equal to the picosecond."""
    scenario = soc_sim.Scenario(small_soc(), seed=2, scheduling=policy)
    for number in range(3):
        scenario.stream(
            service(4, 250),
            name=f"stream{number}",
            arrivals="poisson",
            period_s=(4 + number) * US,
            deadline_s=(10 - 3 * number) * US,
            priority=number,
        )
    outcome = scenario.run(until_s=1000 * US)
    busy_ps = outcome.cores[0]["array_time_ps"]["busy"]
    work_ps = _work_done(outcome, 4)
    assert busy_ps == work_ps


def _work_done(outcome: Outcome, layers: int) -> int:
    """What a work-conserving server of 1 µs requests does, by Lindley's recursion over all arrivals."""
    from heapq import merge

    from soc_sim.config.loader import load
    from soc_sim.config.scenario import Scenario
    from soc_sim.scenario.arrivals import arrivals_ps

    description = load(outcome.config, Scenario)
    until_ps = description.until_ps
    assert layers * 250 == 1000
    free_ps = busy_ps = 0
    for arrival_ps in merge(*(arrivals_ps(stream, description.seed) for stream in description.streams)):
        if arrival_ps >= until_ps:
            break
        # The array's clock starts work on its edges.
        start_ps = max(free_ps, -(-arrival_ps // 1000) * 1000)
        free_ps = start_ps + 1_000_000
        busy_ps += max(0, min(free_ps, until_ps) - min(start_ps, until_ps))
    return busy_ps


def test_edf_meets_the_deadlines_of_a_schedulable_set_that_fifo_misses() -> None:
    """Two periodic streams: 8 layers of 1 µs every 20 µs, and 2 µs every 5 µs, each due after its period.

    Utilisation 8/20 + 2/5 = 0.8 ≤ 1, and a layer of 1 µs at work and one handed out ahead block the short one for less
    than the 5 − 2 = 3 µs that it has to spare: schedulable under EDF with sections that are not interrupted (Jeffay,
    Stanat and Martel, RTSS 1991). Under FIFO the short one waits for all 8 µs.
    """
    misses = {}
    for policy in ("fifo", "edf"):
        scenario = soc_sim.Scenario(small_soc(), scheduling=policy)
        scenario.stream(service(8, 1000), name="long", period_s=20 * US, deadline_s=20 * US)
        scenario.stream(service(2, 1000), name="short", period_s=5 * US, deadline_s=5 * US)
        outcome = scenario.run(until_s=400 * US)
        misses[policy] = sum(stream.deadline_misses for stream in outcome.streams)
    assert misses["edf"] == 0
    assert misses["fifo"] > 0


def test_a_higher_priority_stream_behaves_as_if_alone_but_for_what_is_handed_out() -> None:
    """At most one layer at work and one handed out ahead, 1 µs each, are before it."""
    scenario = soc_sim.Scenario(small_soc(), seed=7, scheduling="fixed_priority")
    scenario.stream(service(20, 1000), name="low", period_s=25 * US)
    scenario.stream(service(1, 500), name="high", arrivals="poisson", period_s=20 * US, priority=1)
    high = scenario.run(until_s=2000 * US).streams[1]
    assert high.completed > 60
    assert high.latency_p50_s <= 0.5 * US + 2 * US


def test_streams_on_cores_of_their_own_do_not_wait_for_each_other() -> None:
    scenario = soc_sim.Scenario(small_soc("cores=2"), seed=1)
    scenario.stream(service(10, 1000), name="a", period_s=10 * US, cores=[0])
    scenario.stream(service(1, 1000), name="b", period_s=3 * US, cores=[1])
    outcome = scenario.run(until_s=100 * US)
    assert [stream.latency_max_s for stream in outcome.streams] == pytest.approx([10 * US, 1 * US])
    assert outcome.cores[0]["utilisation"] == pytest.approx(1.0)
    assert outcome.cores[1]["utilisation"] == pytest.approx(1 / 3, abs=0.01)
