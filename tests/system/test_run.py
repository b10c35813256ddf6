"""Hand-made and random programs on whole SoCs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Region, Store, VectorOp
from soc_sim.config.soc import Soc
from soc_sim.errors import DeadlockError
from soc_sim.system import RunRecord, run
from soc_sim.testing.bounds import layer_bounds_ps, lower_bound_ps, upper_bound_ps
from soc_sim.testing.checks import check_record
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed, with_bandwidth, with_ideal_memory, with_latency, with_ports

DRAM = "dram=lpddr4_3200"
REALISTIC = (
    "controller.dispatch_cycles=4",
    "dma.descriptor_cycles=8",
    "interconnect.width=16 B",
    "interconnect.latency_cycles=8",
    "host.start_cycles=20",
    "buffers.weights.ports=1",
    "buffers.weights.width=4 B",
)
SOCS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "realistic": REALISTIC,
    "bus": (*REALISTIC, "interconnect.kind=bus", "dram.read_latency=100 ns"),
    "one_channel": (*REALISTIC, "dma.channels=1", "controller.queue_depth=1", "dma.max_outstanding=1"),
    "odd_clocks": (*REALISTIC, "array.clock=333 MHz", "dma.clock=701 MHz", "interconnect.clock=450 MHz"),
    "dram": (*REALISTIC, DRAM),
    "ideal": (*REALISTIC, "dram={kind: ideal_memory}"),
    "slow_paths": ("interconnect.width=1 B", "interconnect.clock=100 MHz", "dram={kind: ideal_memory}"),
}


def two_tiles() -> list[Instruction]:
    """A layer whose result the host changes, and a layer that reads that."""
    return [
        Load(0, 0, 0, "weights", (Region("dram", 0, 500),), 500),
        Load(1, 0, 0, "inputs", (Region("dram", 1000, 30, 10, 50),), 300),
        Compute(2, 0, 0, (0,), (1,), 400, 500, 300, tile(100, macs=1600, weight_bytes=500, output_write_bytes=400)),
        Store(3, 0, 0, (Region("dram", 2000, 400),), 400, (2,)),
        VectorOp(4, 1, (Region("dram", 2000, 400),), (Region("dram", 3000, 400),), 400, (3,)),
        Load(5, 2, 0, "weights", (Region("dram", 4000, 600),), 600),
        Load(6, 2, 0, "inputs", (Region("dram", 3000, 400),), 400, (4,)),
        Compute(7, 2, 0, (5,), (6,), 100, 600, 400, tile(50, macs=800)),
        Store(8, 2, 0, (Region("dram", 5000, 100),), 100, (7,)),
    ]


@pytest.mark.parametrize("name", SOCS)
@pytest.mark.parametrize("inferences", [1, 3])
def test_a_run_satisfies_all_checks(name: str, inferences: int) -> None:
    record = run(small_soc(*SOCS[name]), program_of(two_tiles()), inferences=inferences)
    check_record(record)
    assert len(record.inference_end_ps) == inferences
    assert list(record.inference_end_ps) == sorted(set(record.inference_end_ps))


def test_the_time_of_a_small_program_is_known() -> None:
    """1 ns a byte and a cycle: weights 500, inputs 300 behind them on the memory's path, tile 100, store 400; the
    host's three stages in two blocks of 200 bytes; its result 400 to load, tile 50, store 100. The second layer's
    weights, 600 bytes, do not fit beside the first's until the first tile has ended, and then precede its store.
    """
    record = run(small_soc(), program_of(two_tiles()))
    first_ns = 500 + 300 + 100 + 600 + 400
    # The read path serves whole chunks of 256 bytes: the first block is there after 256, the second after 400. Its
    # last 200 are computed until 656 (after the first 200, until 456); both blocks are written in one go from there.
    assert record.layers[0].end_ps == first_ns * 1000
    host_ns = (record.layers[1].end_ps - record.layers[1].start_ps) // 1000
    assert 400 + 200 + 200 <= host_ns <= 3 * 400
    assert record.makespan_ps == (first_ns + host_ns + 400 + 50 + 100) * 1000


def test_inferences_overlap_but_end_in_order() -> None:
    """The second one's weights are loaded during the first, so two take less than twice the time of one."""
    one = run(small_soc(), program_of(two_tiles()))
    two = run(small_soc(), program_of(two_tiles()), inferences=2)
    assert two.inference_end_ps[0] < two.inference_end_ps[1] < 2 * one.makespan_ps


