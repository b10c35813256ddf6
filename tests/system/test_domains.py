"""Clock domains: what a change of frequency does to the time of whatever the clock drives, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from soc_sim import compiler
from soc_sim.compiler.program import Compute, Instruction, Load, Program, Region, VectorOp
from soc_sim.config.core import Scheduling
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Reason, Simulation
from soc_sim.kernel.recording import Counter
from soc_sim.network import zoo
from soc_sim.system import RunRecord, run
from soc_sim.system.builder import build
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Slices
from soc_sim.testing.small import program_of, small_soc, tile

NS = 1000
IDEAL = "dram={kind: ideal_memory}"
TRANSITION = (
    "domains=[{name: array, points: [{clock: 500 MHz, voltage: 0.7 V}, {clock: 1 GHz, voltage: 0.9 V}], "
    "transition_time: 20 ns}]"
)
STOPPED = Reason("clock", "transition")


def change(at_ns: int, clock_hz: int, domain: str = "array") -> FrequencyChange:
    return FrequencyChange.model_construct(at_ps=at_ns * NS, domain=domain, clock_hz=clock_hz)


def tiles(*cycles: int) -> list[Instruction]:
    return [Compute(index, 0, 0, (), (), 0, 0, 0, tile(count)) for index, count in enumerate(cycles)]


def times_ns(record: RunRecord) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, cause), span_ps in record.cores[0].array_ps.items():
        found[cause] = found.get(cause, 0) + span_ps // NS
    return found


def busy_ps(record: RunRecord) -> int:
    return sum(span_ps for (_, cause), span_ps in record.cores[0].array_ps.items() if cause == "busy")


@pytest.fixture(scope="module")
def resnet8() -> Program:
    return compiler.compile(zoo.load("resnet8"), load("mcu_8x8", Soc, [IDEAL, "weight_memory=null"]))


def test_half_the_clock_doubles_the_time_of_the_array(resnet8: Program) -> None:
    """A whole network, same program: the array's cycles take exactly twice as long."""
    full, half = (
        run(load("mcu_8x8", Soc, [IDEAL, "weight_memory=null", f"array.clock={clock}"]), resnet8)
        for clock in ("200 MHz", "100 MHz")
    )
    assert busy_ps(half) == 2 * busy_ps(full)


def test_a_change_at_the_start_is_the_same_as_the_other_clock(resnet8: Program) -> None:
    soc = load("mcu_8x8", Soc, [IDEAL, "weight_memory=null"])
    slow = run(load("mcu_8x8", Soc, [IDEAL, "weight_memory=null", "array.clock=100 MHz"]), resnet8)
    changed = run(soc, resnet8, frequency_changes=[change(0, 100_000_000)])
    assert changed.makespan_ps == slow.makespan_ps
    assert changed.cores == slow.cores


@pytest.mark.parametrize("at_ns", [0, 1, 37, 99, 150])
@pytest.mark.parametrize("slow_hz", [500_000_000, 250_000_000])
def test_a_change_in_the_middle_of_a_tile_keeps_the_cycles_that_have_passed(at_ns: int, slow_hz: int) -> None:
    """Two tiles of 100 cycles: ``at_ns`` of them at 1 GHz, the others at the lower frequency."""
    record = run(small_soc(IDEAL), program_of(tiles(100, 100)), frequency_changes=[change(at_ns, slow_hz)])
    assert record.makespan_ps == (at_ns + (200 - at_ns) * 10**9 // slow_hz) * NS
    assert record.array_cycles == 200
    assert [(phase.start_ps, phase.clock_hz) for phase in record.phases["array"]] == (
        [(0, 10**9), (at_ns * NS, slow_hz)]
    )


def test_a_higher_frequency_ends_a_tile_earlier() -> None:
    soc = small_soc(IDEAL, "array.clock=500 MHz")
    record = run(soc, program_of(tiles(100)), frequency_changes=[change(100, 10**9)])
    assert record.makespan_ps == (100 + 50) * NS


def test_there_and_back_again() -> None:
    """30 cycles in 30 ns, 20 cycles at half the frequency in 40 ns, the other 50 in 50 ns."""
    changes = [change(30, 500_000_000), change(70, 10**9)]
    assert run(small_soc(IDEAL), program_of(tiles(100)), frequency_changes=changes).makespan_ps == 120 * NS


def test_a_transition_stops_the_clock_and_has_a_cause_of_its_own() -> None:
    slices = Slices()
    soc = small_soc(IDEAL, TRANSITION)
    record = run(soc, program_of(tiles(100)), frequency_changes=[change(30, 500_000_000)], recorder=slices)
    assert record.makespan_ps == (30 + 20 + 2 * 70) * NS
    assert times_ns(record) == {"busy": 30 + 140, "wait_power": 20}
    assert [(start_ps, end_ps) for _, start_ps, end_ps in slices.of("core0.array")] == [(0, 30_000), (50_000, 190_000)]
    assert [phase.voltage_v for phase in record.phases["array"]] == [0.9, 0.7]


def test_a_transition_while_the_array_waits_costs_only_what_remains_of_it() -> None:
    """Inputs arrive after 50 ns; the clock stands still from 40 to 60."""
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 50),), 50)
    instructions = [load_, Compute(1, 0, 0, (), (0,), 0, 0, 50, tile(10))]
    record = run(small_soc(TRANSITION), program_of(instructions), frequency_changes=[change(40, 500_000_000)])
    assert times_ns(record) == {"wait_inputs": 50, "wait_power": 10, "busy": 20}


