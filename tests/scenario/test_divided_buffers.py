"""Streams that share cores, each with a part of the buffers: what they keep, and that nobody waits for ever."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import pytest

import soc_sim
from soc_sim.errors import MappingError
from soc_sim.scenario import Outcome

Policy = Literal["fifo", "fixed_priority", "edf"]
BufferUse = Literal["shared", "divided"]


@cache
def two_tenants(policy: Policy, buffers: BufferUse, *, cores: int = 1, split: Any = "auto") -> Outcome:
    """A keyword spotter and an anomaly detector, whose weights fit in half of a buffer each, or not at all."""
    soc = soc_sim.load_soc("edge_16x16", [f"cores={cores}"])
    scenario = soc_sim.Scenario(soc, scheduling=policy, buffers=buffers)
    for name, period_s, priority in (("ds_cnn", 80e-6, 1), ("resnet8", 150e-6, 0)):
        network = soc_sim.load_network(name)
        scenario.stream(network, name=name, period_s=period_s, deadline_s=period_s, priority=priority, split=split)
    return scenario.run(until_s=1e-3)


@pytest.mark.parametrize("policy", ["fifo", "edf"])
def test_what_stays_saves_traffic_and_nobody_is_held_up(policy: Policy) -> None:
    """Each keeps results, and the spotter its 22 kB of weights, which are loaded once."""
    shared, divided = two_tenants(policy, "shared"), two_tenants(policy, "divided")
    assert any("keep nothing on chip" in warning for warning in shared.warnings)
    assert not any("keep nothing on chip" in warning for warning in divided.warnings)
    # In 1 ms 13 and 7 requests arrive, the last ones too late.
    assert all(sent - stream.completed <= 1 for sent, stream in zip((13, 7), divided.streams, strict=True))
    moved = [outcome.document["dram"]["read_bytes"] for outcome in (shared, divided)]
    assert moved[1] < 0.7 * moved[0]
    for before, after in zip(shared.streams, divided.streams, strict=True):
        assert after.completed >= before.completed
        assert after.latency_mean_s < before.latency_mean_s


@pytest.mark.parametrize("soc_name", ["mcu_8x8", "gemmini_16x16_unified_like"])
@pytest.mark.parametrize("policy", ["fifo", "edf"])
def test_small_and_unified_buffers_do_not_lock_up(soc_name: str, policy: Policy) -> None:
    """All requests come at once, and layers are handed out far ahead."""
    ahead = None if policy == "fifo" else 3
    scenario = soc_sim.Scenario(soc_sim.load_soc(soc_name), scheduling=policy, layers_ahead=ahead, buffers="divided")
    for number, name in enumerate(("ds_cnn", "autoencoder", "resnet8")):
        network = soc_sim.load_network(name)
        scenario.stream(network, name=name, period_s=1e-6, requests=2, deadline_s=1e-3, offset_s=number * 1e-6)
    assert [stream.completed for stream in scenario.run(until_s=20e-3).streams] == [2, 2, 2]


def test_an_urgent_stream_overtakes_where_the_other_keeps_results() -> None:
    """At the end of any layer: what the other one keeps is in its own part."""
    fifo, urgent = two_tenants("fifo", "divided"), two_tenants("fixed_priority", "divided")
    assert urgent.streams[0].latency_p99_s < fifo.streams[0].latency_p99_s


def test_pipelines_that_share_cores_keep_what_their_stages_hold() -> None:
    shared, divided = (two_tenants("fifo", buffers, cores=2, split="pipeline") for buffers in ("shared", "divided"))
    for before, after in zip(shared.streams, divided.streams, strict=True):
        assert after.completed >= before.completed
        assert after.latency_mean_s < before.latency_mean_s


def test_a_program_for_the_whole_buffers_has_no_part() -> None:
    soc = soc_sim.load_soc("edge_16x16")
    scenario = soc_sim.Scenario(soc, buffers="divided")
    network = soc_sim.load_network("ds_cnn")
    scenario.stream(soc_sim.compile(soc, network), name="whole", period_s=1e-4)
    scenario.stream(network, name="part", period_s=1e-4)
    with pytest.raises(MappingError, match="ds_cnn was compiled for more than one of 2 parts of the buffers"):
        scenario.run(until_s=1e-4)


def test_one_stream_alone_has_all_of_them() -> None:
    outcomes = []
    for buffers in ("shared", "divided"):
        scenario = soc_sim.Scenario(soc_sim.load_soc("edge_16x16"), buffers=buffers)
        scenario.stream(soc_sim.load_network("ds_cnn"), period_s=1e-4)
        outcomes.append(scenario.run(until_s=3e-4).streams[0])
    assert outcomes[0].latency_mean_s == outcomes[1].latency_mean_s
