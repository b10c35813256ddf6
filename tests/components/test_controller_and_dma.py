"""The controller's cost and back-pressure; the DMA's set-up, window and order."""

from __future__ import annotations

import pytest

from soc_sim.compiler.program import Compute, Load, Region, Store
from soc_sim.system import run
from soc_sim.testing.fakes import Slices
from soc_sim.testing.small import program_of, small_soc, tile


def compute(index: int, cycles: int, inputs: tuple[int, ...] = (), frees_inputs_bytes: int = 0) -> Compute:
    return Compute(index, 0, 0, (), inputs, 0, 0, frees_inputs_bytes, tile(cycles))


def test_each_instruction_costs_the_controller_its_cycles() -> None:
    """The last of five one-cycle tiles is handed over after 5 * 4 cycles."""
    record = run(small_soc("controller.dispatch_cycles=4"), program_of([compute(index, 1) for index in range(5)]))
    assert record.makespan_ps == (5 * 4 + 1) * 1000
    assert record.cores[0].dispatched == 5


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_full_queue_holds_the_controller_up(depth: int) -> None:
    """One tile of 100 cycles is at work and ``depth`` wait; the next is dispatched when one has ended."""
    slices = Slices()
    tiles = [compute(index, 100) for index in range(8)]
    soc = small_soc(f"controller.queue_depth={depth}", "controller.dispatch_cycles=4")
    run(soc, program_of(tiles), recorder=slices)
    # The first begins after 4 cycles and ends after 104.
    began_ps = [start_ps for _, start_ps, _ in slices.of("core0.controller")]
    ends_ps = [(4 + 100 * (number + 1)) * 1000 for number in range(8)]
    assert began_ps == [number * 4_000 if number <= depth else ends_ps[number - depth - 1] for number in range(8)]


def test_queues_of_other_units_wait_behind_a_full_one() -> None:
    """The load stands behind three tiles in the program, and only one may wait."""
    tiles = [*(compute(index, 100) for index in range(3)), Load(3, 0, 0, "inputs", (Region("dram", 0, 50),), 50)]
    record = run(small_soc("controller.queue_depth=1"), program_of([*tiles, compute(4, 10, (3,), 50)]))
    # The third tile is handed over at 100, so the load ends at 150, within the second tile.
    assert record.makespan_ps == 310_000
    assert record.layers[0].read_bytes == 50


@pytest.mark.parametrize(("channels", "expected_ns"), [(1, 10 + 400 + 100 + 1), (2, 100 + 400), (3, 100 + 400)])
def test_in_one_channel_a_load_waits_behind_a_store(channels: int, expected_ns: int) -> None:
    """A tile of 10 cycles, a store of 400 bytes that needs it, and a load of 100 bytes that needs nothing.

    In one channel they follow each other, and the load's tile comes last; in channels of their own the load goes first,
    and the store follows it on the memory's one path.
    """
    instructions = [
        Compute(0, 0, 0, (), (), 400, 0, 0, tile(10)),
        Store(1, 0, 0, (Region("dram", 0, 400),), 400, (0,)),
        Load(2, 0, 0, "inputs", (Region("dram", 0, 100),), 100),
        compute(3, 1, (2,), 100),
    ]
    record = run(small_soc(f"dma.channels={channels}"), program_of(instructions))
    assert record.makespan_ps == expected_ns * 1000


def test_every_descriptor_pays_its_set_up() -> None:
    """Two regions in one load, and one in the next: 8 cycles each; the data are too few to hide them."""
    loads = [
        Load(0, 0, 0, "inputs", (Region("dram", 0, 1), Region("dram", 64, 1)), 2),
        Load(1, 0, 0, "inputs", (Region("dram", 128, 1),), 1),
    ]
    record = run(small_soc("dma.descriptor_cycles=8"), program_of([*loads, compute(2, 1, (0, 1), 3)]))
    assert record.makespan_ps == (3 * 8 + 1 + 1) * 1000


def test_the_window_bounds_what_a_latency_can_hide() -> None:
    """4 requests of 64 bytes under way and 1 µs of latency: two transfers of 128 bytes overlap.

    Each transfer follows the one before the last; the memory needs 128 ns for one.
    """
    load = Load(0, 0, 0, "inputs", (Region("dram", 0, 1024),), 1024)
    soc = small_soc("dma.max_outstanding=4", "dram.read_latency=1 us")
    record = run(soc, program_of([load, compute(1, 1, (0,), 1024)]))
    pairs = 1024 // 256
    # The first of the last pair ends a round of latency and 128 ns after that of the pair before; the second 128 later.
    assert record.makespan_ps == (pairs * (1000 + 128) + 128 + 1) * 1000
