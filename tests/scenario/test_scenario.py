"""Scenarios in Python: arrivals, actions, what comes out, and that everything is repeatable."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from itertools import islice, pairwise
from typing import Any

import pytest

import soc_sim
from soc_sim import compiler, system
from soc_sim.compiler.program import Compute, Load, Program, Region
from soc_sim.config.loader import load
from soc_sim.config.scenario import RequestStream
from soc_sim.config.scenario import Scenario as Description
from soc_sim.errors import ConfigurationError, DeadlockError
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.scenario import Outcome, Scenario
from soc_sim.scenario.arrivals import arrivals_ps
from soc_sim.scenario.scenario import run_description
from soc_sim.testing.small import program_of, small_soc, tile

US = 10**-6


def stream(**fields: Any) -> RequestStream:
    return load({"name": "s", "network": "resnet8"} | fields, RequestStream)


def times(count: int, seed: int = 0, **fields: Any) -> list[int]:
    return list(islice(arrivals_ps(stream(**fields), seed), count))


def test_periodic_requests_do_not_drift() -> None:
    assert times(4, period="33333333333 ps", offset="1 ms") == [10**9 + n * 33_333_333_333 for n in range(4)]


def test_jitter_delays_by_less_than_its_share() -> None:
    late = [b - n * 10**9 for n, b in enumerate(times(500, period="1 ms", jitter=0.25))]
    assert all(0 <= one < 0.25 * 10**9 for one in late)
    assert max(late) > 0.2 * 10**9


def test_poisson_times_have_the_mean_and_the_spread_of_an_exponential() -> None:
    """Mean and standard deviation of the distances equal the period; within four standard errors."""
    found = times(20_000, arrivals="poisson", period="1 us")
    gaps = [b - a for a, b in pairwise([0, *found])]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(10**6, rel=4 / 20_000**0.5)
    assert spread == pytest.approx(10**6, rel=0.06)
    assert found != times(20_000, seed=1, arrivals="poisson", period="1 us")


def test_given_times_and_a_number_of_requests() -> None:
    assert times(9, arrivals="trace", times=["1 ns", "5 ns", "5 ns"]) == [1000, 5000, 5000]
    assert len(times(9, period="1 ms", requests=3)) == 3


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "period: is missing with arrivals periodic"),
        ({"arrivals": "trace"}, "times: is missing with arrivals trace"),
        ({"arrivals": "trace", "times": ["2 ms", "1 ms"]}, "times: are not in order"),
        ({"arrivals": "poisson", "period": "1 ms", "offset": "1 ms"}, "offset: has no effect with arrivals poisson"),
        ({"arrivals": "trace", "times": ["1 ms"], "period": "1 ms"}, "period: has no effect with arrivals trace"),
        ({"period": "1 ms", "cores": [0, 0]}, "cores[1]: '0' is given twice"),
    ],
)
def test_arrivals_that_do_not_fit_together_are_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stream(**fields)
    assert fault in str(caught.value)


def test_one_request_alone_takes_as_long_as_a_run() -> None:
    soc, network = soc_sim.load_soc("mcu_8x8"), soc_sim.load_network("resnet8")
    scenario = Scenario(soc)
    scenario.stream(network, period_s=1.0, requests=1)
    outcome = scenario.run(until_s=0.01)
    result = soc_sim.simulate(soc, network)
    assert outcome.streams[0].latency_max_s == result.latency_s
    assert outcome.streams[0].macs_executed == result.macs_executed
    assert outcome.dram["read_bytes"] == result.dram["read_bytes"]
    assert outcome.cores[0]["array_time_ps"]["busy"] == result.cores[0]["array_time_ps"]["busy"]


def test_energy_is_divided_without_a_remainder() -> None:
    """Streams, background and what leaks while arrays are idle make up the whole."""
    scenario = Scenario(soc_sim.load_soc("edge_16x16"), seed=1)
    scenario.stream(soc_sim.load_network("ds_cnn"), period_s=2e-3)
    scenario.stream(soc_sim.load_network("resnet8"), period_s=3e-3, offset_s=1e-3)
    scenario.background("display", bytes_per_s=2e8)
    outcome = scenario.run(until_s=6e-3)
    parts = [one.energy_j for one in outcome.streams]
    parts += [outcome.initiators["display"]["energy_j"], outcome.idle_energy_j]
    assert sum(parts) == pytest.approx(outcome.energy_j, rel=1e-9)
    assert all(part > 0 for part in parts)
    assert outcome.streams[0].energy_per_request_j == outcome.streams[0].energy_j / outcome.streams[0].completed


@cache
def compiled(name: str) -> Program:
    return compiler.compile(zoo.load(name), soc_sim.load_soc("mcu_8x8"))


def busy(ready: Callable[[str], Network | Program] = compiled) -> Scenario:
    scenario = Scenario(soc_sim.load_soc("mcu_8x8"), seed=4, scheduling="edf")
    scenario.stream(ready("ds_cnn"), arrivals="poisson", period_s=1e-3, deadline_s=2e-3)
    scenario.stream(ready("resnet8"), period_s=4e-3, jitter=0.5, deadline_s=4e-3)
    scenario.background("cpu", bytes_per_s=3e8, pattern="random", read_share=0.7, jitter=1.0, chunk="512 B")
    return scenario


def test_equal_scenarios_give_equal_documents() -> None:
    documents = [json.loads(busy().run(until_s=5e-3).to_json()) for _ in range(2)]
    for document in documents:
        del document["simulation"]["wall_s"]
    assert documents[0] == documents[1]


def test_the_embedded_configuration_runs_again() -> None:
    from soc_sim.config.scenario import Scenario as Description
    from soc_sim.scenario.scenario import run_description

    first = busy(soc_sim.load_network).run(until_s=3e-3)
    again = run_description(load(first.config, Description))
    for outcome in (first, again):
        del outcome.document["simulation"]["wall_s"]
    assert first.document == again.document


def test_sums_hold_where_a_scenario_ends_in_the_middle() -> None:
    """Every core's time is accounted for to the picosecond; nothing is busy for longer than time passes."""
    outcome = busy().run(until_s=3.1e-3)
    elapsed_ps = round(outcome.elapsed_s * 10**12)
    assert any(one.unfinished for one in outcome.streams)
    for core in outcome.cores:
        assert sum(core["array_time_ps"].values()) == elapsed_ps
        assert 0 < core["utilisation"] < 1
    assert all(0 <= span <= outcome.elapsed_s for span in outcome.interconnect["busy_s"].values())
    assert outcome.dram["busy_s"] <= outcome.elapsed_s
    passed = sum(one["bytes"] for one in outcome.initiators.values())
    served = sum(outcome.dram[key] + outcome.weight_memory[key] for key in ("read_bytes", "write_bytes"))
    # Some of what the memories have served may still be on its way.
    assert passed <= served <= passed + 4 * 2048


