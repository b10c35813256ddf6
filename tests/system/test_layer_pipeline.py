"""A pipeline of layers at work: its pace, its latency, what it does without enough memory, and beside others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest

import soc_sim
from soc_sim import compiler, system
from soc_sim.compiler.program import Compute, Load, Program, Region, Store, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping, Run
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.facade import simulate_run
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.observe.summary import summary
from soc_sim.scenario import Scenario
from soc_sim.system.layout import lay_out
from soc_sim.testing.bounds import lower_bound_ps
from soc_sim.testing.checks import check_record
from soc_sim.testing.variants import changed, with_ideal_memory, with_ports

PIPELINE = Mapping(split="pipeline")
NS_PS = 1000


def compiled(name: str, cores: int, soc_name: str = "edge_16x16") -> tuple[Soc, Program]:
    soc = load(soc_name, Soc, (f"cores={cores}",))
    return soc, compiler.compile(zoo.load(name), soc, PIPELINE)


def chain(layers: int) -> Network:
    net = NetworkBuilder("chain", "test")
    x = net.input("x", 1, 16, 28, 28)
    for index in range(layers):
        x = net.conv(f"conv{index}", x, 32 if index % 2 else 48, 3, padding=1)
    return net.build(x)


def array_ps(program: Program) -> list[int]:
    """Time of each core's array for one inference, at 1 GHz."""
    cycles = [0] * program.cores
    for i in program.instructions:
        if isinstance(i, Compute):
            cycles[i.core] += i.counts.cycles
    return [one * NS_PS for one in cycles]


@pytest.mark.parametrize("cores", [1, 2, 3, 4])
def test_on_ideal_memory_the_pace_is_that_of_the_slowest_stage(cores: int) -> None:
    """With memory that takes no time and no hand-overs, arrays are all there is.

    One request takes the sum of the stages, and others follow at intervals of the slowest, to the picosecond.
    """
    soc = changed(with_ports(with_ideal_memory(load("edge_16x16", Soc)), 8), cores=cores)
    soc = changed(soc, controller=changed(soc.controller, dispatch_cycles=0))
    program = compiler.compile(chain(6), soc, PIPELINE)
    stages = array_ps(program)
    # Of six layers, all but the first alike, three pairs are no slower than four stages.
    assert len(program.stages) == min(cores, 3)
    assert system.run(soc, program).makespan_ps == sum(stages)
    record = system.run(soc, program, inferences=6)
    check_record(record)
    ends_ps = record.inference_end_ps
    assert ends_ps[0] == sum(stages)
    assert [after - before for before, after in pairwise(ends_ps)] == [max(stages)] * 5


@pytest.mark.parametrize(("name", "cores"), [("resnet8", 2), ("resnet8", 4), ("ds_cnn", 3)])
def test_bounds(name: str, cores: int) -> None:
    """The pace is no faster than the slowest array, and one request no faster than the arrays in a row.

    But for the layer before each cut, whose first rows the next core may take while it goes on. And cores that work on
    different requests have more throughput than one.
    """
    soc, program = compiled(name, cores)
    stages, borders = array_ps(program), [stage.last_layer for stage in program.stages[:-1]]
    overlap_ps = NS_PS * sum(
        i.counts.cycles for i in program.instructions if isinstance(i, Compute) and i.layer in borders
    )
    alone, record = system.run(soc, program), system.run(soc, program, inferences=6)
    check_record(alone)
    check_record(record)
    ends_ps = record.inference_end_ps
    interval_ps = (ends_ps[-1] - ends_ps[0]) / 5
    one_core = changed(soc, cores=1)
    single = system.run(one_core, compiler.compile(zoo.load(name), one_core), inferences=6).inference_end_ps
    assert interval_ps >= max(stages)
    assert alone.makespan_ps >= max(sum(stages) - overlap_ps, lower_bound_ps(soc, program))
    assert alone.makespan_ps <= 1.1 * single[0]
    assert interval_ps < 0.9 * (single[-1] - single[0]) / 5


