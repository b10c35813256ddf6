"""What stays on chip: the choice, the program that follows, its numbers, and the traffic it saves."""

from __future__ import annotations

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute, Load, Store, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Slices
from soc_sim.testing.variants import changed

OFF = Mapping(residency="off")


def chain(layers: int = 3, channels: int = 8, size: int = 8, kernel: int = 3) -> Network:
    net = NetworkBuilder("chain", "test")
    x = net.input("x", 1, channels, size, size)
    for index in range(layers):
        x = net.conv(f"conv{index}", x, channels, kernel, padding=kernel // 2)
    return net.build(x)


def residual() -> Network:
    """A branch that is added behind two layers, and one that the host reads."""
    net = NetworkBuilder("residual", "test")
    a = net.relu("a.relu", net.conv("a", net.input("x", 1, 4, 8, 8), 8, 3, padding=1))
    b = net.relu("b.relu", net.conv("b", a, 8, 3, padding=1, stride=1))
    c = net.add("c.add", net.conv("c", b, 8, 1), a)
    return net.build(net.conv("e", c, 4, 3, padding=1), net.tanh("tanh", net.conv("d", b, 4, 1)))


def traffic(program: Program, memory: str) -> int:
    moved = 0
    for instruction in program.instructions:
        match instruction:
            case Load(regions=regions) | Store(regions=regions):
                moved += sum(region.size_bytes for region in regions if region.memory == memory)
            case VectorOp(reads=reads, writes=writes):
                moved += sum(region.size_bytes for region in (*reads, *writes) if region.memory == memory)
    return moved


def checked(network: Network, soc: Soc, mapping: Mapping | None = None) -> Program:
    program = compile(network, soc, mapping)
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)
    check_memory(program)
    return program


def test_kept_results_save_a_write_and_a_read() -> None:
    """Kernels of one element read every input once, so bytes count exactly."""
    soc, network = make_soc(buffers="16 KiB"), chain(3, kernel=1)
    kept, plain = checked(network, soc), checked(network, soc, OFF)
    size = 8 * 8 * 8
    assert [layer.residency.outputs for layer in kept.layers if layer.residency] == [
        ("inputs_buffer",), ("inputs_buffer",), ("dram",)
    ]  # fmt: skip
    assert traffic(plain, "dram") - traffic(kept, "dram") == 2 * 2 * size
    assert traffic(kept, "inputs_buffer") == 2 * size
    records = [system.run(soc, program) for program in (kept, plain)]
    for record in records:
        check_record(record)
    assert records[0].makespan_ps <= 1.01 * records[1].makespan_ps


@pytest.mark.parametrize("buffers", ["1 KiB", "2 KiB", "16 KiB"])
@pytest.mark.parametrize("network", [chain(4), residual()], ids=["chain", "residual"])
def test_kept_numbers_are_right(network: Network, buffers: str) -> None:
    soc, network = make_soc(4, 4, buffers=buffers), with_values(network, seed=1)
    program = checked(network, soc)
    assert verify(network, soc, program, random_inputs(network, seed=2)).matches
    check_record(system.run(soc, program, inferences=2))


def test_the_network_with_kept_results_computes_what_it_defines() -> None:
    soc, network = load("edge_16x16", Soc), with_values(zoo.load("resnet8"), seed=1)
    program = checked(network, soc)
    assert any(layer.residency and "inputs_buffer" in layer.residency.inputs for layer in program.layers)
    assert verify(network, soc, program, random_inputs(network, seed=2)).matches


def test_what_others_must_read_is_not_kept_and_the_reason_is_given() -> None:
    program = checked(residual(), make_soc(buffers="16 KiB"))
    reasons = {layer.name: layer.residency.reason for layer in program.layers if layer.residency}
    assert reasons["d"] == "the host reads it"
    assert reasons["tanh"] == "an output of the network"
    assert reasons["a"].startswith("saves ")
    assert {layer.residency.reason for layer in compile(chain(), make_soc(), OFF).layers if layer.residency} == {
        "mapping.residency is off"
    }


