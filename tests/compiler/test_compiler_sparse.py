"""Weights with zeros: what is stored, what is executed, what is expected, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from program_checks import check_memory, check_occupancy, check_order
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004
from soc_sim.compiler.program import Compute, Layer, Load
from soc_sim.config.array import FLOWS, SPARSE_DATAFLOWS, Array, Flow
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import LayerSparsity, Sparsity
from soc_sim.dataflow import GemmCounts, counts_of_bitmap
from soc_sim.errors import MappingError
from soc_sim.network.base import Network
from soc_sim.network.zoo import load
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.formats import FORMATS
from soc_sim.sparsity.patterns import PATTERNS
from soc_sim.system import run
from soc_sim.testing.checks import check_record


def dense(tokens: int, k: int, m: int) -> Network:
    net = NetworkBuilder("net", "test")
    return net.build(net.matmul("fc", net.input("x", 1, tokens, k), net.weight("w", k, m)))


def saved(path: Path, **arrays: np.ndarray) -> Sparsity:
    np.savez(path / "w.npz", **arrays)
    return Sparsity(weights=str(path / "w.npz"))


def computes(program: Program, layer: int = 0) -> list[Compute]:
    return [i for i in program.of_layer(layer) if isinstance(i, Compute)]


def random_bitmap(m: int, k: int, seed: int) -> Bitmap:
    """Single zeros, zero columns of blocks, zero rows."""
    rng = np.random.default_rng(seed)
    kept = rng.random((m, k)) > 0.3
    kept[:, rng.random(k) < 0.3] = False
    kept[rng.random(m) < 0.2] = False
    return kept


def expected_cycles(layer: Layer) -> int:
    assert layer.estimate is not None
    return layer.estimate.compute_cycles


def tiles_of(program: Program, flow: Flow, array: Array, nonzero: Bitmap, tokens: int) -> list[tuple[int, GemmCounts]]:
    """(start of k, counts of the bare array) of every tile of a one-layer program; parts of K of one fold are one."""
    tiling = program.layers[0].tiling
    assert tiling is not None
    (m, k), columns = nonzero.shape, tiling.rows * tiling.cols
    depth = k if flow in ("sOS", "csOS") else tiling.k
    return [
        (
            k_start,
            counts_of_bitmap(
                flow, array, nonzero[m_start:, k_start:][: tiling.m, :depth], min(columns, tokens - n_start)
            ),
        )
        for m_start in range(0, m, tiling.m)
        for k_start in range(0, k, depth)
        for n_start in range(0, tokens, columns)
    ]


@pytest.mark.parametrize("flow", SPARSE_DATAFLOWS)
@pytest.mark.parametrize("edge_tiles", ["actual", "full"])
@pytest.mark.parametrize("tile_overlap", ["none", "prefetch"])
@pytest.mark.parametrize("buffers", ["16 KiB", "192 B"])
def test_tiles_cost_the_counts_of_their_bitmaps(
    flow: Flow, edge_tiles: str, tile_overlap: str, buffers: str, tmp_path: Path
) -> None:
    soc = make_soc(rows=4, cols=3, buffers=buffers, edge_tiles=edge_tiles, tile_overlap=tile_overlap)
    nonzero = random_bitmap(19, 43, seed=1)
    program = compile(dense(9, 43, 19), soc, Mapping(dataflow=flow, format="csr"), saved(tmp_path, fc=nonzero))
    found = [compute.counts for compute in computes(program)]
    tiles = tiles_of(program, flow, soc.array, nonzero, 9)
    tiling = program.layers[0].tiling
    assert tiling is not None
    assert len(found) == len(tiles) * (-(-43 // tiling.k) if flow in ("sOS", "csOS") else 1)

    def total(name: str) -> int:
        return sum(getattr(gemm, name) for _, gemm in tiles)

    word = 1 if flow in ("sOS", "csOS") else 4
    assert sum(tile.cycles for tile in found) == total("cycles")
    assert sum(tile.folds for tile in found) == total("folds")
    assert sum(tile.macs for tile in found) == total("macs")
    assert sum(tile.weight_bytes - tile.metadata_bytes for tile in found) == total("weight_words")
    assert sum(tile.zeros_injected for tile in found) == total("zeros_injected")
    assert sum(tile.input_bytes for tile in found) == total("input_words")
    assert sum(tile.output_write_bytes for tile in found) == total("output_words") * word
    # Behind the first block of k, every sum is added to one that is there.
    reads = sum(gemm.output_words if k_start else gemm.accumulator_reads for k_start, gemm in tiles)
    assert sum(tile.output_read_bytes for tile in found) == reads * word


@pytest.mark.parametrize("flow", [*FLOWS, "auto"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_expected_cycles_are_those_of_the_program(flow: str, pattern: str) -> None:
    """Vectorised sums over all tilings against the tiles' own counts, on grouped and ordinary layers."""
    soc = make_soc(rows=8, cols=4, buffers="8 KiB")
    sparsity = Sparsity.model_validate({"pattern": pattern, "level": 0.6, "seed": 3})
    for name in ("resnet8", "ds_cnn"):
        program = compile(load(name), soc, Mapping.model_validate({"dataflow": flow}), sparsity)
        check_order(program)
        check_occupancy(program, soc)
        for layer in program.layers:
            if layer.unit == "array":
                assert sum(c.counts.cycles for c in computes(program, layer.index)) == expected_cycles(layer)


