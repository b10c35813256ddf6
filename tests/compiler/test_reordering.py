"""Output channels that change places: chosen where it helps, undone by the outputs buffer, right numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute, Layer
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo import load
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.variants import changed, with_ideal_memory

pytest.importorskip("onnx")


def network() -> Network:
    """A convolution with everything behind it that has a place for each channel."""
    net = NetworkBuilder("one", source="")
    x = net.input("x", 1, 40, 9, 9)
    y = net.relu("relu", net.batch_norm("bn", net.conv("conv", x, 48, 3, padding="same")))
    return with_values(net.build(net.linear("classes", net.flatten("flat", y), 33)), 1)


def kinds() -> NDArray[np.bool_]:
    """Four kinds of output channels that take turns, and some channels without any weight."""
    mask = np.zeros((48, 40, 3, 3), bool)
    for channel in range(44):
        kind = channel % 4
        mask[channel, 10 * kind : 10 * kind + 10] = np.random.default_rng(channel).random((10, 3, 3)) < 0.7
    return mask


def interleaved(path: Path) -> Sparsity:
    np.savez(path / "masks.npz", conv=kinds())
    return Sparsity(weights=str(path / "masks.npz"))


def compiled(path: Path, flow: str, *, reorder: bool, cores: int = 1) -> Program:
    soc, sparsity = make_soc(buffers="64 KiB", cores=cores), interleaved(path)
    program = compile(network(), soc, Mapping.model_validate({"dataflow": flow, "reorder": reorder}), sparsity)
    found = verify(network(), soc, program, random_inputs(network(), 2), sparsity)
    assert found.matches, found
    return program


def cycles(program: Program) -> int:
    return sum(i.counts.cycles for i in program.of_layer(0) if isinstance(i, Compute))


def parts(size: int, step: int) -> list[tuple[int, int]]:
    return [(first, min(first + step, size)) for first in range(0, size, step)]


def kept_columns(rows: NDArray[np.bool_]) -> list[int]:
    """Of each block of 8 rows, how many columns have a weight."""
    return [int(rows[first:end].any(axis=0).sum()) for first, end in parts(len(rows), 8)]


def closed_form(flow: str, layer: Layer, order: list[int]) -> int:
    """Cycles of all tiles with the kinds' rows in this order, on 8 x 8 PEs.

    Output-stationary: Kz + 2r + c - 2 for each block of c columns of results; weight-stationary: 2c + r + N - 2 for
    each c of the Kz columns that a block keeps, which come to 2 Kz + ceil(Kz / 8) (r + N - 2).
    """
    tiling, total = layer.tiling, 0
    assert tiling is not None
    matrix = kinds().reshape(48, 360)[order]
    results = [(y1 - y0) * (x1 - x0) for y0, y1 in parts(9, tiling.rows) for x0, x1 in parts(9, tiling.cols)]
    for first, end in parts(48, tiling.m):
        for low, high in parts(360, tiling.k):
            rows = matrix[first:end, low:high]
            if flow == "csOS":
                rows = rows[rows.any(axis=1)]
            for (top, bottom), kept in zip(parts(len(rows), 8), kept_columns(rows), strict=True):
                r = bottom - top
                for n in results:
                    if flow == "sWS":
                        total += 2 * kept + -(-kept // 8) * (r + n - 2)
                    elif kept:
                        total += sum(kept + 2 * r + (right - left) - 2 for left, right in parts(n, 8))
    return total


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("flow", ["sOS", "sWS", "csOS"])
def test_rows_of_a_kind_come_together(tmp_path: Path, flow: str, cores: int) -> None:
    """Blocks of 8 rows then keep less than 0.45 of the columns, and what tiles take for these is the closed form."""
    before, after = (compiled(tmp_path, flow, reorder=reorder, cores=cores) for reorder in (False, True))
    assert before.layers[0].row_order is None
    assert before.layers[0].reorder_gain is None
    assert after.layers[0].row_order is not None
    assert sorted(after.layers[0].row_order[0]) == list(range(48))
    order = list(after.layers[0].row_order[0])
    matrix = kinds().reshape(48, 360)
    assert sum(kept_columns(matrix[order])) < 0.45 * sum(kept_columns(matrix))
    assert cycles(before) == closed_form(flow, before.layers[0], list(range(48)))
    assert cycles(after) == closed_form(flow, after.layers[0], order)
    assert after.layers[0].reorder_gain is not None
    assert after.layers[0].reorder_gain > 1.2


def test_columns_of_a_kind_come_together(tmp_path: Path) -> None:
    """For sIS: a fold then streams the rows of one kind only, a quarter of all."""
    mask = np.zeros((48, 40, 1, 1), bool)
    for channel in range(40):
        mask[channel % 4 :: 4, channel] = True  # columns of four kinds that take turns
    np.savez(tmp_path / "turns.npz", conv=mask)
    net = NetworkBuilder("pointwise", source="")
    pointwise = with_values(net.build(net.conv("conv", net.input("x", 1, 40, 9, 9), 48, 1)), 1)
    soc, sparsity = make_soc(buffers="64 KiB"), Sparsity(weights=str(tmp_path / "turns.npz"))
    for reorder in (False, True):
        program = compile(pointwise, soc, Mapping(dataflow="sIS", reorder=reorder), sparsity)
        assert verify(pointwise, soc, program, random_inputs(pointwise, 2), sparsity).matches
        assert program.layers[0].row_order is None
        assert (program.layers[0].k_order is not None) == reorder
        # In order, each of the five folds has all four kinds. Sorted, there are four of one kind and one of the rest.
        streamed = 4 * 12 + 48 if reorder else 5 * 48
        folds = sum(i.counts.folds for i in program.of_layer(0) if isinstance(i, Compute))
        assert cycles(program) == folds // 5 * (5 * (2 * 8 - 2) + streamed) + 5 * 9 * 9


def test_whole_networks_compute_the_same_with_and_without() -> None:
    """All flows at choice, unstructured zeros, several layers."""
    soc, sparsity = make_soc(buffers="32 KiB"), Sparsity(pattern="unstructured", level=0.9, seed=1)
    resnet8 = with_values(load("resnet8"), 1)
    program = compile(resnet8, soc, Mapping(reorder=True), sparsity)
    assert any(layer.row_order for layer in program.layers)
    assert all((layer.reorder_gain or 1) > 0.98 for layer in program.layers)
    assert verify(resnet8, soc, program, random_inputs(resnet8, 2), sparsity).matches


def test_a_layer_that_gains_nothing_stays_in_order() -> None:
    """Zeros that already stand in the array's row blocks."""
    sparsity = Sparsity(pattern="tile_columns", level=0.7, seed=1)
    program = compile(network(), make_soc(buffers="64 KiB"), Mapping(reorder=True), sparsity)
    assert program.layers[0].row_order is None
    assert program.layers[0].reorder_gain == pytest.approx(1, abs=0.02)


def test_a_layer_that_costs_nothing_has_no_gain() -> None:
    """No weight to multiply by, drains under streams of nothing, and neither memory nor hand-overs that take time."""
    soc = with_ideal_memory(make_soc(tile_overlap="prefetch"))
    soc = changed(soc, controller=changed(soc.controller, dispatch_cycles=0))
    sparsity = Sparsity(pattern="tile_columns", level=1.0)
    program = compile(network(), soc, Mapping(reorder=True), sparsity)
    assert program.layers[0].reorder_gain is None
