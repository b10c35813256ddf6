"""Weights in the SRAM that all share: which, why, how they get there, and what that saves."""

from __future__ import annotations

import pytest
from program_checks import check_memory, check_occupancy, check_order

from soc_sim import system
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Load, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.system.several import Demand, run_streams
from soc_sim.testing.bounds import lower_bound_ps
from soc_sim.testing.checks import check_record, check_scenario

RESIDENT, COPIED = Mapping(sram_weights="resident"), Mapping(sram_weights="copied")


def soc(capacity: str, *overrides: str) -> Soc:
    sram = (f"system_sram.capacity={capacity}", "system_sram.width=32 B", "system_sram.clock=1 GHz")
    # A slow main memory, and buffers that cannot hold all weights.
    return load("edge_16x16", Soc, (*sram, "buffers.weights.capacity=16 KiB", "dram=sram_500mhz", *overrides))


def network() -> Network:
    """Three fully connected layers, bound by their weights: 128, 64 and 32 KiB and their biases."""
    net = NetworkBuilder("fc", "test")
    x = net.relu("a.relu", net.linear("a", net.input("x", 1, 256), 512))
    return net.build(net.linear("c", net.relu("b.relu", net.linear("b", x, 128)), 256))


def from_memory(program: Program, memory: str) -> int:
    """Bytes of weights that an inference loads from a memory."""
    loads = (i for i in program.instructions if isinstance(i, Load) and i.buffer == "weights")
    return sum(region.size_bytes for load in loads for region in load.regions if region.memory == memory)


def homes(program: Program) -> list[str | None]:
    return [layer.residency.weights for layer in program.layers if layer.residency and layer.weight_bytes]


@pytest.mark.parametrize("capacity", ["40 KiB", "80 KiB", "110 KiB", "1 MiB"])
@pytest.mark.parametrize("mapping", [RESIDENT, COPIED], ids=["resident", "copied"])
def test_what_fits_lies_there_and_leaves_the_main_memory_alone(capacity: str, mapping: Mapping) -> None:
    with_sram, net = soc(capacity), network()
    plain, program = compile(net, with_sram), compile(net, with_sram, mapping)
    check_order(program)
    check_occupancy(program, with_sram)
    check_memory(program)
    moved = from_memory(program, "system_sram")
    assert moved > 0
    # Every weight is needed once: what is not read in one memory is read in the other.
    assert from_memory(program, "dram") + moved == from_memory(plain, "dram")
    room = with_sram.memories["system_sram"].capacity_bytes
    there = [place for place in program.memory_map.placements if place.memory == "system_sram"]
    assert max(place.address + place.size_bytes for place in there) <= room
    for layer in program.layers:
        if layer.residency is not None and layer.weight_bytes:
            reason = layer.residency.weights_reason
            assert reason.startswith("saves" if layer.residency.weights == "system_sram" else "no room for its")
    record = system.run(with_sram, program, inferences=2)
    check_record(record)
    assert record.makespan_ps >= lower_bound_ps(with_sram, program)
    assert (homes(program) == ["system_sram"] * 3) == (capacity == "1 MiB")


def test_it_is_faster_by_the_difference_of_the_memories() -> None:
    """All weights come at 16 GB/s (the interconnect's path) instead of 4; loads bound both runs almost alone."""
    with_sram, net = soc("1 MiB"), network()
    before, after = (system.run(with_sram, compile(net, with_sram, mapping)) for mapping in (Mapping(), RESIDENT))
    weights = 256 * 512 + 512 * 128 + 128 * 256
    saved_ps = weights * (1 / 4e9 - 1 / 16e9) * 1e12
    assert before.makespan_ps - after.makespan_ps == pytest.approx(saved_ps, rel=0.1)


def test_the_first_inference_copies_each_byte_once() -> None:
    with_sram, net = soc("1 MiB"), network()
    program = compile(net, with_sram, COPIED)
    copies = [i for i in program.instructions if isinstance(i, VectorOp) and i.once]
    stored = sum(layer.weight_bytes for layer in program.layers)
    sizes = [sum(region.size_bytes for region in copy.reads) for copy in copies]
    # Tiles begin at multiples of 64 bytes.
    assert stored <= sum(sizes) <= stored + 64 * sum(isinstance(i, Load) for i in program.instructions)
    assert all({region.memory for region in copy.reads} == {"dram"} for copy in copies)
    assert all({region.memory for region in copy.writes} == {"system_sram"} for copy in copies)
    once, thrice = (system.run(with_sram, program, inferences=count) for count in (1, 3))
    moved = [record.memories["dram"]["read_bytes"] for record in (once, thrice)]
    assert moved[1] - moved[0] == 2 * (moved[0] - sum(sizes))
    there = compile(net, with_sram, RESIDENT)
    resident = system.run(with_sram, there, inferences=3)
    assert thrice.inference_end_ps[0] > resident.inference_end_ps[0]
    steady = [record.inference_end_ps[2] - record.inference_end_ps[1] for record in (thrice, resident)]
    assert steady[0] == pytest.approx(steady[1], rel=0.01)
    assert there.memory_map.used_bytes["dram"] < program.memory_map.used_bytes["dram"]


def test_numbers_are_those_of_the_network() -> None:
    net, with_sram = with_values(network(), seed=1), soc("80 KiB")
    for mapping in (RESIDENT, COPIED):
        program = compile(net, with_sram, mapping)
        assert verify(net, with_sram, program, random_inputs(net, seed=2)).matches


def test_streams_of_two_networks_have_their_own() -> None:
    """On cores of their own, and each with half of the SRAM."""
    two = soc("160 KiB", "cores=2")
    half = soc("80 KiB", "cores=1")
    program = compile(network(), half, COPIED)
    demands = [Demand(program, (core,), iter((0, 100))) for core in range(2)]
    record = run_streams(two, demands, 10**10)
    check_scenario(record)
    assert [sum(one.end_ps is not None for one in stream.inferences) for stream in record.streams] == [2, 2]
    copied = sum(i.writes[0].size_bytes for i in program.instructions if isinstance(i, VectorOp) and i.once)
    assert record.machine.memories["system_sram"]["write_bytes"] >= 2 * copied > 0


def test_an_soc_without_shared_sram_is_refused() -> None:
    with pytest.raises(MappingError, match=r"mapping\.sram_weights: edge_16x16 has no system_sram; allowed: off"):
        compile(network(), load("edge_16x16", Soc), RESIDENT)