def test_a_program_without_instructions_takes_no_time() -> None:
    record = run(small_soc(), program_of([]), inferences=2)
    check_record(record)
    assert (record.makespan_ps, record.inference_end_ps) == (0, (0, 0))


def test_a_core_waits_for_what_another_core_stores() -> None:
    """Core 1 reads what core 0 has stored: 10 cycles, 64 bytes there, 64 bytes back, 20 cycles."""
    program = program_of(
        [
            Compute(0, 0, 0, (), (), 64, 0, 0, tile(10)),
            Store(1, 0, 0, (Region("dram", 0, 64),), 64, (0,)),
            Load(2, 1, 1, "inputs", (Region("dram", 0, 64),), 64, (1,)),
            Compute(3, 1, 1, (), (2,), 0, 0, 64, tile(20)),
        ],
        cores=2,
    )
    record = run(small_soc("cores=2"), program)
    check_record(record)
    assert record.makespan_ps == (10 + 64 + 64 + 20) * 1000
    assert record.cores[0].array_ps == {(0, "busy"): 10_000, (1, "idle"): 148_000}
    assert record.cores[1].array_ps == {(1, "wait_outputs"): 74_000, (1, "wait_inputs"): 64_000, (1, "busy"): 20_000}


def test_independent_tiles_on_two_cores_run_side_by_side() -> None:
    program = program_of([Compute(core, 0, core, (), (), 0, 0, 0, tile(100)) for core in range(2)], cores=2)
    assert run(small_soc("cores=2"), program).makespan_ps == 100_000


@pytest.mark.parametrize(
    ("instructions", "waits"),
    [
        (
            [Load(0, 0, 0, "inputs", (Region("dram", 0, 64),), 2000), Compute(1, 0, 0, (), (0,), 0, 0, 2000, tile(1))],
            (
                "core0.dma.inputs: load 0 needs 2000 bytes of core0.inputs, free 1024 of 1024",
                "core0.array: compute 1 needs (0,)",
            ),
        ),
        (
            [Compute(0, 0, 0, (), (), 2000, 0, 0, tile(1)), Store(1, 0, 0, (Region("dram", 0, 64),), 2000, (0,))],
            (
                "core0.dma.outputs: instruction 1 needs (0,)",
                "core0.array: compute 0 needs 2000 bytes of core0.outputs, free 1024 of 1024",
            ),
        ),
        (
            # The second load needs what the first has taken and nobody gives back.
            [
                Load(0, 0, 0, "weights", (Region("dram", 0, 64),), 600),
                Load(1, 0, 0, "weights", (Region("dram", 0, 64),), 600),
                VectorOp(2, 0, (), (), 1, (1,)),
            ],
            (
                "core0.dma.weights: load 1 needs 600 bytes of core0.weights, free 424 of 1024",
                "host: vector operation 2 needs (1,)",
            ),
        ),
    ],
)
def test_a_deadlock_says_who_waits_for_what(instructions: list[Instruction], waits: tuple[str, ...]) -> None:
    with pytest.raises(DeadlockError) as error:
        run(small_soc(), program_of(instructions))
    assert error.value.waits == waits


def facts(record: RunRecord) -> tuple[object, ...]:
    """Everything a run says, apart from its own description."""
    return tuple(repr(value) for name, value in vars(record).items() if name not in ("soc", "program"))


