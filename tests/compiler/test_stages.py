"""Where a network is cut into the stages of a pipeline, and the programs that come of it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.lowered import Uses
from soc_sim.compiler.memory_plan import Lifetime
from soc_sim.compiler.program import Compute, Load, Program
from soc_sim.compiler.stages import TOLERANCE, Stages, crossing_bytes, cut
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder

PIPELINE = Mapping(split="pipeline")


def crossed(stages: Stages, crossing: list[int]) -> int:
    return sum(crossing[layer] for layer in stages.first_layers[1:])


@given(
    layers=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50)), min_size=1, max_size=7),
    most=st.integers(1, 4),
)
def test_cuts_are_the_best_of_all(layers: list[tuple[int, int]], most: int) -> None:
    times, crossing = [time for time, _ in layers], [size for _, size in layers]
    every = [
        Stages((0, *cuts))
        for count in range(min(most, len(times)))
        for cuts in combinations(range(1, len(times)), count)
    ]
    least = min(max(stages.times_ps(times)) for stages in every)
    near = [stages for stages in every if max(stages.times_ps(times)) <= least * TOLERANCE]
    found = cut(times, crossing, most)
    assert found in near
    assert crossed(found, crossing) == min(crossed(stages, crossing) for stages in near)


def test_what_crosses_a_cut_is_what_a_later_layer_reads() -> None:
    """A result of layer 0 that layers 1 and 3 read crosses the cuts before 1, 2 and 3; one nobody reads, none."""
    sizes = {"residual": 10, "next": 1, "unread": 100, "input": 1000}
    uses = {
        "residual": Uses((0,), (1, 3), Lifetime(0, 3)),
        "next": Uses((1,), (2,), Lifetime(1, 2)),
        "unread": Uses((2,), (), Lifetime(2, 3)),
        "input": Uses((), (0, 2), Lifetime(-1, 2)),
    }
    assert crossing_bytes(sizes, uses, 4) == [0, 10, 11, 10]


def test_layers_belong_to_the_stage_that_begins_before_them() -> None:
    stages = Stages((0, 2, 5))
    assert [stages.of(layer) for layer in range(7)] == [0, 0, 1, 1, 1, 2, 2]
    assert stages.layers(7) == [range(2), range(2, 5), range(5, 7)]


def with_residual() -> Network:
    """The input of the second block is added three layers later, so it lives across whichever cut lies between."""
    net = NetworkBuilder("residual", "test")
    first = net.conv("a", net.input("x", 1, 8, 16, 16), 16, 3, padding=1)
    x = net.conv("b", first, 16, 3, padding=1)
    x = net.conv("c", x, 16, 3, padding=1)
    x = net.conv("d", x, 16, 3, padding=1)
    x = net.add("sum", x, first)
    return net.build(net.conv("e", x, 16, 3, padding=1))


@pytest.mark.parametrize("residency", ["auto", "off"])
@pytest.mark.parametrize("cores", [1, 2, 3, 8])
def test_a_pipeline_computes_what_the_network_says(cores: int, residency: str) -> None:
    soc, net = make_soc(cores=cores, buffers="8 KiB"), with_values(with_residual(), seed=1)
    program = compile(net, soc, Mapping.model_validate({"split": "pipeline", "residency": residency}))
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)
    check_memory(program)
    assert verify(net, soc, program, random_inputs(net, seed=2)).matches
    # Stages that the memory would hold up are not formed.
    assert min(cores, 2) <= len(program.stages) <= min(cores, len(program.layers))


def cores_of(program: Program) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {layer.index: set() for layer in program.layers}
    for instruction in program.instructions:
        found[instruction.layer].add(instruction.core)
    return found


@pytest.mark.parametrize("network", ["resnet8", "bert_tiny"])
def test_each_core_has_consecutive_layers_host_operators_among_them(network: str) -> None:
    program = compile(zoo.load(network), load("edge_16x16", Soc, ("cores=4",)), PIPELINE)
    stages = [range(stage.first_layer, stage.last_layer + 1) for stage in program.stages]
    assert [layer for layers in stages for layer in layers] == list(range(len(program.layers)))
    for stage, layers in zip(program.stages, stages, strict=True):
        assert {core for layer in layers for core in cores_of(program)[layer]} == {stage.core}
        estimates = [program.layers[layer].estimate for layer in layers]
        assert stage.latency_ps == sum(estimate.latency_ps for estimate in estimates if estimate)


def test_stages_are_balanced() -> None:
    """No stage takes longer than its even share by more than the longest layer."""
    program = compile(zoo.load("resnet18"), load("edge_16x16", Soc, ("cores=4",)), PIPELINE)
    times = [stage.latency_ps for stage in program.stages]
    longest = max(layer.estimate.latency_ps for layer in program.layers if layer.estimate)
    assert max(times) <= sum(times) / 4 + longest


def test_results_are_kept_within_a_stage_alone() -> None:
    program = compile(zoo.load("resnet8"), load("edge_16x16", Soc, ("cores=2",)), PIPELINE)
    kept = {core for i in program.instructions if isinstance(i, Load) and not i.regions for core in [i.core]}
    assert kept == {0, 1}
    border = program.layers[program.stages[1].first_layer - 1]
    assert border.residency is not None
    assert border.residency.outputs == ("dram",)
    assert "several stages of the pipeline use it" in border.residency.reason


def test_weights_stay_on_the_core_whose_stage_they_are_of() -> None:
    """Together they are more than one weights buffer holds, each stage's are not: nothing is loaded twice."""
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 32, 8, 8)
    for name in "abcd":
        x = net.conv(name, x, 32, 3, padding=1, bias=False)
    network, bytes_of_one = net.build(x), 32 * 32 * 9
    for cores, resident in ((1, False), (2, True)):
        soc = make_soc(cores=cores, buffers=(f"{2 * bytes_of_one} B", "16 KiB", "16 KiB"))
        program = compile(network, soc, PIPELINE)
        assert bool(program.once) is resident
        tiles = [i for i in program.instructions if isinstance(i, Load) and i.buffer == "weights"]
        assert not resident or sum(load.buffer_bytes for load in tiles) == 4 * bytes_of_one
        assert sum(i.counts.macs for i in program.instructions if isinstance(i, Compute)) == program.macs


