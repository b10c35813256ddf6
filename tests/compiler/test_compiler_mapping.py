"""The choice of dataflow and tiles: cycles, traffic, cores, limits, and what is refused."""

from __future__ import annotations

import itertools

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004
from soc_sim.compiler.program import Compute, Load
from soc_sim.config.array import DATAFLOWS, DataflowName
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import Sparsity
from soc_sim.dataflow import counts
from soc_sim.errors import MappingError
from soc_sim.network.base import Network
from soc_sim.network.zoo import load
from soc_sim.network.zoo.builder import NetworkBuilder


def dense(tokens: int, k: int, m: int) -> Network:
    net = NetworkBuilder("net", "test")
    return net.build(net.matmul("fc", net.input("x", 1, tokens, k), net.weight("w", k, m)))


def image(channels: int = 16, size: int = 14, m: int = 32) -> Network:
    net = NetworkBuilder("net", "test")
    return net.build(net.conv("conv", net.input("x", 1, channels, size, size), m, 3, padding=1, bias=False))


def computes(program: Program) -> list[Compute]:
    return [i for i in program.instructions if isinstance(i, Compute)]


@pytest.mark.parametrize("edge_tiles", ["actual", "full"])
@pytest.mark.parametrize("flow", DATAFLOWS)
def test_one_tile_costs_the_closed_form_of_its_gemm(flow: DataflowName, edge_tiles: str) -> None:
    soc = make_soc(edge_tiles=edge_tiles)
    program = compile(dense(5, 7, 6), soc, Mapping(dataflow=flow))
    (compute,) = computes(program)
    expected = counts(flow, soc.array, 6, 7, 5)
    assert compute.counts.cycles == expected.cycles
    assert compute.counts.folds == expected.folds
    assert compute.counts.weight_bytes == expected.weight_words
    assert compute.counts.input_bytes == expected.input_words
    word = 1 if flow == "dOS" else 4
    assert compute.counts.output_write_bytes == expected.output_words * word
    assert compute.counts.output_read_bytes == expected.accumulator_reads * word
    assert compute.output_bytes == 5 * 6 * word


@pytest.mark.parametrize("edge_tiles", ["actual", "full"])
@pytest.mark.parametrize("os_drain", ["exposed", "hidden"])
def test_an_output_stationary_fold_that_is_fed_in_parts_costs_as_much_as_in_one(edge_tiles: str, os_drain: str) -> None:
    soc = make_soc(buffers="512 B", edge_tiles=edge_tiles, os_drain=os_drain)
    program = compile(dense(3, 2000, 6), soc, Mapping(dataflow="dOS"))
    check_occupancy(program, soc)
    parts, whole = computes(program), counts("dOS", soc.array, 6, 2000, 3)
    folds = sum(part.counts.folds for part in parts)
    assert len(parts) > folds
    tiling = program.layers[0].tiling
    assert tiling is not None
    tiles = [(m, n) for m in _pieces(6, tiling.m) for n in _pieces(3, tiling.rows)]
    assert folds == len(tiles)
    assert sum(part.counts.cycles for part in parts) == sum(
        counts("dOS", soc.array, m, 2000, n).cycles for m, n in tiles
    )
    assert sum(part.counts.output_write_bytes for part in parts) == 6 * 3 == whole.output_words
    assert sum(part.counts.output_read_bytes for part in parts) == 0
    assert all(part.counts.cycles == tiling.k for part in parts if part.counts.folds == 0)


def _pieces(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]