def test_the_same_frequency_again_is_no_transition() -> None:
    record = run(small_soc(IDEAL, TRANSITION), program_of(tiles(100)), frequency_changes=[change(30, 10**9)])
    assert record.makespan_ps == 100 * NS
    assert len(record.phases["array"]) == 1


@pytest.mark.parametrize(("domain", "expected_ns"), [("host", 100 + 2 * 300), ("controller", 400), ("array", 400)])
def test_a_change_touches_only_its_domain(domain: str, expected_ns: int) -> None:
    program = program_of([VectorOp(0, 0, (), (), 400)])
    assert run(small_soc(IDEAL), program, frequency_changes=[change(100, 500_000_000, domain)]).makespan_ps == (
        expected_ns * NS
    )


def test_the_interconnect_takes_twice_as_long_for_a_beat() -> None:
    """4 chunks of 64 beats of 4 bytes, one after the other: the last two are booked after the change."""
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 1024),), 1024)
    soc = small_soc(IDEAL, "interconnect.width=4 B", "dma.max_outstanding=8")
    slow = run(soc, program_of([load_]), frequency_changes=[change(0, 500_000_000, "interconnect")])
    assert (run(soc, program_of([load_])).makespan_ps, slow.makespan_ps) == (256 * NS, 512 * NS)


def test_no_data_pass_the_interconnect_while_its_clock_stands_still() -> None:
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 1024),), 1024)
    stop = "domains=[{name: interconnect, transition_time: 100 ns}]"
    soc = small_soc(IDEAL, "interconnect.width=4 B", "dma.max_outstanding=8", stop)
    record = run(soc, program_of([load_]), frequency_changes=[change(0, 500_000_000, "interconnect")])
    assert record.makespan_ps == (100 + 512) * NS


def test_clocks_of_one_domain_change_together() -> None:
    soc = small_soc(IDEAL, "controller.dispatch_cycles=4", "domains=[{name: npu, clocks: [array, dma, controller]}]")
    half = [change(0, 500_000_000, "npu")]
    record = run(soc, program_of(tiles(100)), frequency_changes=half)
    assert record.makespan_ps == 2 * (4 + 100) * NS


def test_a_trace_shows_the_frequency_and_the_idle_states() -> None:
    """A tile behind a load of 50 ns: idle PEs are gated after 10; the frequency changes at 20."""

    class Recorder(Slices):
        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, list[tuple[int, float]]] = {}

        def counter(self, name: str, unit: str) -> Counter:
            assert unit
            taken = self.values.setdefault(name, [])

            class Kept:
                def set(self, time_ps: int, value: float) -> None:
                    taken.append((time_ps, value))

            return Kept()

    recorder = Recorder()
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 50),), 50)
    soc = small_soc("domains=[{name: array, idle_states: [{name: clock_gated, after: 10 ns}]}]")
    program = program_of([load_, Compute(1, 0, 0, (), (0,), 0, 0, 50, tile(10))])
    run(soc, program, frequency_changes=[change(20, 500_000_000)], recorder=recorder)
    assert recorder.values["array.clock"] == [(0, 10**9), (20 * NS, 500_000_000)]
    assert recorder.of("core0.array.power") == [("clock_gated", 10 * NS, 50 * NS)]