def test_a_tensor_larger_than_the_buffer_goes_to_memory() -> None:
    program = checked(chain(2, channels=16, size=16), make_soc(buffers="2 KiB"))
    first = program.layers[0].residency
    assert first is not None
    assert first.outputs == ("dram",)
    assert first.reason == "its 4096 bytes exceed the inputs buffer of 2048"


@pytest.mark.parametrize("cores", [1, 2])
def test_resident_weights_are_loaded_once_for_all_inferences(cores: int) -> None:
    soc, network = make_soc(buffers="32 KiB", cores=cores), chain(4)
    program = checked(network, soc, Mapping(split="channels"))
    assert program.once
    record = system.run(soc, program, inferences=3)
    check_record(record)
    weights = sum(region.size_bytes for index in program.once for region in _load(program, index).regions)
    assert weights == program.memory_map.weight_bytes == 4 * (8 * 8 * 9 + 8 * 4)
    rest = traffic(program, "dram") - weights
    assert record.memories["dram"]["read_bytes"] + record.memories["dram"]["write_bytes"] == weights + 3 * rest


def _load(program: Program, index: int) -> Load:
    found = program.instructions[index]
    assert isinstance(found, Load)
    return found


def test_resident_weights_make_later_inferences_faster() -> None:
    """A flash of 50 MB/s brings 2432 bytes in 48.6 µs, eight times the array's time: later inferences need none."""
    soc = make_soc(buffers="32 KiB", weight_memory=True)
    flash = changed(soc.weight_memory, read_bandwidth_bytes_per_s=50_000_000)
    soc = changed(soc, weight_memory=flash)
    kept, plain = (
        system.run(soc, compile(chain(4), soc, mapping), inferences=4).inference_end_ps for mapping in (None, OFF)
    )
    bytes_of_weights, ps_per_byte = 4 * (8 * 8 * 9 + 8 * 4), 20_000
    assert plain[3] - plain[0] >= 3 * bytes_of_weights * ps_per_byte
    assert kept[3] - kept[0] < bytes_of_weights * ps_per_byte
    assert kept[0] <= plain[0] * 1.01


def test_weights_stay_without_their_zeros_where_whole_ones_do() -> None:
    """Tiles are chosen anew for weights that stay, and then have more metadata; the buffer has room for these, too."""
    soc = load("edge_16x16", Soc)
    program = compile(zoo.load("resnet8"), soc, None, Sparsity(pattern="unstructured", level=0.6, seed=1))
    homes = [layer.residency.weights for layer in program.layers if layer.unit == "array" and layer.residency]
    assert set(homes) == {"weights_buffer"}
    assert sum(layer.weight_bytes for layer in program.layers) <= soc.buffers.of("weights").capacity_bytes


def test_weights_of_the_next_layer_are_fetched_under_the_current_one() -> None:
    """Their first tile is there before the current layer has computed its last, where the buffer has room for it."""

    def weights_wait(buffers: tuple[str, str, str]) -> bool:
        soc, slices = make_soc(buffers=buffers), Slices()
        network = chain(3, channels=32, size=16)
        system.run(soc, compile(network, soc, OFF), recorder=slices)
        loads = {layer: start for track, name, start, _, layer in reversed(slices.taken) if name == "load weights"}
        computes = {layer: end for track, name, _, end, layer in slices.taken if name == "compute"}
        return any(loads[layer] >= computes[layer - 1] for layer in (1, 2))

    assert not weights_wait(("32 KiB", "16 KiB", "16 KiB"))


def test_a_compute_that_reads_in_place_waits_for_the_stores_that_put_it_there() -> None:
    program = checked(chain(2), make_soc(buffers="16 KiB"))
    readers = [i for i in program.of_layer(1) if isinstance(i, Compute)]
    assert all(reader.kept and reader.stores for reader in readers)
    writers = {i.index for i in program.of_layer(0) if isinstance(i, Store)}
    assert {index for reader in readers for index in reader.stores} <= writers