@pytest.mark.parametrize("flow", ["dWS", "dIS"])
def test_partial_sums_over_tiles_of_k_are_read_back(flow: DataflowName) -> None:
    soc = make_soc(buffers=("512 B", "512 B", "4 KiB"))
    program = compile(dense(16, 1000, 8), soc, Mapping(dataflow=flow))
    folds_over_k = {"dWS": -(-1000 // soc.array.cols), "dIS": -(-1000 // soc.array.rows)}[flow]
    written = sum(c.counts.output_write_bytes for c in computes(program))
    read = sum(c.counts.output_read_bytes for c in computes(program))
    assert written - read == 16 * 8 * 4
    assert written >= 16 * 8 * 4 * folds_over_k
    assert sum(c.output_bytes for c in computes(program)) == 16 * 8 * 4


@pytest.mark.parametrize("flow", DATAFLOWS)
@pytest.mark.parametrize("buffers", ["1 KiB", "4 KiB", "64 KiB"])
def test_the_estimate_of_cycles_and_traffic_is_what_the_program_does(flow: DataflowName, buffers: str) -> None:
    soc = make_soc(buffers=buffers)
    for network in (image(), dense(50, 60, 70), load("resnet8")):
        program = compile(network, soc, Mapping(dataflow=flow))
        for layer in program.layers:
            if layer.estimate is None or layer.unit == "host":
                continue
            instructions = list(program.of_layer(layer.index))
            assert layer.estimate.compute_cycles == sum(c.counts.cycles for c in instructions if isinstance(c, Compute))
            loads = [region for i in instructions if isinstance(i, Load) for region in i.regions]
            assert layer.estimate.dram_read_bytes == sum(region.size_bytes for region in loads)


@pytest.mark.parametrize("network", [image(), dense(64, 64, 64)], ids=["conv", "dense"])
def test_larger_buffers_never_raise_the_expected_latency(network: Network) -> None:
    expected = []
    for size in (1, 2, 4, 8, 16, 64, 256):
        (layer,) = compile(network, make_soc(buffers=f"{size} KiB")).layers
        assert layer.estimate is not None
        expected.append(layer.estimate.latency_ps)
    # Choices within one percent count as equal, and each may be at the other end of that percent.
    assert all(later <= earlier * 1.011 for earlier, later in itertools.pairwise(expected))


def test_auto_is_no_worse_than_any_fixed_dataflow() -> None:
    def expected(flow: DataflowName | str) -> int:
        layers = compile(load("resnet8"), make_soc(), Mapping.model_validate({"dataflow": flow})).layers
        return sum(layer.estimate.latency_ps for layer in layers if layer.estimate)

    assert expected("auto") <= min(expected(flow) for flow in DATAFLOWS) * 1.011


@pytest.mark.parametrize("buffer", ["weights", "inputs"])
def test_the_tile_that_was_loaded_last_is_not_loaded_again(buffer: str) -> None:
    program = compile(load("autoencoder").with_batch(40), make_soc(buffers="4 KiB"))
    loads = [(i.layer, i.regions) for i in program.instructions if isinstance(i, Load) and i.buffer == buffer]
    assert all(earlier != later for earlier, later in itertools.pairwise(loads))
    used = sum(len(c.weights if buffer == "weights" else c.inputs) for c in computes(program))
    assert used > len(loads)


@pytest.mark.parametrize("cores", [2, 3, 4])
def test_every_core_gets_a_share(cores: int) -> None:
    soc = make_soc(cores=cores, buffers="32 KiB")
    program = compile(image(channels=32, size=28, m=64), soc)
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)
    check_memory(program)
    shares = [sum(c.counts.macs for c in computes(program) if c.core == core) for core in range(cores)]
    assert sum(shares) == program.macs
    assert min(shares) > 0.6 * program.macs / cores


def test_a_layer_may_have_a_dataflow_of_its_own() -> None:
    program = compile(load("resnet8"), make_soc(), Mapping(dataflow={"stem.conv": "dIS", "dense": "auto"}))
    assert program.layers[0].dataflow == "dIS"


def test_all_faults_of_a_mapping_are_reported_at_once() -> None:
    soc = make_soc(dataflows=["dOS", "dWS"])
    mapping = Mapping(dataflow={"stem.cnv": "dOS", "dense": "dIS", "softmax": "dOS"})
    with pytest.raises(MappingError) as caught:
        compile(load("resnet8"), soc, mapping)
    assert caught.value.faults == (
        "mapping.dataflow: 'stem.cnv' is no layer that runs on the array of resnet8; did you mean 'stem.conv'?",
        "mapping.dataflow: 'softmax' is no layer that runs on the array of resnet8",
        "mapping.dataflow.dense: the array of test cannot run dIS; allowed: dOS, dWS",
    )


def test_a_buffer_too_small_for_one_tile_names_every_layer() -> None:
    soc = make_soc(buffers=("16 KiB", "2 B", "16 KiB"))
    with pytest.raises(MappingError) as caught:
        compile(image(), soc)
    # One output pixel of a 3 × 3 window over one channel reads nine elements.
    assert caught.value.faults == ("layer conv: its smallest tile needs 9 bytes of the inputs buffer, which has 2",)


def test_a_sparse_tile_that_does_not_fit_is_named() -> None:
    """Tiles of sparse weights are as high as the array, where dense ones may be single rows: 16 bytes are too few."""
    soc = make_soc(16, 4, buffers=("16 B", "16 KiB", "16 KiB"), dataflows=["dIS"])
    with pytest.raises(MappingError, match=r"^layer fc: its smallest tile needs \d+ bytes of the weights buffer"):
        compile(dense(1, 500, 16), soc, Mapping(dataflow="sIS"), Sparsity(pattern="channels", level=0.0))


def test_a_memory_that_is_too_small_says_by_how_much() -> None:
    network = dense(10, 100, 50)
    used = compile(network, make_soc(weight_memory=True)).memory_map.used_bytes["weight_memory"]
    with pytest.raises(MappingError) as caught:
        compile(network, make_soc(capacity="1 KiB", weight_memory=True))
    # 1000 bytes of input from 0, 500 of output from the next multiple of 64; weight tiles begin at multiples, too.
    assert caught.value.faults == (
        "net needs 1524 bytes of dram (memory), 500 more than its 1024: activations 1500 at once",
        f"net needs {used} bytes of weight_memory (memory), {used - 1024} more than its 1024: weights 5000",
    )


def test_weights_lie_in_their_own_memory_where_there_is_one() -> None:
    program = compile(dense(10, 20, 30), make_soc(weight_memory=True))
    memories = {i.buffer: {r.memory for r in i.regions} for i in program.instructions if isinstance(i, Load)}
    assert memories == {"weights": {"weight_memory"}, "inputs": {"dram"}}
    assert set(program.memory_map.used_bytes) == {"dram", "weight_memory"}
    estimate = program.layers[0].estimate
    assert estimate is not None
    assert estimate.dram_read_bytes == 10 * 20


def test_space_is_used_again_when_its_tensor_is_dead() -> None:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 1024)
    for index in range(6):
        x = net.linear(f"fc{index}", x, 1024)
    program = compile(net.build(x), make_soc(weight_memory=True), Mapping(residency="off"))
    assert program.memory_map.peak_activation_bytes == 2 * 1024
    assert program.memory_map.used_bytes["dram"] == 2 * 1024