def test_for_throughput_the_faster_way_by_estimate_is_taken() -> None:
    """ResNet-8 becomes a pipeline; a single layer cannot, and is shared out."""
    net = NetworkBuilder("one", "test")
    one = net.build(net.conv("conv", net.input("x", 1, 32, 32, 32), 64, 3, padding=1))
    soc, throughput = make_soc(cores=2, buffers="64 KiB"), Mapping(objective="throughput")
    assert compile(one, soc, throughput) == compile(one, soc)
    alone = make_soc(cores=1, buffers="64 KiB")
    assert compile(one, alone, throughput) == compile(one, alone)
    resnet8, edge = zoo.load("resnet8"), load("edge_16x16", Soc, ("cores=2",))
    pipeline = compile(resnet8, edge, PIPELINE)
    assert compile(resnet8, edge, throughput) == pipeline
    together = compile(resnet8, edge)
    assert pipeline.pace is not None
    assert pipeline.pace.interval_ps < sum(layer.estimate.latency_ps for layer in together.layers if layer.estimate)


FLASH_ACCESS_BYTES = 128


def test_what_stages_share_may_set_the_pace() -> None:
    """All cores load their weights from one flash of 0.1 GB/s: no result comes before they are loaded."""
    program = compile(zoo.load("resnet8"), load("mcu_8x8", Soc, ("cores=4",)), PIPELINE)
    loaded_bytes = sum(
        -(-region.size_bytes // FLASH_ACCESS_BYTES) * FLASH_ACCESS_BYTES
        for i in program.instructions
        if isinstance(i, Load) and not i.once
        for region in i.regions
        if region.memory == "weight_memory"
    )
    assert program.pace is not None
    assert program.pace.bound == "weight_memory"
    assert program.pace.interval_ps == pytest.approx(loaded_bytes * 1e12 / 100_000_000, rel=1e-6)
    assert program.pace.interval_ps > max(stage.latency_ps for stage in program.stages)
