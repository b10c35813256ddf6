"""Energy of whole runs: what was counted, sums, voltages, power over time, and power states, in closed form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from soc_sim import compiler
from soc_sim.compiler.program import Compute, Instruction, Load, Region, Store
from soc_sim.config.core import BUFFERS
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.energy.power import power_of
from soc_sim.energy.run import RunEnergy, energy_of
from soc_sim.network import zoo
from soc_sim.observe.statistics import statistics
from soc_sim.system import RunRecord, run
from soc_sim.testing.small import program_of, small_soc, tile

NS = 1000
IDEAL = "dram={kind: ideal_memory}"
POINTS = "points: [{clock: 500 MHz, voltage: 0.46 V}, {clock: 1 GHz, voltage: 0.92 V}]"


def tiles(*cycles: int, macs: int = 0, gap_bytes: int = 0) -> list[Instruction]:
    """Computes in a row; with ``gap_bytes`` each waits for a load of so many nanoseconds first."""
    instructions: list[Instruction] = []
    for count in cycles:
        inputs: tuple[int, ...] = ()
        if gap_bytes:
            inputs = (len(instructions),)
            instructions.append(Load(len(instructions), 0, 0, "inputs", (Region("dram", 0, gap_bytes),), gap_bytes))
        index = len(instructions)
        instructions.append(Compute(index, 0, 0, (), inputs, 0, 0, gap_bytes, tile(count, macs=macs)))
    return instructions


def energy(instructions: Sequence[Instruction], *overrides: str, changes: Sequence[FrequencyChange] = ()) -> RunEnergy:
    return energy_of(run(small_soc(*overrides), program_of(instructions), frequency_changes=changes))


def change(at_ns: int, clock_hz: int) -> FrequencyChange:
    return FrequencyChange.model_construct(at_ps=at_ns * NS, domain="array", clock_hz=clock_hz)


@pytest.fixture(scope="module")
def sparse_run() -> RunRecord:
    """ResNet-8 with zeros of both kinds: whole columns, and single ones that are injected."""
    soc = load("edge_16x16", Soc, ["cores=2"])
    zeros = Sparsity.model_validate({"pattern": "unstructured", "level": 0.6, "seed": 1})
    return run(soc, compiler.compile(zoo.load("resnet8"), soc, Mapping(), zeros))


@pytest.fixture(scope="module")
def document(sparse_run: RunRecord) -> Any:
    return json.loads(json.dumps(statistics(sparse_run, config={})))


def test_every_component_is_the_sum_of_counts_times_table_to_the_last_bit(document: Any) -> None:
    for name, joules in document["energy"].items():
        lines = [line for line in document["energy_actions"] if line["component"] == name]
        assert joules == 1e-12 * sum(line["count"] * line["pj"] for line in lines), name
        assert all(isinstance(line["count"], int) and line["count"] >= 0 for line in lines), name
    assert document["energy_j"] == sum(document["energy"].values())


def test_the_layers_sum_to_the_total(document: Any) -> None:
    assert sum(layer["energy_j"] for layer in document["layers"]) == pytest.approx(document["energy_j"], rel=1e-12)
    for layer in document["layers"]:
        assert sum(layer["component_energy_j"].values()) == pytest.approx(layer["energy_j"], rel=1e-12)
    for component, joules in document["energy"].items():
        parts = sum(layer["component_energy_j"][component] for layer in document["layers"])
        assert parts == pytest.approx(joules, rel=1e-12)


def test_the_range_contains_the_energy(document: Any) -> None:
    ranges = document["energy_range_j"]
    for name, joules in {"total": document["energy_j"], **document["energy"]}.items():
        assert ranges[name]["low"] <= joules <= ranges[name]["high"], name


def test_what_is_counted_is_what_the_components_counted(sparse_run: RunRecord) -> None:
    """The columns of instructions against the counters of buffers, interconnect and program."""
    found = energy_of(sparse_run)
    counts, columns = found.counts, found.tally
    for name in BUFFERS:
        buffers = [core.buffers[name] for core in sparse_run.cores]
        assert columns.total(f"{name}.read") == sum(one.array_read_bytes + one.dma_read_bytes for one in buffers)
        assert columns.total(f"{name}.write") == sum(one.array_write_bytes + one.dma_write_bytes for one in buffers)
    assert columns.total("interconnect") == sum(sparse_run.interconnect_bytes.values())
    assert sum(counts.host_operations.values()) == sparse_run.host_operations
    tiles_done = [i.counts for i in sparse_run.program.instructions if isinstance(i, Compute)]
    assert counts.macs == sum(one.macs for one in tiles_done)
    assert 0 < counts.macs_gated < counts.macs
    assert counts.decompressed_bytes > 0


def test_what_is_not_gated_has_a_weight_that_is_not_zero(sparse_run: RunRecord) -> None:
    """Executed MACs less the gated ones are the products of the non-zero weights, whatever the dataflow and tiling."""
    for layer in sparse_run.program.layers:
        if layer.gemm is None or layer.weight_format == "dense":
            continue
        done = [i.counts for i in sparse_run.program.of_layer(layer.index) if isinstance(i, Compute)]
        gemm = layer.gemm
        weights = gemm.m * gemm.k * gemm.groups
        nonzero = weights - round((layer.sparsity or 0.0) * weights)
        assert sum(one.macs - one.macs_gated for one in done) == nonzero * gemm.n, layer.name


@pytest.mark.parametrize("zeros", [None, Sparsity.model_validate({"pattern": "unstructured", "level": 0.6, "seed": 1})])
def test_groups_side_by_side_gate_only_their_own_zeros(zeros: Sparsity | None) -> None:
    """Between groups that share the grid no PE multiplies, so nothing is gated there."""
    soc = load("edge_16x16", Soc)
    program = compiler.compile(zoo.load("ds_cnn"), soc, Mapping(), zeros or "dense")
    layers = [layer for layer in program.layers if layer.tiling is not None and layer.tiling.side_by_side]
    assert layers
    for layer in layers:
        done = [i.counts for i in program.of_layer(layer.index) if isinstance(i, Compute)]
        gated = sum(one.macs_gated for one in done)
        assert gated == (0 if zeros is None else round((layer.sparsity or 0) * layer.macs))


def test_moves_between_pes_of_one_output_stationary_tile() -> None:
    """Operands pass a PE with each MAC; 4 × 4 sums of 4 bytes leave past 2.5 rows in the mean."""
    compute = Compute(0, 0, 0, (), (), 16, 0, 0, tile(20, macs=160, output_write_bytes=16))
    found = energy([compute, Store(1, 0, 0, (Region("dram", 0, 16),), 16, (0,))], IDEAL).counts
    assert found.pe_to_pe_bytes == 160 * 2 + 16 * 4 * 5 // 2
    assert found.register_write_bytes == 160 * (2 + 4) + 16 * 4 * 5 // 2
    assert found.idle_pe_cycles == 16 * 20 - 160


def test_without_clock_gating_stalls_cost_idle_cycles() -> None:
    """Two tiles of 10 cycles, each after a load of 50 ns: 100 of the 16 PEs' 120 cycles wait (the loads overlap)."""
    instructions = tiles(10, 10, macs=160, gap_bytes=50)
    gated, free = (energy(instructions, f"array.clock_gating={on}").counts for on in ("true", "false"))
    makespan_cycles = gated.elapsed_ps // NS
    assert gated.idle_pe_cycles == 0
    assert free.idle_pe_cycles == 16 * (makespan_cycles - 20)