@pytest.mark.parametrize("flow", ["sOS", "csOS"])
def test_a_sparse_fold_that_is_fed_in_parts_costs_as_much_as_in_one(flow: Flow, tmp_path: Path) -> None:
    soc = make_soc(rows=8, cols=8, buffers="512 B")
    nonzero = random_bitmap(8, 3000, seed=2)
    nonzero[:, 100:700] = False
    program = compile(dense(3, 3000, 8), soc, Mapping(dataflow=flow), saved(tmp_path, fc=nonzero))
    parts, whole = computes(program), counts_of_bitmap(flow, soc.array, nonzero, 3)
    tiling = program.layers[0].tiling
    assert tiling is not None
    assert len(parts) > 3
    tiles = -(-3 // tiling.rows)
    assert sum(part.counts.cycles for part in parts) == (
        whole.cycles if tiles == 1 else expected_cycles(program.layers[0])
    )
    assert sum(part.counts.macs for part in parts) == whole.macs
    assert sum(part.counts.zeros_injected for part in parts) == whole.zeros_injected * tiles
    assert any(part.counts.cycles == 0 for part in parts)


@pytest.mark.parametrize("name", FORMATS)
def test_weight_tiles_are_as_large_as_they_are_encoded(name: str, tmp_path: Path) -> None:
    """Every load of weights carries its own tile in the format: metadata in whole bytes, values, biases."""
    soc = make_soc(rows=8, cols=8, buffers="1 KiB", operand_bits=16)
    rng = np.random.default_rng(5)
    weights = rng.integers(1, 100, (40, 90)) * random_bitmap(40, 90, seed=5)
    mapping = Mapping.model_validate({"dataflow": "sWS", "format": name})
    program = compile(dense(30, 90, 40), soc, mapping, saved(tmp_path, fc=weights))
    (layer,) = program.layers
    tiling = layer.tiling
    assert tiling is not None
    sizes = []
    for m in range(0, 40, tiling.m):
        for k in range(0, 90, tiling.k):
            size = FORMATS[name].encode(weights[m : m + tiling.m, k : k + tiling.k], 8, 8).size
            sizes.append(-(-size.metadata_bits // 8) + 2 * size.values)
    loads = [i for i in program.instructions if isinstance(i, Load) and i.buffer == "weights"]
    assert sorted({load.regions[0].address: load.buffer_bytes for load in loads}.values()) == sorted(
        size for size in sizes if size
    )
    assert layer.weight_bytes == sum(sizes) == program.memory_map.weight_bytes
    assert layer.weight_format == name


def test_the_smallest_format_is_taken(tmp_path: Path) -> None:
    soc, nonzero = make_soc(), np.zeros((64, 64), bool)
    nonzero[:, ::5] = True
    (layer,) = compile(dense(8, 64, 64), soc, None, saved(tmp_path, fc=nonzero)).layers
    sizes = {name: of.size(nonzero, 8, 8).bits(8) for name, of in FORMATS.items()}
    assert layer.weight_format == min(sizes, key=sizes.__getitem__)


def test_weights_without_zeros_give_the_dense_program() -> None:
    soc = make_soc()
    plain = compile(load("resnet8"), soc)
    without = compile(load("resnet8"), soc, None, Sparsity(pattern="blocks", level=0.0))
    assert without.instructions == plain.instructions
    assert without.memory_map == plain.memory_map


def test_zeros_are_processed_like_any_other_weight_if_asked_to() -> None:
    soc = make_soc()
    sparsity = Sparsity(pattern="tile_columns", level=0.75)
    program = compile(load("resnet8"), soc, Mapping(sparse=False), sparsity)
    assert program.instructions == compile(load("resnet8"), soc).instructions
    assert [layer.sparsity for layer in program.layers if layer.gemm] == pytest.approx([0.75] * 10, abs=0.1)


def test_a_layer_whose_weights_are_all_zero_takes_no_cycle_and_is_stored() -> None:
    soc = make_soc()
    everything = Sparsity(pattern="unstructured", level=1.0)
    program = compile(load("resnet8"), soc, None, everything)
    check_memory(program)
    assert sum(c.counts.cycles for layer in program.layers for c in computes(program, layer.index)) == 0
    record = run(soc, program)
    check_record(record)
    written = sum(size for (_, _, write), size in record.asked_bytes.items() if write)
    plain = run(soc, compile(load("resnet8"), soc))
    assert written == sum(size for (_, _, write), size in plain.asked_bytes.items() if write)


def test_each_layer_reaches_its_level_within_one_unit() -> None:
    soc = make_soc(rows=8, cols=8)
    sparsity = Sparsity(
        pattern="tile_columns", level=0.4, seed=7, layers=(LayerSparsity(name="dense", level=0.9, pattern="blocks"),)
    )
    program = compile(load("resnet8"), soc, None, sparsity)
    for layer in program.layers:
        if layer.gemm is not None:
            unit, level = (64, 0.9) if layer.name == "dense" else (8, 0.4)
            assert layer.sparsity == pytest.approx(level, abs=unit / (layer.gemm.m * layer.gemm.k))


def test_zeros_belong_to_a_layer_by_its_name() -> None:
    """A layer keeps its zeros whatever stands before it, and layers of one shape differ."""

    def first(*names: str) -> dict[str, int]:
        net = NetworkBuilder("net", "test")
        x = net.input("x", 1, 64)
        for name in names:
            x = net.linear(name, x, 64)
        program = compile(
            net.build(x), make_soc(), Mapping(dataflow="sOS"), Sparsity(pattern="unstructured", level=0.9)
        )
        return {layer.name: expected_cycles(layer) for layer in program.layers}

    both = first("a", "b")
    assert both["b"] == first("b")["b"]
    assert both["a"] != both["b"]


def test_products_of_activations_stay_dense() -> None:
    soc = make_soc(buffers="64 KiB")
    program = compile(load("bert_tiny"), soc, Mapping(dataflow="sOS"), Sparsity(pattern="tile_columns", level=0.8))
    products = [layer for layer in program.layers if layer.gemm and layer.sparsity is None]
    assert products
    assert {layer.dataflow for layer in products} == {"dOS"}
    assert {layer.dataflow for layer in program.layers if layer.sparsity} == {"sOS"}
    check_record(run(soc, program))


def test_regret_compares_every_flow_with_the_choice() -> None:
    """With one queue for everything each layer is chosen for itself, without regard to its neighbours."""
    soc, sparsity = make_soc(dataflows=["dOS", "dWS"], channels=1), Sparsity(pattern="tile_columns", level=0.7)

    def expected(flow: str) -> list[int]:
        program = compile(
            load("resnet8"), soc, Mapping.model_validate({"dataflow": flow, "residency": "off"}), sparsity
        )
        return [layer.estimate.latency_ps for layer in program.layers if layer.gemm and layer.estimate]

    best = compile(load("resnet8"), soc, Mapping(residency="off"), sparsity)
    layers = [layer for layer in best.layers if layer.gemm]
    for flow in ("dOS", "dWS", "sOS", "sWS", "csOS"):
        for layer, latency_ps in zip(layers, expected(flow), strict=True):
            assert layer.regret is not None
            assert layer.estimate is not None
            # Within the tolerance among which the fewest tiles win.
            assert layer.regret[flow] == pytest.approx(latency_ps / layer.estimate.latency_ps, rel=0.011)
    assert all(layer.regret and layer.regret["dIS"] is None and layer.regret["sIS"] is None for layer in layers)


def test_a_dense_run_has_no_regret_of_sparse_flows() -> None:
    layer = compile(load("resnet8"), make_soc()).layers[0]
    assert layer.regret is not None
    assert all(layer.regret[flow] is None for flow in SPARSE_DATAFLOWS)
    assert layer.regret[layer.dataflow or "dOS"] == pytest.approx(1, abs=0.01)


def test_the_decompression_unit_can_be_the_bound(tmp_path: Path) -> None:
    """At one word a cycle a tile takes its words, 7 cycles of latency before them; the wait is wait_metadata."""
    unit = {"words_per_cycle": 1, "latency_cycles": 7}
    soc = make_soc(rows=8, cols=8, decompression=unit)
    nonzero = random_bitmap(16, 40, seed=3)
    program = compile(dense(20, 40, 16), soc, Mapping(dataflow="sWS"), saved(tmp_path, fc=nonzero))
    stalls = []
    for _, gemm in tiles_of(program, "sWS", soc.array, nonzero, 20):
        words = gemm.weight_words + gemm.zeros_injected + gemm.input_words
        stalls.append(7 + max(0, words - gemm.cycles))
    assert sorted(compute.counts.decompression_stall_cycles for compute in computes(program)) == sorted(stalls)
    assert max(stalls) > 7
    record = run(soc, program)
    check_record(record)
    assert record.cores[0].array_ps[0, "wait_metadata"] == sum(stalls) * 2000


def test_sparse_flows_need_a_sparse_run_and_an_array_that_has_their_dense_form() -> None:
    with pytest.raises(MappingError) as caught:
        compile(load("resnet8"), make_soc(), Mapping(dataflow="sOS"))
    assert caught.value.faults == (
        "mapping.dataflow: sOS needs weights with zeros, and this run is dense (workload.sparsity, mapping.sparse); "
        "allowed: dOS, dWS, dIS",
    )
    soc = make_soc(dataflows=["dWS"])
    with pytest.raises(MappingError) as caught:
        compile(load("resnet8"), soc, Mapping(dataflow="sOS"), Sparsity(pattern="blocks", level=0.5))
    assert caught.value.faults == ("mapping.dataflow: the array of test cannot run sOS; allowed: dWS, sWS",)


def test_names_that_no_layer_bears_are_reported_at_once(tmp_path: Path) -> None:
    layers = (LayerSparsity(name="stem.cnv", level=0.5), LayerSparsity(name="softmax", level=0.5))
    with pytest.raises(MappingError) as caught:
        compile(load("resnet8"), make_soc(), None, Sparsity(pattern="blocks", level=0.5, layers=layers))
    where = "is no layer of resnet8 that multiplies by weights"
    assert caught.value.faults == (
        f"workload.sparsity.layers: 'stem.cnv' {where}; did you mean 'stem.conv'?",
        f"workload.sparsity.layers: 'softmax' {where}",
    )
    with pytest.raises(MappingError) as caught:
        compile(dense(2, 3, 4), make_soc(), None, saved(tmp_path, fcc=np.ones((4, 3)), fc=np.ones((3, 3))))
    assert caught.value.faults == (
        "workload.sparsity.weights: 'fc' has the shape 3×3; allowed: 3×4, or 4×3",
        "workload.sparsity.weights: 'fcc' is no layer of net that multiplies by weights; did you mean 'fc'?",
    )


def test_zoo_weights_have_no_values_to_take_zeros_from() -> None:
    with pytest.raises(
        MappingError, match=r"resnet8 has no values for the weights of 'stem.conv' and 9 more; allowed: an .onnx"
    ):
        compile(load("resnet8"), make_soc(), None, Sparsity(from_weights=True))


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_text("zeros")
    with pytest.raises(MappingError, match=r"w.npz' is no readable .npz file; allowed: what numpy.savez writes"):
        compile(dense(2, 3, 4), make_soc(), None, Sparsity(weights=str(tmp_path / "w.npz")))


def test_a_product_is_given_by_its_tensor_or_as_w(tmp_path: Path) -> None:
    """The tensor lies k × m in the file, W is m × k: the same zeros either way."""
    weights = random_bitmap(6, 10, seed=4)
    for arrays in ({"fc": weights}, {"w": weights.T}):
        program = compile(dense(5, 10, 6), make_soc(), Mapping(dataflow="sIS"), saved(tmp_path, **arrays))
        assert expected_cycles(program.layers[0]) == counts_of_bitmap("sIS", make_soc().array, weights, 5).cycles
