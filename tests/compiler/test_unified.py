"""One scratchpad for several operands: who gets its space, what its ports pass, what it costs."""

from __future__ import annotations

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute, Load, Region, Store
from soc_sim.config.core import BufferName
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.energy.area import area
from soc_sim.energy.chip import buffer_cost
from soc_sim.energy.counts import Counts, Traffic
from soc_sim.energy.model import estimate
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.bounds import lower_bound_ps, upper_bound_ps
from soc_sim.testing.checks import check_record
from soc_sim.testing.small import CYCLE_PS, program_of, small_soc, tile
from soc_sim.testing.variants import with_unified

PARTS: tuple[tuple[BufferName, ...], ...] = (
    ("weights", "inputs"),
    ("inputs", "outputs"),
    ("weights", "inputs", "outputs"),
)
UNIFIED = "buffers={unified: {capacity: 1000 B, ports: 8, width: 128 B}}"
OFF = Mapping(residency="off")


def network() -> Network:
    net = NetworkBuilder("branches", "test")
    a = net.relu("a.relu", net.conv("a", net.input("x", 1, 4, 12, 12), 24, 3, padding=1))
    b = net.relu("b.relu", net.conv("b", a, 24, 3, padding=1, groups=24))
    return net.build(net.add("c.add", net.conv("c", b, 24, 1), a))


@pytest.mark.parametrize("operands", PARTS, ids="+".join)
@pytest.mark.parametrize("buffers", ["1 KiB", "2 KiB", "16 KiB"])
@pytest.mark.parametrize("cores", [1, 2])
def test_programs_fit_the_common_capacity_and_run(buffers: str, operands: tuple[BufferName, ...], cores: int) -> None:
    soc = with_unified(make_soc(buffers=buffers, cores=cores), *operands)
    program = compile(network(), soc)
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)
    check_memory(program)
    for inferences in (1, 2):
        record = system.run(soc, program, inferences=inferences)
        check_record(record)
        assert lower_bound_ps(soc, program) <= record.makespan_ps <= inferences * upper_bound_ps(soc, program)
    for layer in program.layers:
        if layer.buffer_shares is not None:
            assert set(layer.buffer_shares) == set(operands)
            total = sum(share.size_bytes for share in layer.buffer_shares.values())
            assert total <= soc.buffers.of(operands[0]).capacity_bytes


def test_numbers_are_those_of_the_network() -> None:
    net = with_values(network(), seed=3)
    soc = with_unified(make_soc(buffers="2 KiB"), *PARTS[0])
    program = compile(net, soc)
    assert verify(net, soc, program, random_inputs(net, seed=4)).matches


@pytest.mark.parametrize(("soc", "name"), [("ethos_u55_128_like", "resnet8"), ("mcu_8x8", "ds_cnn")])
def test_it_is_no_slower_than_separate_ones_of_the_same_size(soc: str, name: str) -> None:
    """By more than 1 %; 2 % where results are kept, which take room from loads that run ahead into the next layer.

    The worst is resnet8 on the ethos_u55_128_like with weights and inputs together: 1.5 %.
    """
    apart, net = load(soc, Soc), zoo.load(name)
    for mapping, tolerance in ((OFF, 1.01), (Mapping(), 1.02)):
        before = system.run(apart, compile(net, apart, mapping)).makespan_ps
        for operands in PARTS:
            shared = with_unified(apart, *operands)
            assert system.run(shared, compile(net, shared, mapping)).makespan_ps <= tolerance * before


def test_a_lopsided_layer_gets_the_room_that_it_needs() -> None:
    """A fully connected layer of 4 rows: inputs of 2 KiB are read once if they fit, and weights never fit."""
    net = NetworkBuilder("fc", "test")
    fc = net.build(net.linear("fc", net.input("x", 4, 512), 256))
    apart = make_soc(buffers=("4 KiB", "1 KiB", "4 KiB"))
    shared = with_unified(apart, "weights", "inputs")
    split, joined = compile(fc, apart), compile(fc, shared)
    assert joined.layers[0].estimate is not None
    assert split.layers[0].estimate is not None
    assert joined.layers[0].estimate.latency_ps <= split.layers[0].estimate.latency_ps
    shares = joined.layers[0].buffer_shares
    assert shares is not None
    assert shares["weights"].size_bytes + shares["inputs"].size_bytes <= 5 * 1024


def test_loads_that_run_ahead_leave_room_for_earlier_tiles() -> None:
    """The second tile's weights would fit beside the first one's, but then its results had no room, for ever.

    300 ns for the first load, 100 cycles; then the memory has a store and a load of 1000 bytes in all to serve, for the
    load has room beside the results from the end of the first tile on; 100 cycles and a store remain.
    """
    soc = small_soc(UNIFIED)
    program = program_of(
        [
            Load(0, 0, 0, "weights", (Region("dram", 0, 300),), 300),
            Compute(1, 0, 0, (0,), (), 400, 300, 0, tile(100)),
            Store(2, 0, 0, (Region("dram", 1000, 400),), 400, (1,)),
            Load(3, 0, 0, "weights", (Region("dram", 2000, 600),), 600),
            Compute(4, 0, 0, (3,), (), 400, 600, 0, tile(100)),
            Store(5, 0, 0, (Region("dram", 3000, 400),), 400, (4,)),
        ]
    )
    record = system.run(soc, program)
    check_record(record)
    assert list(record.times.completed_ps[:2]) == [300 * CYCLE_PS, 400 * CYCLE_PS]
    assert record.makespan_ps == (300 + 100 + 1000 + 100 + 400) * CYCLE_PS
    assert record.cores[0].buffers["unified"].peak_bytes == 1000


def test_ports_are_shared_by_all_operands() -> None:
    """1280 bytes of weights, 2560 of inputs and 640 of results through one port of 16 bytes: 280 cycles."""
    soc = small_soc("buffers={unified: {capacity: 1000 B, ports: 1, width: 16 B}}")
    counts = tile(100, weight_bytes=1280, input_bytes=2560, output_write_bytes=640)
    record = system.run(soc, program_of([Compute(0, 0, 0, (), (), 0, 0, 0, counts)]))
    check_record(record)
    assert record.makespan_ps == 280 * CYCLE_PS
    assert {cause: span for (_, cause), span in record.cores[0].array_ps.items()} == {
        "busy": 100 * CYCLE_PS,
        "wait_buffer": 180 * CYCLE_PS,
    }
    assert [reason.component for _, _, reason in record.cores[0].reasons_ps] == ["core0.unified"]


def test_each_access_costs_what_the_whole_memory_costs() -> None:
    soc = load("gemmini_16x16_unified_like", Soc)
    cost, width_bytes = buffer_cost(soc, "inputs")
    assert (width_bytes, buffer_cost(soc, "weights")) == (16, (cost, 16))
    counts = Counts(elapsed_ps=0, weights_buffer=Traffic(1600, 320), inputs_buffer=Traffic(800, 160))
    expected_pj = (100 + 50) * cost.read_pj + (20 + 10) * cost.write_pj
    assert estimate(soc, counts).by_component["unified_buffer"] == pytest.approx(expected_pj * 1e-12)
    found = area(soc).by_component
    assert found["unified_buffer"] == cost.area_mm2
    assert "weights_buffer" not in found