@pytest.mark.parametrize("at_ns", [0, 30, 99])
def test_half_the_voltage_costs_a_quarter_for_the_macs_after_the_change(at_ns: int) -> None:
    """A tile of 100 cycles with 16 MACs in each; ``at_ns`` cycles pass before the change."""
    soc = (IDEAL, f"domains=[{{name: array, {POINTS}, transition_time: 20 ns, transition_energy: 3 pJ}}]")
    found = energy(tiles(100, macs=1600), *soc, changes=[change(at_ns, 500_000_000)]).estimate
    macs = [(line.count, line.pj, line.voltage_v) for line in found.lines if line.action == "mac_int8" and line.count]
    expected = [(16 * at_ns, pytest.approx(0.592), 0.92), (16 * (100 - at_ns), pytest.approx(0.592 / 4), 0.46)]
    assert macs == [entry for entry in expected if entry[0]]
    assert found.by_component["transitions"] == pytest.approx(3e-12)
    # Leakage goes with the voltage, which falls when the clock starts again.
    leaked = [line.count for line in found.lines if line.action == "pes_on"]
    assert leaked[-2:] == [(at_ns + 20) * NS, 2 * (100 - at_ns) * NS]


def test_a_run_at_a_lower_point_needs_no_change() -> None:
    soc = (IDEAL, f"domains=[{{name: array, {POINTS}}}]")
    full, low = (energy(tiles(100, macs=1600), *soc, f"array.clock={clock}") for clock in ("1 GHz", "500 MHz"))
    nominal, scaled = full.estimate.by_component, low.estimate.by_component
    assert scaled["array"] == pytest.approx((nominal["array"] or 0) / 4)
    assert scaled["leakage"] == pytest.approx(nominal["leakage"])  # half the voltage for twice as long