def test_background_traffic_only_slows_down() -> None:
    def latency_s(bytes_per_s: float) -> float:
        scenario = Scenario(soc_sim.load_soc("edge_16x16"), seed=1)
        scenario.stream(soc_sim.load_network("resnet8"), period_s=1.0, requests=1)
        if bytes_per_s:
            scenario.background("cpu", bytes_per_s=bytes_per_s, pattern="random", jitter=1.0)
        found: float = scenario.run(until_s=3e-3).streams[0].latency_max_s
        return found

    alone, light, heavy = (latency_s(rate) for rate in (0, 1e9, 6e9))
    # A documented scheduling anomaly may make it faster by 1 %.
    assert 0.99 * alone <= light
    assert 0.99 * light <= heavy
    assert heavy <= alone / (1 - 6 / 12.8) * 1.5


def greedy(**arbitration: Any) -> dict[str, float]:
    """Bandwidth in GB/s of two initiators that each ask for 10 GB/s of an LPDDR4 that can give less to both."""
    scenario = Scenario(soc_sim.load_soc("edge_16x16"), seed=1)
    for name in "ab":
        scenario.background(name, bytes_per_s=10e9, pattern="random")
    scenario.interconnect(**arbitration)
    outcome = scenario.run(until_s=0.15e-3)
    return {name: outcome.initiators[name]["bandwidth_bytes_per_s"] / 1e9 for name in "ab"}


def test_priorities_and_weights_bind_on_a_dram() -> None:
    """By turns the two share evenly; a priority gives the first all it asks for; weights share in proportion."""
    even = greedy()
    assert even["a"] == pytest.approx(even["b"], rel=0.02)
    for first, second in ("ab", "ba"):
        shares = greedy(arbitration="fixed_priority", priorities=[first])
        assert shares[first] == pytest.approx(10, rel=0.02)
        assert shares[second] < 0.4 * even[second]
    weighted = greedy(arbitration="weighted", weights={"a": 3})
    assert weighted["a"] / weighted["b"] == pytest.approx(3, rel=0.03)


def test_an_action_changes_the_frequency_from_then_on() -> None:
    """1000 cycles at 1 GHz, then at 500 MHz."""
    scenario = Scenario(small_soc())
    scenario.stream(program_of([Compute(0, 0, 0, (), (), 0, 0, 0, tile(1000))]), name="s", period_s=10 * US)
    scenario.at(15 * US, lambda scene: scene.set_frequency("array", 500e6))
    outcome = scenario.run(until_s=25 * US)
    assert outcome.streams[0].latency_p50_s == pytest.approx(1 * US)
    assert outcome.streams[0].latency_max_s == pytest.approx(2 * US)
    assert any("actions" in warning for warning in outcome.warnings)


