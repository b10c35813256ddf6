"""Weights that are compressed in memory and expanded while they are loaded: traffic, array, buffer, decompressor."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from program_checks import check_memory, check_occupancy, check_order
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute, Load, Region
from soc_sim.config.core import LoadDecompression
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import FormatName, Sparsity
from soc_sim.energy.counts import Counts
from soc_sim.energy.model import estimate
from soc_sim.errors import MappingError
from soc_sim.kernel import Reason
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.bounds import lower_bound_ps, upper_bound_ps
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Slices
from soc_sim.testing.small import CYCLE_PS, program_of, small_soc, tile
from soc_sim.testing.variants import changed

M, K, N = 32, 64, 16
"""Multiples of the 8 × 8 grid: whatever the tiles, there are the same full folds."""
UNIT = LoadDecompression(bytes_per_cycle=64)
UNSTRUCTURED = Sparsity(pattern="unstructured", level=0.75, seed=1)


def with_unit(soc: Soc, unit: LoadDecompression = UNIT) -> Soc:
    return changed(soc, dma=changed(soc.dma, decompression=unit))


def linear() -> Network:
    net = NetworkBuilder("linear", "test")
    x = net.input("x", N, K)
    return net.build(net.matmul("fc", x, net.weight("fc.weight", K, M)))


def zeros(path: Path) -> tuple[Sparsity, np.ndarray]:
    """A file of weights, and where they are not zero (M × K)."""
    random = np.random.default_rng(5)
    weights = random.integers(1, 9, (K, M)) * (random.random((K, M)) < 0.3) * (random.random((K, 1)) < 0.7)
    np.savez(path / "w.npz", fc=weights)
    return Sparsity(weights=str(path / "w.npz")), (weights != 0).T


def expected_bytes(matrix: np.ndarray, name: FormatName) -> int:
    """One weight tile in a format, from its definition, on an 8 × 8 grid, with values of 8 bits."""
    (m, k), bits, values = matrix.shape, 0, int(matrix.sum())
    if name == "two_stage_bitmap":
        for row in range(0, m, 8):
            # A bit for each column, and one for each element of those that are kept.
            bits += k + 8 * int(matrix[row : row + 8].any(axis=0).sum())
    elif name == "csr":
        bits = values * math.ceil(math.log2(k)) + (m + 1) * math.ceil(math.log2(values + 1))
    else:
        values = 0
        for row in range(0, m, 8):
            for col in range(0, k, 8):
                part = matrix[row : row + 8, col : col + 8]
                rows, cols = int(part.any(axis=1).sum()), int(part.any(axis=0).sum())
                # Three bits tell 8 rows or columns apart, and four hold 0 to 8.
                bits, values = bits + 3 * (rows + cols) + 2 * 4, values + rows * cols
    return math.ceil(bits / 8) + values


def loads(program: Program) -> list[Load]:
    return [i for i in program.instructions if isinstance(i, Load) and i.buffer == "weights"]


@pytest.mark.parametrize("name", ["two_stage_bitmap", "csb", "csr"])
def test_memory_holds_the_format_and_the_buffer_everything(tmp_path: Path, name: FormatName) -> None:
    sparsity, nonzero = zeros(tmp_path)
    soc = with_unit(make_soc())
    program = compile(linear(), soc, Mapping(format=name), sparsity)
    check_order(program)
    check_occupancy(program, soc)
    check_memory(program)
    record = system.run(soc, program)
    check_record(record)
    assert lower_bound_ps(soc, program) <= record.makespan_ps <= upper_bound_ps(soc, program)
    tiling = program.layers[0].tiling
    assert tiling is not None
    tiles = [
        nonzero[row : row + tiling.m, col : col + tiling.k]
        for row in range(0, M, tiling.m)
        for col in range(0, K, tiling.k)
    ]
    assert [load.buffer_bytes for load in loads(program)] == [part.size for part in tiles]
    expected = [expected_bytes(part, name) for part in tiles]
    assert [region.size_bytes for load in loads(program) for region in load.regions] == expected
    assert program.layers[0].weight_bytes == sum(expected) < M * K
    assert record.cores[0].buffers["weights"].dma_write_bytes == M * K
    assert record.memories["dram"]["read_bytes"] == sum(expected) + N * K * (
        M // tiling.m if tiling.outer == "m" else 1
    )


@pytest.mark.parametrize("flow", ["dOS", "dWS", "dIS"])
def test_the_array_runs_its_dense_flow(tmp_path: Path, flow: str) -> None:
    """Cycles and words of the closed forms of whole folds: no zero is skipped, none is injected."""
    sparsity, _ = zeros(tmp_path)
    program = compile(linear(), with_unit(make_soc()), Mapping.model_validate({"dataflow": flow}), sparsity)
    counts = [i.counts for i in program.instructions if isinstance(i, Compute)]
    r = c = 8
    folds, cycles = {
        "dOS": (M // r * (N // c), K + 2 * r + c - 2),
        "dWS": (M // r * (K // c), 2 * c + r + N - 2),
        "dIS": (K // r * (N // c), 2 * r + c + M - 2),
    }[flow]
    assert sum(one.cycles for one in counts) == folds * cycles
    assert sum(one.macs for one in counts) == M * K * N
    passes = 1 if flow == "dWS" else N // c
    assert sum(one.weight_bytes for one in counts) == passes * M * K
    assert all(one.zeros_injected == one.macs_gated == one.metadata_bytes == 0 for one in counts)


def test_numbers_are_those_of_the_network() -> None:
    net = NetworkBuilder("two", "test")
    x = net.conv("a", net.input("x", 1, 8, 6, 6), 16, 3, padding=1)
    network = with_values(net.build(net.conv("b", x, 16, 1, groups=2)), seed=3)
    soc = with_unit(make_soc(buffers="2 KiB", cores=2))
    program = compile(network, soc, None, UNSTRUCTURED)
    check_occupancy(program, soc)
    check_record(system.run(soc, program, inferences=2))
    assert any(load.expands for load in loads(program))
    assert verify(network, soc, program, random_inputs(network, seed=2), UNSTRUCTURED).matches


def test_sparse_dataflows_are_refused() -> None:
    soc = with_unit(make_soc())
    with pytest.raises(MappingError, match=r"sOS skips zeros of weights, which soc\.dma\.decompression puts back when"):
        compile(linear(), soc, Mapping(dataflow="sOS"), UNSTRUCTURED)


def load_and_compute(stored_bytes: int, expanded_bytes: int) -> Program:
    return program_of(
        [
            Load(0, 0, 0, "weights", (Region("dram", 0, stored_bytes),), expanded_bytes, expands=True),
            Compute(1, 0, 0, (0,), (), 0, expanded_bytes, 0, tile(10)),
        ]
    )


def test_a_load_waits_for_what_the_decompressor_makes_of_it() -> None:
    """100 bytes arrive after 100 ns as one chunk and leave as 800, two a cycle, 5 cycles later."""
    soc = small_soc("dma.decompression={bytes_per_cycle: 2, latency_cycles: 5}")
    record = system.run(soc, load_and_compute(100, 800))
    check_record(record)
    assert record.makespan_ps == (100 + 400 + 5 + 10) * CYCLE_PS
    assert record.cores[0].reasons_ps == {
        (0, "wait_weights", Reason("dram", "transfer")): 100 * CYCLE_PS,
        (0, "wait_weights", Reason("core0.dma.weights.decompression", "busy")): 405 * CYCLE_PS,
    }


def test_a_tile_of_zeros_is_written_like_any_other() -> None:
    """Nothing of it is stored, so nothing arrives; the array reads 800 bytes, which leave the unit two a cycle."""
    soc = small_soc("dma.decompression={bytes_per_cycle: 2, latency_cycles: 5}")
    load, compute = load_and_compute(100, 800).instructions
    assert isinstance(load, Load)
    record = system.run(soc, program_of([replace(load, regions=()), compute]))
    check_record(record)
    assert record.makespan_ps == (400 + 5 + 10) * CYCLE_PS
    assert record.cores[0].buffers["weights"].dma_write_bytes == 800


@pytest.mark.parametrize("residency", ["auto", "off"])
def test_layers_without_weights_that_count(residency: Literal["auto", "off"]) -> None:
    """All weights zero, in a format that then stores nothing: they fill the buffer all the same, and may stay there."""
    soc, sparsity = with_unit(make_soc()), Sparsity(pattern="tile_columns", level=1.0)
    program = compile(linear(), soc, Mapping(format="csb", residency=residency), sparsity)
    record = system.run(soc, program)
    check_record(record)
    assert record.cores[0].buffers["weights"].dma_write_bytes >= M * K


@pytest.mark.parametrize(("width", "expected_ns"), [(64, 1000 + 8), (4, 1000 + 128), (1, 250 + 2048)])
def test_chunks_are_expanded_while_the_next_arrive(width: int, expected_ns: int) -> None:
    """Four chunks of 250 bytes, 1 ns a byte, to 512 each: the last one's part shows, or the first one's arrival."""
    soc = small_soc(
        f"dma.decompression={{bytes_per_cycle: {width}}}",
        "dma.chunk=250 B",
        "dma.burst=50 B",
        "buffers.weights.capacity=4 KiB",
    )
    record = system.run(soc, load_and_compute(1000, 2048))
    check_record(record)
    assert record.makespan_ps == (expected_ns + 10) * CYCLE_PS


def test_a_slow_decompressor_holds_up_its_channel() -> None:
    """Two requests of 50 bytes may be under way: the memory is asked for the third when the first has been expanded."""
    slices = Slices()
    soc = small_soc(
        "dma.decompression={bytes_per_cycle: 1}", "dma.chunk=50 B", "dma.burst=50 B", "dma.max_outstanding=2"
    )
    record = system.run(soc, load_and_compute(200, 800), recorder=slices)
    check_record(record)
    # The first 50 bytes arrive after 50 ns; from then on the decompressor always has something to do.
    assert record.makespan_ps == (50 + 800 + 10) * CYCLE_PS
    starts_ns = [start_ps / CYCLE_PS for _, start_ps, _ in slices.of("dram")]
    assert starts_ns == [0, 50, 250, 450]


def test_a_network_can_be_bound_by_the_decompressor() -> None:
    """Fully connected layers, memory of 3.2 GB/s: a quarter of the weights comes faster than 4 GB/s of them go out.

    At half a gigabyte a second the compiler stores them as they are.
    """
    builder, makespans = NetworkBuilder("fc", "test"), {}
    x = builder.linear("a", builder.input("x", 1, 512), 512)
    net = builder.build(builder.linear("b", x, 512))
    for width in (1, 8, 64):
        soc = with_unit(make_soc(16, 16, buffers="32 KiB"), LoadDecompression(bytes_per_cycle=width))
        program = compile(net, soc, None, UNSTRUCTURED)
        record = system.run(soc, program)
        check_record(record)
        makespans[width] = record.makespan_ps
        limits = {reason.component for _, _, reason in record.cores[0].reasons_ps}
        assert ("core0.dma.weights.decompression" in limits) == (width > 1)
        assert {layer.weight_format == "dense" for layer in program.layers} == {width == 1}
    assert makespans[64] < makespans[8] < makespans[1]
    expanded = sum(load.buffer_bytes for load in loads(program))
    assert makespans[8] >= expanded / 4e9 * 1e12


def test_each_expanded_byte_costs_energy() -> None:
    soc = with_unit(make_soc())
    table = soc.energy.model_copy(update={"decompression_pj_per_byte": 0.5})
    found = estimate(soc.model_copy(update={"energy": table}), Counts(elapsed_ps=0, decompressed_bytes=1000))
    assert found.by_component["decompression"] == pytest.approx(500e-12)
    assert [line.action for line in found.lines if line.component == "decompression"] == ["expanded"]