def test_the_samples_of_power_sum_to_the_energy(sparse_run: RunRecord) -> None:
    found = energy_of(sparse_run)
    power = power_of(found, window_ps=10_000_000, samples=37)
    spans = np.diff(power.times_s)
    for name, watts in power.components_w.items():
        assert np.dot(watts, spans) == pytest.approx(found.estimate.by_component[name], rel=1e-9), name
        assert min(watts) >= 0, name
    total = np.sum(list(power.components_w.values()), axis=0)
    assert power.average_w * sparse_run.makespan_ps * 1e-12 == pytest.approx(found.estimate.total_j, rel=1e-9)
    assert power.peak_w >= power.average_w
    assert power_of(found, window_ps=round(spans[0] * 1e12), samples=37).peak_w >= total.max() * (1 - 1e-6)


def test_the_peak_is_the_busiest_window() -> None:
    """16 MACs a cycle in the second tile alone: any 10 ns of it, and of no other tile, are the peak."""
    instructions = tiles(20, 20, 20)
    instructions[1] = Compute(1, 0, 0, (), (), 0, 0, 0, tile(20, macs=320))
    soc = (IDEAL, "energy.register_pj_per_byte=0", "energy.interconnect_pj_per_byte=0")
    macs = "energy.macs=[{operand_bits: 8, mac: 1 pJ, leakage: 0 mW, area: 1 um2}]"
    found = energy(instructions, *soc, macs)
    power = power_of(found, window_ps=10 * NS, samples=3)
    assert power.peak_w == pytest.approx(16e-12 / 1e-9, rel=1e-3)
    assert power.peak_at_s == pytest.approx(20e-9)
    assert power.components_w["array"] == pytest.approx([0, 16e-3, 0])


IDLE = "domains=[{{name: array, idle_states: [{states}]}}]"
GATED = "{name: clock_gated, after: 10 ns}"
OFF = "{name: power_gated, after: 30 ns, wake_up: 25 ns, leakage_share: 0.25, retains: false}"


def outputs(instructions: Sequence[Instruction], new: bool) -> list[Instruction]:
    """The same; with ``new`` every tile begins sums of its own."""
    if not new:
        return list(instructions)
    return [
        Compute(i.index, i.layer, 0, i.weights, i.inputs, 1, 0, i.frees_inputs_bytes, i.counts)
        if isinstance(i, Compute)
        else i
        for i in instructions
    ]


def test_idle_pes_go_through_their_states_and_need_time_to_wake() -> None:
    """A load of 100 ns before the only tile: 10 ns on, 20 ns clock-gated, 70 ns off; 25 ns to wake up."""
    found = energy(outputs(tiles(10, gap_bytes=100), new=True), IDLE.format(states=f"{GATED}, {OFF}"))
    assert found.record.makespan_ps == (100 + 25 + 10) * NS
    assert found.counts.array_ps == {"on": (10 + 25 + 10) * NS, "clock_gated": 20 * NS, "power_gated": 70 * NS}
    assert found.record.cores[0].array_ps[0, "wait_power"] == 25 * NS
    leaked = {line.action: line for line in found.estimate.lines if line.component == "leakage"}
    assert leaked["pes_power_gated"].pj == pytest.approx(leaked["pes_on"].pj / 4)


def test_a_state_that_forgets_is_not_entered_between_parts_of_a_sum() -> None:
    """The tile adds to what stands in the PEs, so they are not switched off before it."""
    found = energy(tiles(10, gap_bytes=100), IDLE.format(states=f"{GATED}, {OFF}"))
    assert found.record.makespan_ps == 110 * NS
    assert found.counts.array_ps == {"on": 20 * NS, "clock_gated": 90 * NS, "power_gated": 0}


def test_power_states_end_with_the_run() -> None:
    """After the tile a store of 100 ns follows, while the PEs fall into their states again."""
    instructions: list[Instruction] = [
        Compute(0, 0, 0, (), (), 100, 0, 0, tile(10)),
        Store(1, 0, 0, (Region("dram", 0, 100),), 100, (0,)),
    ]
    found = energy(instructions, IDLE.format(states=OFF))
    assert found.counts.array_ps == {"on": 40 * NS, "power_gated": 70 * NS}