def test_an_action_may_ask_for_an_inference() -> None:
    """A second network wakes up when the first has heard something."""
    scenario = Scenario(small_soc())
    one = program_of([Compute(0, 0, 0, (), (), 0, 0, 0, tile(1000))])
    scenario.stream(one, name="never", period_s=1.0, offset_s=1.0)
    seen: list[float] = []
    scenario.at(3 * US, lambda scene: (scene.request("never"), seen.append(scene.now_s)))
    outcome = scenario.run(until_s=10 * US)
    assert (outcome.streams[0].completed, outcome.streams[0].latency_max_s) == (1, pytest.approx(1 * US))
    assert seen == [pytest.approx(3 * US)]
    scenario.at(4 * US, lambda scene: scene.request("nevr"))
    with pytest.raises(ConfigurationError, match="'nevr' is no stream; allowed: never; did you mean 'never'"):
        scenario.run(until_s=10 * US)


def test_a_request_that_never_ends_is_a_deadlock() -> None:
    scenario = Scenario(small_soc())
    stuck = program_of(
        [
            Load(0, 0, 0, "inputs", (Region("dram", 0, 64),), 1000),
            Load(1, 0, 0, "inputs", (Region("dram", 0, 64),), 1000),
            Compute(2, 0, 0, (), (0, 1), 0, 0, 2000, tile(1)),
        ]
    )
    scenario.stream(stuck, name="s", period_s=1.0)
    with pytest.raises(DeadlockError, match="load 1 needs 1000 bytes"):
        scenario.run(until_s=0.5)


def test_streams_of_one_network_take_turns() -> None:
    """Asked for at the same time, the second waits for the first; each has memory of its own."""
    soc = soc_sim.load_soc("mcu_8x8")
    scenario = Scenario(soc)
    for name in ("left", "right"):
        scenario.stream(soc_sim.load_network("resnet8"), name=name, period_s=1.0, requests=1)
    outcome = scenario.run(until_s=5e-3)
    assert [one.completed for one in outcome.streams] == [1, 1]
    assert outcome.streams[0].latency_max_s < outcome.streams[1].latency_max_s


def test_streams_that_share_cores_in_part_are_refused() -> None:
    scenario = Scenario(small_soc("cores=3"))
    one = program_of([Compute(0, 0, 0, (), (), 0, 0, 0, tile(1))])
    scenario.stream(one, name="a", period_s=1.0, cores=[0, 1])
    scenario.stream(one, name="b", period_s=1.0, cores=[1, 2])
    with pytest.raises(ConfigurationError, match=r"streams\[1\].cores: 'b' and 'a' have some cores in common"):
        scenario.run(until_s=1.0)


def test_an_outcome_is_read_by_attribute_and_written_as_json(tmp_path: Any) -> None:
    outcome: Outcome = busy().run(until_s=1e-3)
    outcome.write_json(tmp_path / "outcome.json")
    assert json.loads((tmp_path / "outcome.json").read_text()) == json.loads(outcome.to_json())
    assert outcome.streams[1].name == "resnet8"
    with pytest.raises(AttributeError, match="StreamOutcome has no 'latency_p98_s'; there are: name"):
        _ = outcome.streams[0].latency_p98_s


def test_two_concurrent_networks_cost_the_events_of_both() -> None:
    """On cores of their own, with waits on each other at most a chunk's: no events beyond those of each alone."""
    soc = soc_sim.load_soc("edge_16x16", ["cores=2"])
    alone = soc_sim.load_soc("edge_16x16")
    names = ("resnet8", "ds_cnn")
    events = sum(system.run(alone, compiler.compile(zoo.load(name), alone)).events for name in names)
    scenario = Scenario(soc)
    for core, name in enumerate(names):
        scenario.stream(soc_sim.load_network(name), period_s=1.0, cores=[core])
    outcome = scenario.run(until_s=5e-3)
    assert all(one.completed == 1 for one in outcome.streams)
    # Arrivals, controllers that wait for them, and the looks at progress; a DRAM may look once more at a chunk.
    assert events <= outcome.simulation["events"] < 1.1 * events


def test_weights_in_shared_sram_need_one() -> None:
    """A fault of the stream that asks; where background traffic has taken all of it, the run goes on and says so."""
    plain = {"name": "one", "network": "ds_cnn", "period": "5 ms", "mapping": {"sram_weights": "resident"}}
    described = {"kind": "scenario", "soc": "mcu_8x8", "until": "1 ms", "streams": [plain]}
    with pytest.raises(ConfigurationError, match=r"sram_weights: 'resident' needs soc\.system_sram"):
        load(described, Description)
    sram = "soc.system_sram={capacity: 16 KiB, width: 8 B, clock: 200 MHz}"
    camera = {"name": "camera", "memory": "system_sram", "bandwidth": "1 MB/s", "footprint": "16 KiB"}
    outcome = run_description(load(described | {"background": [camera]}, Description, (sram,)))
    assert "nothing of system_sram is left for weights of streams: one" in outcome.warnings
    assert not any("left for" in text for text in run_description(load(described, Description, (sram,))).warnings)
