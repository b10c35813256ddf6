"""Blocks of weights that have room once, not twice: their parts of K stay while all pixels pass, freed one by one."""

from __future__ import annotations

from typing import Literal

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute, Load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.dataflow import counts
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.bounds import lower_bound_ps, upper_bound_ps
from soc_sim.testing.checks import check_record

pytest.importorskip("onnx")

CHANNELS, M, SIDE = 64, 12, 4
K, BLOCK_BYTES = 9 * CHANNELS, 4 * (9 * CHANNELS + 4)
"""A block of four rows of weights, each with its bias."""


def network() -> Network:
    net = NetworkBuilder("held", source="")
    return with_values(net.build(net.conv("conv", net.input("x", 1, CHANNELS, SIDE, SIDE), M, 3, padding="same")), 1)


def soc_of(room: float, inputs: str = "16 KiB", cores: int = 1) -> Soc:
    """A 4 × 4 array with room for so many blocks of weights."""
    weights = f"{round(BLOCK_BYTES * room)} B"
    return make_soc(rows=4, cols=4, buffers=(weights, inputs, "4 KiB"), cores=cores)


def zeros(flow: str) -> Literal["dense"] | Sparsity:
    return "dense" if flow == "dOS" else Sparsity(pattern="tile_columns", level=0.05)


def compiled(soc: Soc, flow: str) -> Program:
    settings = {"dataflow": flow} | ({} if flow == "dOS" else {"format": "two_stage_bitmap"})
    return compile(network(), soc, Mapping.model_validate(settings), zeros(flow))


def loaded_bytes(program: Program, buffer: str) -> int:
    return sum(i.buffer_bytes for i in program.instructions if isinstance(i, Load) and i.buffer == buffer)


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("inputs", ["16 KiB", "1 KiB"])
@pytest.mark.parametrize("flow", ["dOS", "sOS", "csOS"])
def test_programs_that_hold_weights_are_right(flow: str, inputs: str, cores: int) -> None:
    """Every number, the space of the buffers, the memory's order, and the bounds of time, with work conserved."""
    soc = soc_of(1.7, inputs, cores)
    program = compiled(soc, flow)
    tiling = program.layers[0].tiling
    assert tiling is not None
    assert tiling.weights_held
    assert tiling.inputs_held == (inputs == "16 KiB")
    assert verify(network(), soc, program, random_inputs(network(), 2), zeros(flow)).matches
    check_order(program)
    check_occupancy(program, soc)
    check_memory(program)
    if flow == "dOS":
        check_work(program, soc)
    record = system.run(soc, program)
    check_record(record)
    assert lower_bound_ps(soc, program) <= record.makespan_ps <= upper_bound_ps(soc, program)


def test_each_weight_is_loaded_once_and_costs_what_one_fold_costs() -> None:
    """Skew and drain are paid once a fold, however many parts its K comes in."""
    soc = soc_of(1.7)
    program = compiled(soc, "dOS")
    assert loaded_bytes(program, "weights") == program.layers[0].weight_bytes
    whole = counts("dOS", soc.array, M, K, SIDE * SIDE)
    computes = [i.counts for i in program.instructions if isinstance(i, Compute)]
    assert sum(tile.cycles for tile in computes) == whole.cycles
    assert sum(tile.macs for tile in computes) == whole.macs == M * K * SIDE * SIDE


def test_inputs_that_fit_are_loaded_once_too() -> None:
    """But for the halos of neighbouring tiles; else once for each of the three blocks of rows."""
    fit, short = compiled(soc_of(1.7), "dOS"), compiled(soc_of(1.7, "1 KiB"), "dOS")
    assert loaded_bytes(fit, "inputs") < 3 * CHANNELS * SIDE * SIDE
    assert loaded_bytes(short, "inputs") >= 3 * CHANNELS * SIDE * SIDE


def test_blocks_that_have_room_twice_are_not_held() -> None:
    for room in (2.0, 0.9):
        tiling = compiled(soc_of(room), "dOS").layers[0].tiling
        assert tiling is not None
        assert not tiling.weights_held


def test_the_next_block_is_loaded_under_the_last_pixels_of_this_one() -> None:
    """The array waits for the first part of the first block alone; blocks in one piece would come one after another."""
    soc = soc_of(1.7)
    record = system.run(soc, compiled(soc, "dOS"))
    waits_ps = sum(time for (_, cause), time in record.cores[0].array_ps.items() if cause == "wait_weights")
    block_ps = BLOCK_BYTES / 3.2e9 * 1e12
    assert waits_ps < 0.8 * block_ps
