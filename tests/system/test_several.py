"""Two networks side by side: sums, conservation and speed, on one core and on two, in the middle and at the end."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from soc_sim import compiler
from soc_sim.compiler.program import Compute, Load, Program, Region
from soc_sim.config.core import Policy, Scheduling
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.network import zoo
from soc_sim.system import Demand, ScenarioRecord, run, run_streams
from soc_sim.testing.checks import check_scenario
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed

MS = 10**9
UNIT_PS = {"mcu_8x8": MS, "edge_16x16": MS // 15}
"""About as long as the shorter of the two networks takes."""
POLICIES: tuple[Policy, ...] = ("fifo", "fixed_priority", "edf")

EVENTS_OF_TWO_NETWORKS = 2_379
"""ResNet-8 and DS-CNN on cores of their own, LPDDR4: changed on purpose only."""


@cache
def compiled(soc_name: str, name: str) -> Program:
    return compiler.compile(zoo.load(name), load(soc_name, Soc), Mapping(residency="off"))


def side_by_side(soc: Soc, cores: int, policy: Policy, share: int) -> ScenarioRecord:
    """ResNet-8 twice and DS-CNN three times, two of these within the first ResNet-8; up to ``share``/3 units."""
    unit_ps = UNIT_PS[soc.name]
    demands = [
        Demand(compiled(soc.name, "resnet8"), (0,), iter([0, 5 * unit_ps]), 0, 20 * unit_ps),
        Demand(
            compiled(soc.name, "ds_cnn"),
            (cores - 1,),
            iter([unit_ps // 10, unit_ps // 5, 6 * unit_ps]),
            priority=1,
            deadline_ps=2 * unit_ps,
        ),
    ]
    scheduling = Scheduling(policy=policy)
    return run_streams(changed(soc, cores=cores), demands, unit_ps * share // 3, scheduling=scheduling)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("share", [1, 36])
@pytest.mark.parametrize("soc_name", UNIT_PS)
def test_two_networks_satisfy_all_checks(soc_name: str, cores: int, policy: Policy, share: int) -> None:
    record = side_by_side(load(soc_name, Soc), cores, policy, share)
    check_scenario(record)
    ended = [one.end_ps is not None for stream in record.streams for one in stream.inferences]
    assert all(ended) == (share > 1)


@settings(max_examples=40, deadline=None)
@given(
    programs(most_tiles=4),
    programs(most_tiles=4),
    st.sampled_from(POLICIES),
    st.integers(0, 2),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=3),
    st.integers(1, 200_000),
)
def test_random_programs_interleave_without_deadlock(
    one: Program, other: Program, policy: Policy, ahead: int, times_ns: list[int], until_ns: int
) -> None:
    """Whatever two programs share a core, and wherever it ends."""
    scheduling = Scheduling(policy=policy) if policy == "fifo" else Scheduling(policy=policy, layers_ahead=ahead)
    soc = small_soc("controller.dispatch_cycles=4", "dma.descriptor_cycles=8")
    for until_ps in (until_ns * 1000, MS):
        record = run_streams(
            soc,
            [
                Demand(one, (0,), iter([0, 0]), 0, 10**8),
                Demand(other, (0,), iter(sorted(time * 1000 for time in times_ns)), 1, 10**6),
            ],
            until_ps,
            scheduling=scheduling,
        )
        check_scenario(record)
    assert all(one.end_ps is not None for stream in record.streams for one in stream.inferences)


def test_two_networks_cost_the_events_of_both() -> None:
    """On cores of their own: each alone, arrivals, looks at progress; and a DRAM may look once more at a chunk."""
    soc = load("edge_16x16", Soc)
    both = [compiled("edge_16x16", name) for name in ("resnet8", "ds_cnn")]
    alone = sum(run(soc, program).events for program in both)
    demands = [Demand(program, (core,), iter([0])) for core, program in enumerate(both)]
    record = run_streams(changed(soc, cores=2), demands, 5 * MS)
    check_scenario(record)
    assert record.machine.events == EVENTS_OF_TWO_NETWORKS
    assert alone <= record.machine.events < 1.1 * alone


def test_what_one_program_keeps_for_good_must_not_meet_another() -> None:
    """The DS-CNN's weights fit into the buffers of this SoC and stay there, for all its inferences."""
    soc = load("edge_16x16", Soc)
    keeps = compiler.compile(zoo.load("ds_cnn"), soc)
    assert keeps.once
    check_scenario(run_streams(soc, [Demand(keeps, (0,), iter([0, 0, 0]))], 5 * MS))
    with pytest.raises(
        MappingError, match="ds_cnn keeps its weights in the buffers, and another stream uses its cores"
    ):
        run_streams(soc, [Demand(keeps, (0,), iter([0])), Demand(keeps, (0,), iter([0]))], MS)


def test_what_a_run_has_dumped_is_traffic_for_another(tmp_path: Path) -> None:
    """Requests of a whole run, recorded at the memory, are asked for again, byte by byte."""
    from soc_sim.cli.dispatch import main

    file = tmp_path / "requests.csv"
    assert main(["run", "resnet8_mcu", "--quiet", "--json", "--requests", f"dram={file}"]) == 0
    soc = load("mcu_8x8", Soc, [f"background=[{{name: recorded, trace: {file}}}]"])
    record = run_streams(soc, [], 10 * MS)
    check_scenario(record)
    recorded = sum(int(line.split(",")[2]) for line in file.read_text().splitlines()[1:])
    assert record.machine.traffic["recorded"].moved_bytes == recorded > 0


@pytest.mark.parametrize("until_ns", [100, 400, 5000])
def test_what_stays_is_loaded_by_the_first_request_alone(until_ns: int) -> None:
    """1000 bytes of weights take a microsecond; the second request, under way at the same time, need not load them."""
    weights = Load(0, 0, 0, "weights", (Region("dram", 0, 1000),), 1000, once=True)
    program = program_of([weights, Compute(1, 0, 0, (0,), (), 0, 0, 0, tile(10))])
    record = run_streams(small_soc(), [Demand(program, (0,), iter([0, 0]))], until_ns * 1000)
    check_scenario(record)
    assert record.machine.executions == ((1, 2) if until_ns > 1100 else (0, 0))
