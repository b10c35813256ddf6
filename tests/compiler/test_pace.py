"""The pace expected of a pipeline: closed forms of small cases, bounds of all, and what the simulation says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim import system
from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.pace import Demand, balanced, pace_of
from soc_sim.compiler.stages import Stages, cut
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.network import zoo

demands = st.builds(
    lambda time_ps, part, on_host: Demand(time_ps, on_host, {"dram": time_ps * part // 100}),
    time_ps=st.integers(1, 1000),
    part=st.integers(0, 100),
    on_host=st.booleans(),
)


def test_one_stage_takes_its_layers_one_after_another() -> None:
    layers = [Demand(100, False, {"dram": 100}), Demand(50, True, {"dram": 10})]
    assert pace_of(layers, Stages()).interval_ps == 150


def test_stages_that_share_nothing_have_the_pace_of_the_slowest() -> None:
    layers = [Demand(time_ps, False) for time_ps in (70, 100, 30, 90)]
    pace = pace_of(layers, Stages((0, 1, 2)))
    assert (pace.interval_ps, pace.bound) == (120, "core2")


def test_a_memory_that_is_never_idle_sets_the_pace() -> None:
    """Each of three equal stages wants all of it: they take turns."""
    pace = pace_of([Demand(100, False, {"dram": 100})] * 3, Stages((0, 1, 2)))
    assert (pace.interval_ps, pace.bound) == (300, "dram")


def test_two_stages_that_each_want_three_quarters_of_a_memory_go_at_two_thirds_of_their_speed() -> None:
    pace = pace_of([Demand(100, False, {"dram": 75})] * 2, Stages((0, 1)))
    assert pace.interval_ps == 150


def test_a_layer_that_wants_little_of_a_memory_gets_it() -> None:
    """Max-min fairness: a tenth for the one leaves nine tenths for the other, which wants all."""
    pace = pace_of([Demand(200, False, {"dram": 20}), Demand(90, False, {"dram": 90})], Stages((0, 1)))
    assert pace.interval_ps == pytest.approx(200, abs=1)


def test_stages_wait_for_the_host_in_turn() -> None:
    """A stage needs it for 60 of 100, two of them for 120: it is never idle, and each core waits for 20."""
    layers = [Demand(40, False), Demand(60, True)] * 2
    pace = pace_of(layers, Stages((0, 2)))
    assert (pace.interval_ps, pace.bound) == (120, "host")


@given(layers=st.lists(demands, min_size=3, max_size=8), data=st.data())
def test_bounds(layers: list[Demand], data: st.DataObject) -> None:
    """Not faster than what has the most to do, not slower than without any overlap."""
    cuts = data.draw(st.sets(st.integers(1, len(layers) - 1), max_size=3))
    stages = Stages((0, *sorted(cuts)))
    interval_ps, times_ps = pace_of(layers, stages).interval_ps, [layer.time_ps for layer in layers]
    assert interval_ps >= max(stages.times_ps(times_ps))
    assert interval_ps >= sum(layer.memories_ps["dram"] for layer in layers)
    assert interval_ps >= sum(layer.time_ps for layer in layers if layer.on_host)
    assert interval_ps <= sum(times_ps)


def test_cuts_are_moved_where_the_host_sets_the_pace() -> None:
    """Halves of equal time wait for the host at the wrong moments; with the cut a layer before, it is never idle."""
    host, array = ((20, True), (20, True), (40, True), (30, True)), ((60, False), (60, True), (40, True), (30, False))
    layers = [Demand(*one) for one in (*host, *array)]
    even, best = cut([layer.time_ps for layer in layers], [0] * 8, 2), balanced(layers, [0] * 8, 2)
    assert (even, best) == (Stages((0, 5)), Stages((0, 4)))
    assert pace_of(layers, best).interval_ps == 210 < pace_of(layers, even).interval_ps


@given(layers=st.lists(demands, min_size=2, max_size=10), most=st.integers(2, 4))
def test_moved_cuts_are_no_worse(layers: list[Demand], most: int) -> None:
    even = cut([layer.time_ps for layer in layers], [0] * len(layers), most)
    assert pace_of(layers, balanced(layers, [0] * len(layers), most)).interval_ps <= pace_of(layers, even).interval_ps


@pytest.mark.parametrize(
    ("network", "soc_name", "cores", "tolerance"),
    [
        ("autoencoder", "edge_16x16", 3, 0.05),
        ("resnet8", "edge_16x16", 2, 0.05),
        ("ds_cnn", "edge_16x16", 4, 0.25),
        ("bert_tiny", "edge_16x16", 2, 0.15),
        ("resnet8", "mcu_8x8", 2, 0.1),
        ("ds_cnn", "mcu_8x8", 4, 0.1),
    ],
)
def test_the_expected_pace_is_near_the_simulated_one(network: str, soc_name: str, cores: int, tolerance: float) -> None:
    """When the pipeline is full, and before the last requests leave it; in DRAM, row misses are left out."""
    soc = load(soc_name, Soc, (f"cores={cores}",))
    program = compile(zoo.load(network), soc, Mapping(split="pipeline"))
    assert program.pace is not None
    assert len(program.stages) == cores
    requests = 2 * (cores + 3)
    ends_ps = system.run(soc, program, inferences=requests).inference_end_ps
    interval_ps = (ends_ps[-cores - 2] - ends_ps[cores]) / (requests - 2 * cores - 2)
    assert interval_ps == pytest.approx(program.pace.interval_ps, rel=tolerance)


def test_stages_that_share_a_memory_ask_less_of_it() -> None:
    """BERT-Tiny on two cores moves fewer bytes than on one, and is faster than two cores on each layer."""
    network, two = zoo.load("bert_tiny"), load("edge_16x16", Soc, ("cores=2",))
    pipeline, one = compile(network, two, Mapping(split="pipeline")), compile(network, load("edge_16x16", Soc))
    moved = [
        sum(
            layer.estimate.dram_read_bytes + layer.estimate.dram_write_bytes
            for layer in program.layers
            if layer.estimate
        )
        for program in (pipeline, one)
    ]
    assert moved[0] < 0.8 * moved[1]
    assert pipeline.pace is not None
    ends_ps = system.run(two, compile(network, two), inferences=2).inference_end_ps
    assert pipeline.pace.interval_ps < 0.85 * (ends_ps[1] - ends_ps[0])