@settings(max_examples=25, deadline=None)
@given(programs(cores=2), st.sampled_from(sorted(SOCS)))
def test_two_runs_are_identical(program: Program, name: str) -> None:
    """Event counts and the order of all counters included."""
    soc = small_soc("cores=2", *SOCS[name])
    assert facts(run(soc, program)) == facts(run(soc, program))


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_run import SOCS, facts, program_of, run, small_soc, two_tiles
print(facts(run(small_soc(*SOCS["dram"]), program_of(two_tiles()))))
"""


def test_the_hash_seed_changes_nothing() -> None:
    outputs = {
        subprocess.run(  # noqa: S603 # our own interpreter and script
            [sys.executable, "-c", SCRIPT.format(folder=str(Path(__file__).parent))],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert "busy" in outputs.pop()


@settings(max_examples=80, deadline=None)
@given(programs(), st.sampled_from(sorted(SOCS)))
def test_legal_programs_end_within_their_bounds(program: Program, name: str) -> None:
    soc = small_soc(*SOCS[name])
    record = run(soc, program)
    check_record(record)
    assert lower_bound_ps(soc, program) <= record.makespan_ps <= upper_bound_ps(soc, program)


@pytest.mark.parametrize(("kind", "expected_ps"), [("crossbar", 400_000), ("bus", 900_000)])
def test_reads_and_writes_are_bounded_by_the_paths_that_they_share(kind: str, expected_ps: int) -> None:
    """One byte a nanosecond: 400 bytes that go one way, 400 the other, and 100 more from another memory."""
    memories = ("dram={kind: ideal_memory}", "weight_memory={kind: ideal_memory}")
    soc = small_soc("interconnect.width=1 B", f"interconnect.kind={kind}", *memories)
    read = VectorOp(0, 0, (Region("dram", 0, 400), Region("weight_memory", 0, 100)), (Region("dram", 1000, 400),), 0)
    program = program_of([read])
    assert lower_bound_ps(soc, program) == layer_bounds_ps(soc, program)[0] == expected_ps
    assert run(soc, program).makespan_ps >= expected_ps


@settings(max_examples=40, deadline=None)
@given(programs(cores=3), st.sampled_from(sorted(SOCS)), st.integers(1, 3))
def test_legal_programs_on_several_cores_never_deadlock(program: Program, name: str, inferences: int) -> None:
    check_record(run(small_soc("cores=3", *SOCS[name]), program, inferences=inferences))


SWAPPED_PS = 2 * 256_000
"""Two chunks of 256 bytes at 1 ns a byte: where two transfers change places, more than 1 % of a few tiles."""

BETTER: dict[str, Callable[[Soc], Soc]] = {
    "bandwidth": lambda soc: with_bandwidth(soc, 2),
    "ports": lambda soc: with_ports(soc, 8),
    "ideal memory": with_ideal_memory,
    "window": lambda soc: changed(soc, dma=changed(soc.dma, max_outstanding=2 * soc.dma.max_outstanding)),
    "interconnect latency": lambda soc: changed(soc, interconnect=changed(soc.interconnect, latency_cycles=0)),
    "dispatch": lambda soc: changed(soc, controller=changed(soc.controller, dispatch_cycles=0)),
}


@settings(max_examples=60, deadline=None)
@given(programs(), st.sampled_from(["realistic", "bus", "dram", "one_channel"]), st.sampled_from(sorted(BETTER)))
def test_better_parts_never_slow_a_program_down(program: Program, name: str, part: str) -> None:
    """By more than 1 % and the two transfers that may change places."""
    soc = small_soc(*SOCS[name])
    assert run(BETTER[part](soc), program).makespan_ps <= 1.01 * run(soc, program).makespan_ps + SWAPPED_PS


@settings(max_examples=30, deadline=None)
@given(programs(), st.sampled_from(["realistic", "bus", "dram"]), st.integers(1, 10**6))
def test_more_latency_never_makes_a_program_faster(program: Program, name: str, extra_ps: int) -> None:
    """By more than 1 % and the two transfers that may change places."""
    soc = small_soc(*SOCS[name])
    assert run(with_latency(soc, extra_ps), program).makespan_ps >= 0.99 * run(soc, program).makespan_ps - SWAPPED_PS


def test_the_checks_find_what_is_wrong() -> None:
    record = run(small_soc(DRAM), program_of(two_tiles()))
    wrong = replace(record, makespan_ps=record.makespan_ps - 1, host_operations=0, asked_bytes={})
    with pytest.raises(AssertionError) as error:
        check_record(wrong)
    total_ps, asked_ps = record.makespan_ps, record.makespan_ps - 1
    lines = str(error.value).splitlines()
    assert lines[0] == f"core0.array: causes sum to {total_ps} ps of {asked_ps}"
    assert f"the last inference ends at {total_ps} ps of {asked_ps}" in lines
    assert "host: 0 operations of 400" in lines
    assert any(line.startswith("asked for {} bytes; the program says {(0, 'dram', False): 800") for line in lines)
