"""Host operators in bands of rows: which, with which bytes, and that they overlap with the array."""

from __future__ import annotations

import pytest
from program_checks import check_memory, check_order
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.bands import MOST_BANDS
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Store, VectorOp
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Slices

SOC = make_soc(buffers="16 KiB")


def pooled(kernel: int = 2, stride: int = 2, padding: int = 0, size: int = 64) -> Network:
    net = NetworkBuilder("pooled", "test")
    x = net.conv("conv", net.input("x", 1, 4, size, size), 32, 3, padding=1)
    return net.build(net.max_pool("pool", x, kernel, stride, padding))


def bands(program: Program) -> list[VectorOp]:
    return [i for i in program.instructions if isinstance(i, VectorOp)]


def bytes_of(operators: list[VectorOp]) -> tuple[int, int]:
    reads = sum(region.size_bytes for one in operators for region in one.reads)
    return reads, sum(region.size_bytes for one in operators for region in one.writes)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_pooling_runs_in_bands_that_read_their_halo_again(kernel: int, stride: int, padding: int) -> None:
    program = compile(pooled(kernel, stride, padding), SOC)
    check_order(program)
    check_memory(program)
    found = bands(program)
    assert len(found) == MOST_BANDS
    assert [one.goes_on for one in found] == [False] + [True] * (MOST_BANDS - 1)
    read, written = bytes_of(found)
    row = 64 * 32
    assert read == 64 * row + (MOST_BANDS - 1) * max(0, kernel - stride) * row
    assert written == row // stride * (64 // stride)
    assert sum(one.operations for one in found) == written * kernel * kernel
    check_record(system.run(SOC, program))


def test_the_first_band_is_done_before_the_producer() -> None:
    """Its rows are there long before the last ones."""
    program, slices = compile(pooled(), SOC), Slices()
    system.run(SOC, program, recorder=slices)
    first = min(end for name, _, end in slices.of("host"))
    last = max(end for name, _, end in slices.of("core0.dma.outputs") if name == "store")
    assert first < last
    stores = [i.index for i in program.instructions if isinstance(i, Store)]
    assert max(bands(program)[0].depends) < stores[-1]


def test_bands_of_elementwise_operators_and_softmax_compute_what_the_whole_does() -> None:
    net = NetworkBuilder("host", "test")
    x = net.input("x", 1, 16, 1024)
    network = with_values(net.build(net.softmax("softmax", net.tanh("tanh", net.linear("fc", x, 1024)))), 1)
    program = compile(network, SOC)
    check_memory(program)
    found = bands(program)
    assert {one.layer: sum(other.layer == one.layer for other in found) for one in found} == {1: 2, 2: 2}
    assert verify(network, SOC, program, random_inputs(network, seed=2)).matches


def test_what_mixes_all_rows_runs_whole() -> None:
    net = NetworkBuilder("host", "test")
    x = net.conv("conv", net.input("x", 1, 4, 64, 64), 32, 3, padding=1)
    assert len(bands(compile(net.build(net.global_average_pool("pool", x)), SOC))) == 1
