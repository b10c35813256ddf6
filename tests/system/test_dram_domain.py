"""The DRAM as a clock domain: whole runs, energy by voltage, scripts, and what cannot be asked for."""

from __future__ import annotations

from collections import Counter

import pytest

import soc_sim
from soc_sim import compiler
from soc_sim.compiler.program import Compute, Load, Program, Region
from soc_sim.components.memory.dram.speed import at_clock
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.config.run import Run
from soc_sim.config.soc import Soc
from soc_sim.energy.run import energy_of
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Reason
from soc_sim.network import zoo
from soc_sim.system import run
from soc_sim.testing.checks import check_record
from soc_sim.testing.small import program_of, small_soc, tile

US = 10**6
FULL_HZ, HALF_HZ = 1_600_000_000, 800_000_000
POINTS = "points: [{clock: 800 MHz, voltage: 0.55 V}, {clock: 1600 MHz, voltage: 1.1 V}]"
DOMAIN = f"domains=[{{name: memory, clocks: [dram], {POINTS}, transition_time: 3 us, transition_energy: 7 nJ}}]"
AT_ONCE = "domains=[{name: dram}]"


def change(at_ps: int, clock_hz: int, domain: str = "memory") -> FrequencyChange:
    return FrequencyChange.model_construct(at_ps=at_ps, domain=domain, clock_hz=clock_hz)


@pytest.fixture(scope="module")
def program() -> Program:
    return compiler.compile(zoo.load("ds_cnn"), load("edge_16x16", Soc))


def test_a_run_with_a_change_at_the_start_is_that_of_the_slower_memory(program: Program) -> None:
    soc = load("edge_16x16", Soc, [AT_ONCE])
    assert isinstance(soc.dram, Dram)
    slow = soc.model_copy(update={"dram": at_clock(soc.dram, 1250), "domains": ()})
    changed = run(soc, program, frequency_changes=[change(0, HALF_HZ, "dram")])
    expected = run(slow, program)
    assert changed.makespan_ps == expected.makespan_ps
    assert changed.cores == expected.cores
    assert changed.makespan_ps > run(soc, program).makespan_ps


def test_changes_lose_nothing_and_take_their_time(program: Program) -> None:
    """Sums, bytes and credits hold; a domain whose clock never changes changes nothing."""
    soc = load("edge_16x16", Soc, [DOMAIN])
    plain, named = run(load("edge_16x16", Soc), program), run(soc, program)
    assert plain.makespan_ps == named.makespan_ps
    record = run(soc, program, frequency_changes=[change(10 * US, HALF_HZ), change(11 * US, FULL_HZ)])
    check_record(record)
    assert [(phase.clock_hz, phase.voltage_v) for phase in record.phases["memory"]] == [
        (FULL_HZ, 1.1),
        (HALF_HZ, 0.55),
        (FULL_HZ, 1.1),
    ]
    starts_ps = [phase.start_ps for phase in record.phases["memory"]]
    assert starts_ps[1] >= 13 * US
    # The second change was asked for meanwhile, and comes right after the first, or the refresh that fell due in it.
    assert starts_ps[1] + 3 * US <= starts_ps[2] <= starts_ps[1] + 3 * US + 300_000
    assert record.makespan_ps > named.makespan_ps


def test_waits_for_the_change_have_a_reason_of_their_own() -> None:
    """A tile whose inputs are asked for while the DRAM changes: it waits for the change, and then for the DRAM."""
    dispatched, dispatch_ps = "controller.dispatch_cycles=5", 5000
    soc = small_soc("dram=lpddr4_3200", "domains=[{name: dram, transition_time: 3 us}]", dispatched)
    load_inputs = Load(0, 0, 0, "inputs", (Region("dram", 0, 256, 1, 0),), 256)
    program = program_of([load_inputs, Compute(1, 0, 0, (), (0,), 0, 0, 256, tile(10))])
    record = run(soc, program, frequency_changes=[change(0, HALF_HZ, "dram")])
    check_record(record)
    waits = {reason: span_ps for (_, _, reason), span_ps in record.cores[0].reasons_ps.items()}
    assert waits.pop(Reason("dram", "transition")) == 3 * US - dispatch_ps
    expected = run(soc.model_copy(update={"dram": at_clock(load("lpddr4_3200", Dram), 1250), "domains": ()}), program)
    assert waits == {reason: span_ps for (_, _, reason), span_ps in expected.cores[0].reasons_ps.items()}
    assert record.makespan_ps == expected.makespan_ps + 3 * US - dispatch_ps