@settings(max_examples=40)
@given(
    programs(),
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([300, 500, 1000])), max_size=4),
    st.sampled_from([0, 13]),
)
def test_any_changes_leave_the_sums_exact_and_the_run_deterministic(
    program: Program, turns: Sequence[tuple[int, int]], stop_ns: int
) -> None:
    changes = [change(at_ns, mhz * 10**6) for at_ns, mhz in turns]
    soc = small_soc(f"domains=[{{name: array, transition_time: {stop_ns} ns}}]")
    records = [run(soc, program, frequency_changes=changes) for _ in range(2)]
    assert records[0] == records[1]
    check_record(records[0])
    for core in records[0].cores:
        assert sum(core.array_ps.values()) == records[0].makespan_ps
    cycles = sum(i.counts.cycles for i in program.instructions if isinstance(i, Compute))
    assert records[0].array_cycles * len(records[0].cores) >= cycles


def test_the_checks_know_the_frequencies_of_the_clock() -> None:
    """30 cycles at 1 GHz, 70 at 500 MHz, behind a stop; a busy time of 100 cycles at one frequency is not believed."""
    record = run(small_soc(IDEAL, TRANSITION), program_of(tiles(100)), frequency_changes=[change(30, 500_000_000)])
    check_record(record)
    spans_ps = {(0, "busy"): 100 * NS, (0, "wait_power"): record.makespan_ps - 100 * NS}
    core = replace(
        record.cores[0], array_ps=spans_ps, reasons_ps={(0, "wait_power", STOPPED): spans_ps[0, "wait_power"]}
    )
    with pytest.raises(AssertionError, match="busy for 100000 ps; its cycles are 170000"):
        check_record(replace(record, cores=(core,)))


@pytest.mark.parametrize(
    "domain",
    [
        "{name: npu, clocks: [array, controller], transition_time: 35 ms}",
        "{name: array, idle_states: [{name: power_gated, after: 1 us, wake_up: 35 ms}]}",
        "{name: npu, clocks: [array, controller]}",
    ],
)
def test_a_long_stop_beside_background_traffic_is_no_deadlock(domain: str) -> None:
    """A transition, a wake-up, a dispatch of three cycles at 100 Hz: nothing moves from one look to the next."""
    camera = "background=[{name: camera, bandwidth: 100 kB/s, chunk: 64 B}]"
    soc = small_soc(camera, f"domains=[{domain}]", "controller.dispatch_cycles=3")
    slow = [change(0, 500_000_000 if "transition" in domain else 100, "npu")] if "npu" in domain else []
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 10**5),), 100)
    program = program_of([load_, Compute(1, 0, 0, (), (0,), 0, 0, 100, tile(10))])
    record = run(soc, program, frequency_changes=slow)
    assert record.makespan_ps > 30 * 10**6 * NS


@pytest.mark.parametrize("background", ["", "background=[{name: camera, bandwidth: 1 MB/s, chunk: 64 B}]"])
def test_a_change_that_is_due_after_the_end_changes_nothing(background: str) -> None:
    """A DRAM that lived on until then would count refreshes that nobody saw, and energy of a time that is no part."""
    soc = small_soc("dram=ddr3_1600", *filter(None, [background]))
    load_ = Load(0, 0, 0, "inputs", (Region("dram", 0, 50),), 50)
    program = program_of([load_, Compute(1, 0, 0, (), (0,), 0, 0, 50, tile(10))])
    plain, changed = (run(soc, program, frequency_changes=changes) for changes in ([], [change(10**6, 2 * 10**9)]))
    check_record(changed)
    assert replace(changed, events=plain.events) == plain


def test_unknown_domains_and_points_are_refused() -> None:
    soc = small_soc(TRANSITION)
    machine = build(soc, Simulation(), [range(soc.cores)], Scheduling())
    with pytest.raises(ConfigurationError, match=r"'aray' is no clock domain; .*; did you mean 'array'"):
        machine.set_frequency("aray", 1e9)
    with pytest.raises(ConfigurationError, match="has no point of 400000000 Hz; allowed: 500000000 Hz, 1"):
        machine.set_frequency("array", 400e6)
    with pytest.raises(ConfigurationError, match="0 Hz is no frequency of domain 'dma'"):
        machine.set_frequency("dma", 0)