def test_two_runs_are_equal() -> None:
    soc, program = compiled("resnet8", 3)
    again = compiler.compile(zoo.load("resnet8"), soc, PIPELINE)
    assert program == again
    assert system.run(soc, program, inferences=4) == system.run(soc, again, inferences=4)


def activations(program: Program, address_of: Callable[[Region], int] | None, *, written: bool) -> set[int]:
    """Pages of main memory with activations that a request reads or writes with one of the sets."""
    first, pages = program.memory_map.activations["dram"], set[int]()
    for i in program.instructions:
        regions: tuple[Region, ...] = ()
        match i:
            case Load(regions=read) if not written:
                regions = read
            case Store(regions=stored) if written:
                regions = stored
            case VectorOp(reads=reads, writes=writes):
                regions = writes if written else reads
        for region in regions:
            if region.memory == "dram" and region.address >= first:
                start = address_of(region) if address_of else region.address
                end = start + region.line_bytes + (region.lines - 1) * region.pitch_bytes
                pages |= set(range(start // 64, -(-end // 64)))
    return pages


def test_no_request_overwrites_what_another_still_reads() -> None:
    """Requests under way at once write where no other reads or writes, and there are never more than sets of memory."""
    soc, program = compiled("resnet8", 3)
    sets = lay_out(soc, [program], [program.requests_under_way]).sets[0]
    assert len(sets) == 4
    written = [activations(program, address_of, written=True) for address_of in sets]
    read = [activations(program, address_of, written=False) for address_of in sets]
    for one, writes in enumerate(written):
        assert writes & read[one]
        for other in range(len(sets)):
            assert one == other or not writes & (read[other] | written[other])
    times = system.run(soc, program, inferences=7).times
    spans, before = list[tuple[int, int]](), len(program.instructions)
    for index, start_ps, end_ps in zip(times.instructions, times.started_ps, times.completed_ps, strict=True):
        if index < before:
            spans.append((start_ps, end_ps))
        spans[-1] = min(spans[-1][0], start_ps), max(spans[-1][1], end_ps)
        before = index
    assert len(spans) == 7
    under_way = [sum(begin <= start < end for begin, end in spans) for start, _ in spans]
    assert 3 <= max(under_way) <= len(sets)


@pytest.mark.parametrize(("sets", "overlaps"), [(1, False), (2, True), (4, True)])
def test_with_less_memory_requests_wait_for_one_another(sets: int, overlaps: bool) -> None:
    """As many are under way as there are sets of activations; with one, each begins when the last has ended."""
    soc, program = compiled("resnet8", 3, "mcu_8x8")
    used = lay_out(soc, [program], [sets]).ends["dram"]
    small = changed(soc, dram=changed(soc.dram, capacity_bytes=used))
    record = system.run(small, program, inferences=5)
    check_record(record)
    ends_ps = record.inference_end_ps
    assert ends_ps[0] >= system.run(soc, program).makespan_ps
    assert ((ends_ps[-1] - ends_ps[0]) / 4 < 0.9 * ends_ps[0]) is overlaps


def test_results_state_the_pace_and_who_is_busy() -> None:
    run = load(
        {
            "kind": "run",
            "soc": "edge_16x16",
            "workload": {"network": "resnet8", "inferences": 5},
            "mapping": {"split": "pipeline"},
        },
        Run,
        ("soc.cores=2",),
    )
    document = simulate_run(run).document
    pipeline = document["pipeline"]
    assert dict(summary(document))["throughput"].startswith(f"{1 / pipeline['interval_s']:,.0f} inferences/s")
    _, program = compiled("resnet8", 2)
    assert pipeline["throughput_per_s"] == pytest.approx(1 / pipeline["interval_s"])
    assert [stage["core"] for stage in pipeline["stages"]] == [0, 1]
    assert pipeline["stages"][1]["first_layer"] == program.layers[program.stages[1].first_layer].name
    for stage, busy_ps in zip(pipeline["stages"], array_ps(program), strict=True):
        assert stage["occupancy"] == pytest.approx(busy_ps * 1e-12 / pipeline["interval_s"])
        assert 0 < stage["utilisation"] < stage["occupancy"] <= 1
    alone = simulate_run(changed(run, workload=changed(run.workload, inferences=1)))
    assert alone.document["pipeline"]["interval_s"] is None
    assert any("workload.inferences" in warning for warning in alone.warnings)


def completed(split: Literal["pipeline", "auto"]) -> int:
    """Requests that a stream which asks for more than it can get has answered, alone on its cores."""
    scenario = Scenario(soc_sim.load_soc("edge_16x16", ["cores=2"]))
    scenario.stream(soc_sim.load_network("resnet8"), period_s=20e-6, split=split)
    answered: int = scenario.run(until_s=500e-6).streams[0].completed
    return answered


def test_a_stream_answers_more_requests_as_a_pipeline() -> None:
    assert completed("pipeline") > completed("auto") > 0


def test_streams_share_the_cores_stage_by_stage() -> None:
    """Two pipelines on the same cores: the urgent one overtakes at the ends of layers."""
    latency_s = dict[str, float]()
    policies: tuple[Literal["fifo", "fixed_priority"], ...] = ("fifo", "fixed_priority")
    for policy in policies:
        scenario = Scenario(soc_sim.load_soc("edge_16x16", ["cores=2"]), scheduling=policy)
        network = soc_sim.load_network("resnet8")
        scenario.stream(network, name="often", period_s=20e-6, split="pipeline")
        scenario.stream(network, name="urgent", period_s=100e-6, offset_s=80e-6, priority=1, split="pipeline")
        latency_s[policy] = scenario.run(until_s=500e-6).streams[1].latency_mean_s
    assert latency_s["fixed_priority"] < 0.75 * latency_s["fifo"]


def test_a_pipeline_does_not_share_cores_with_streams_that_use_all_at_once() -> None:
    scenario = Scenario(soc_sim.load_soc("mcu_8x8", ["cores=2"]))
    network = soc_sim.load_network("ds_cnn")
    scenario.stream(network, name="one", period_s=1e-3, split="pipeline")
    scenario.stream(network, name="other", period_s=1e-3)
    with pytest.raises(MappingError, match="only some are pipelines"):
        scenario.run(until_s=1e-3)


def test_requests_share_the_system_sram() -> None:
    """The compiler leaves room for the activations of all requests under way, or there would be one at a time."""
    overrides = ("cores=3", "system_sram.capacity=64 KiB", "system_sram.width=32 B", "system_sram.clock=1 GHz")
    soc = load("edge_16x16", Soc, overrides)
    program = compiler.compile(zoo.load("resnet8"), soc, PIPELINE)
    assert 0 < program.memory_map.used_bytes["system_sram"] <= 64 * 1024 // program.requests_under_way
    assert len(lay_out(soc, [program], [program.requests_under_way]).sets[0]) == program.requests_under_way == 4
    check_record(system.run(soc, program, inferences=3))


def test_parts_of_an_interval_are_unknown_where_the_clock_changes() -> None:
    """The first inference, which is none of the intervals, is slower: its array is busy for more than all of one."""
    change = {"at": "1 ms", "domain": "array", "clock": "400 MHz"}
    run = load(
        {
            "kind": "run",
            "soc": "mcu_8x8",
            "workload": {"network": "resnet8", "inferences": 3},
            "mapping": {"split": "pipeline"},
            "frequency_changes": [change],
        },
        Run,
        ("soc.cores=2",),
    )
    result = simulate_run(run)
    assert result.document["pipeline"]["interval_s"] > 0
    assert all(stage["occupancy"] is stage["utilisation"] is None for stage in result.document["pipeline"]["stages"])
    assert "arrays busy" not in dict(summary(result.document))["pipeline"]