def test_energy_of_commands_goes_with_the_square_of_the_voltage(program: Program) -> None:
    """At half the voltage a command costs a quarter, standby half, the interface the same; counts are all counted."""
    soc = load("edge_16x16", Soc, [DOMAIN])
    record = run(soc, program, frequency_changes=[change(20 * US, HALF_HZ)])
    energy = energy_of(record)
    lines = [line for line in energy.estimate.lines if line.component == "dram"]
    prices = {(line.action, line.voltage_v): line.pj for line in lines}
    for action in ("activate", "read", "write", "refresh"):
        assert prices[action, 0.55] == pytest.approx(prices[action, 1.1] / 4)
    for action in ("active_standby", "precharged_standby"):
        assert prices[action, 0.55] == pytest.approx(prices[action, 1.1] / 2)
    assert prices["interface", 0.55] == prices["interface", 1.1]
    counted = Counter[str]()
    for line in lines:
        counted[line.action] += line.count
    counters = record.memories["dram"]
    assert counted["activate"] == counters["activates"]
    assert counted["read"] == counters["read_bursts"]
    assert counted["active_standby"] + counted["precharged_standby"] == record.makespan_ps
    assert counted["interface"] == 8 * (counters["read_bytes"] + counters["write_bytes"])
    assert min(line.count for line in lines) >= 0
    assert energy.estimate.by_component["transitions"] == pytest.approx(7e-9)


def test_a_script_changes_the_clock_of_the_dram() -> None:
    scenario = soc_sim.Scenario(soc_sim.load_soc("edge_16x16", [DOMAIN]))
    scenario.stream(soc_sim.load_network("ds_cnn"), name="spotter", period_s=1e-4)
    scenario.at(150e-6, lambda scene: scene.set_frequency("memory", HALF_HZ))
    phases = scenario.run(until_s=3e-4).document["domains"]["memory"]["phases"]
    assert [phase["clock_hz"] for phase in phases] == [FULL_HZ, HALF_HZ]
    assert phases[1]["from_s"] == pytest.approx(153e-6, abs=1e-6)
    scenario.at(10e-6, lambda scene: scene.set_frequency("memory", 2e9))
    with pytest.raises(ConfigurationError, match="has no point of 2000000000 Hz"):
        scenario.run(until_s=3e-4)


def test_frequencies_beyond_the_timing_are_refused() -> None:
    job = {"soc": "edge_16x16", "workload": {"network": "ds_cnn"}}
    changes = "frequency_changes=[{at: 1 us, domain: dram, clock: 2 GHz}]"
    with pytest.raises(ConfigurationError, match=r"2 GHz is faster than 1\.6 GHz, the command clock of 'lpddr4_3200'"):
        load(job, Run, [f"soc.{AT_ONCE}", changes])
    # Refreshes come every 3903.75 ns (6246 cycles of 625 ps): four cycles of 1/1.02466 MHz.
    slow = r"500 kHz leaves no time between refreshes of 'lpddr4_3200'; allowed: 1024656 Hz at least"
    with pytest.raises(ConfigurationError, match=slow):
        load(job, Run, [f"soc.{AT_ONCE}", changes.replace("2 GHz", "500 kHz")])
    with pytest.raises(ConfigurationError, match=r"the DRAM's is one once soc\.domains names it"):
        load(job, Run, [changes])
    with pytest.raises(ConfigurationError, match=r"domains\[0\]\.points: 2 GHz is faster than 1\.6 GHz"):
        load("edge_16x16", Soc, [DOMAIN.replace("800 MHz, voltage: 0.55 V", "2 GHz, voltage: 1.2 V")])
    with pytest.raises(ConfigurationError, match=r"'dram' has no clock of its own, it is of kind simple_memory"):
        load("edge_16x16", Soc, ["dram=psram", AT_ONCE])
    soc = load("edge_16x16", Soc, [AT_ONCE])
    with pytest.raises(ConfigurationError, match="domain 'dram': 2 GHz is faster"):
        run(soc, compiler.compile(zoo.load("ds_cnn"), soc), frequency_changes=[change(0, 2 * 10**9, "dram")])
