"""Every cause of a stall, provoked by a program so small that its picoseconds are known.

In the small SoC a cycle is 1 ns, and so is a byte from or to memory; nothing else costs time.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.compiler.program import BufferName, Compute, Instruction, Load, Region, Store, VectorOp
from soc_sim.system import RunRecord, run
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed

NS = 1000


def load(index: int, size_bytes: int, buffer: BufferName = "inputs", depends: tuple[int, ...] = ()) -> Load:
    return Load(index, 0, 0, buffer, (Region("dram", 0, size_bytes),), size_bytes, depends)


def compute(
    index: int,
    cycles: int,
    *,
    weights: tuple[int, ...] = (),
    inputs: tuple[int, ...] = (),
    output_bytes: int = 0,
    frees_weights_bytes: int = 0,
    frees_inputs_bytes: int = 0,
    layer: int = 0,
    **counts: int,
) -> Compute:
    return Compute(
        index,
        layer,
        0,
        weights,
        inputs,
        output_bytes,
        frees_weights_bytes,
        frees_inputs_bytes,
        tile(cycles, **counts),
    )


def store(index: int, size_bytes: int, depends: tuple[int, ...]) -> Store:
    return Store(index, 0, 0, (Region("dram", 4096, size_bytes),), size_bytes, depends)


def host(index: int, operations: int) -> VectorOp:
    return VectorOp(index, 0, (), (), operations)


def times_ns(instructions: Sequence[Instruction], *overrides: str) -> dict[str, int]:
    """Where the array's time went."""
    return by_cause(run(small_soc(*overrides), program_of(instructions)))


def by_cause(record: RunRecord) -> dict[str, int]:
    spans: dict[str, int] = {}
    for (_, cause), span_ps in record.cores[0].array_ps.items():
        assert span_ps % NS == 0
        spans[cause] = spans.get(cause, 0) + span_ps // NS
    assert sum(spans.values()) * NS == record.makespan_ps
    return spans


def test_busy_for_the_cycles_of_the_closed_form() -> None:
    assert times_ns([compute(0, 10), compute(1, 20)]) == {"busy": 30}


@given(st.integers(10**6, 2 * 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_busy_is_exact_at_any_frequency(clock_hz: int, cycles: list[int]) -> None:
    """Tiles one after another end on the edge of the sum of their cycles."""
    tiles = [compute(index, count) for index, count in enumerate(cycles)]
    soc = small_soc()
    record = run(changed(soc, array=changed(soc.array, clock_hz=clock_hz)), program_of(tiles))
    assert record.makespan_ps == -(-sum(cycles) * 10**12 // clock_hz)
    assert record.cores[0].array_ps == {(0, "busy"): record.makespan_ps}


def test_wait_for_weights() -> None:
    assert times_ns([load(0, 100, "weights"), compute(1, 10, weights=(0,), frees_weights_bytes=100)]) == {
        "wait_weights": 100,
        "busy": 10,
    }


def test_the_last_arrival_counts_for_the_whole_wait() -> None:
    """Weights arrive after 100 ns, inputs, behind them at the memory, after 150 ns."""
    tiles = [
        load(0, 100, "weights"),
        load(1, 50),
        compute(2, 10, weights=(0,), inputs=(1,), frees_weights_bytes=100, frees_inputs_bytes=50),
    ]
    assert times_ns(tiles) == {"wait_inputs": 150, "busy": 10}


def test_weights_come_first_among_equals() -> None:
    """Both arrive after 100 ns, each from a memory of its own."""
    weights = Load(0, 0, 0, "weights", (Region("weight_memory", 0, 100),), 100)
    tiles = [
        weights,
        load(1, 100),
        compute(2, 10, weights=(0,), inputs=(1,), frees_weights_bytes=100, frees_inputs_bytes=100),
    ]
    memory = {
        "kind": "simple_memory",
        "name": "second",
        "technology": "flash",
        "capacity": "1 MiB",
        "read_bandwidth": "1 GB/s",
        "burst": "1 B",
    }
    text = "{" + ", ".join(f"{key}: {value}" for key, value in memory.items()) + "}"
    assert times_ns(tiles, f"weight_memory={text}") == {"wait_weights": 100, "busy": 10}


def test_wait_for_room_for_outputs() -> None:
    """The buffer of 1024 bytes is full until its store has ended."""
    tiles = [compute(0, 10, output_bytes=1024), store(1, 1024, (0,)), compute(2, 20, output_bytes=512)]
    assert times_ns([*tiles, store(3, 512, (2,))]) == {"busy": 30, "wait_outputs": 1024, "idle": 512}


def test_wait_for_data_that_are_still_being_stored() -> None:
    tiles = [
        compute(0, 10, output_bytes=300),
        store(1, 300, (0,)),
        load(2, 100, depends=(1,)),
        compute(3, 20, inputs=(2,), frees_inputs_bytes=100),
    ]
    assert times_ns(tiles) == {"busy": 30, "wait_outputs": 300, "wait_inputs": 100}


def test_wait_for_the_host() -> None:
    tiles = [host(0, 70), load(1, 100, depends=(0,)), compute(2, 10, inputs=(1,), frees_inputs_bytes=100)]
    assert times_ns(tiles) == {"wait_host": 70, "wait_inputs": 100, "busy": 10}


def test_a_load_behind_one_that_waits_for_the_host_waits_for_the_host() -> None:
    """The second operand needs nothing, but its channel is held up for 70 ns; it arrives last."""
    tiles = [
        host(0, 70),
        load(1, 100, depends=(0,)),
        load(2, 50),
        compute(3, 10, inputs=(1, 2), frees_inputs_bytes=150),
    ]
    assert times_ns(tiles) == {"wait_host": 70, "wait_inputs": 150, "busy": 10}


def test_of_two_dependencies_the_last_counts() -> None:
    """The host is done after 70 ns, the store after 310 ns."""
    tiles = [
        compute(0, 10, output_bytes=300),
        store(1, 300, (0,)),
        host(2, 70),
        load(3, 100, depends=(1, 2)),
        compute(4, 20, inputs=(3,), frees_inputs_bytes=100),
    ]
    assert times_ns(tiles) == {"busy": 30, "wait_outputs": 300, "wait_inputs": 100}


def test_wait_for_the_controller() -> None:
    assert times_ns([compute(0, 10)], "controller.dispatch_cycles=4") == {"wait_controller": 4, "busy": 10}


def test_a_load_that_is_handed_over_late() -> None:
    tiles = [load(0, 100), compute(1, 10, inputs=(0,), frees_inputs_bytes=100)]
    assert times_ns(tiles, "controller.dispatch_cycles=4") == {"wait_controller": 4, "wait_inputs": 100, "busy": 10}


@pytest.mark.parametrize("buffer", ["weights", "inputs", "outputs"])
@pytest.mark.parametrize(("ports", "width"), [(1, 1), (2, 1), (1, 4), (8, 8)])
def test_ports_that_are_too_narrow_extend_a_tile(buffer: str, ports: int, width: int) -> None:
    """30 bytes through ``ports`` ports of ``width`` bytes, beside 10 cycles of work."""
    counts = {
        "weights": {"weight_bytes": 30},
        "inputs": {"input_bytes": 30},
        "outputs": {"output_write_bytes": 20, "output_read_bytes": 10},
    }[buffer]
    spans = times_ns([compute(0, 10, **counts)], f"buffers.{buffer}.ports={ports}", f"buffers.{buffer}.width={width} B")
    assert sum(spans.values()) == max(10, -(-30 // (ports * width)))
    assert spans["busy"] == 10


def test_ports_are_shared_with_the_dma() -> None:
    """One byte a cycle: 60 for the array and 80 for the next tile's load, beside 100 cycles of work."""
    tiles = [
        compute(0, 100, weight_bytes=60),
        load(1, 80, "weights"),
        compute(2, 10, weights=(1,), frees_weights_bytes=80),
    ]
    narrow = ("buffers.weights.ports=1", "buffers.weights.width=1 B")
    assert times_ns(tiles, *narrow) == {"busy": 110, "wait_buffer": 40}


def test_idle_when_nothing_is_left_to_compute() -> None:
    assert times_ns([compute(0, 10, output_bytes=200), store(1, 200, (0,))]) == {"busy": 10, "idle": 200}


def test_a_wait_belongs_to_the_layer_that_is_computed_next() -> None:
    tiles = [compute(0, 10), load(1, 100), compute(2, 20, inputs=(1,), frees_inputs_bytes=100, layer=1)]
    record = run(small_soc(), program_of(tiles))
    assert record.cores[0].array_ps == {(0, "busy"): 10_000, (1, "wait_inputs"): 90_000, (1, "busy"): 20_000}


def test_a_load_waits_for_space_until_a_tile_gives_it_back() -> None:
    """1024 bytes fill the buffer; the next 512 follow when the first tile has ended."""
    tiles = [
        load(0, 1024, "weights"),
        compute(1, 500, weights=(0,), frees_weights_bytes=1024),
        load(2, 512, "weights"),
        compute(3, 10, weights=(2,), frees_weights_bytes=512),
    ]
    assert times_ns(tiles) == {"wait_weights": 1024 + 512, "busy": 510}


def test_double_buffering_hides_the_next_load() -> None:
    """Two halves of a buffer: the second is loaded while the first is at work."""
    tiles = [
        load(0, 512, "weights"),
        load(1, 512, "weights"),
        compute(2, 600, weights=(0,), frees_weights_bytes=512),
        compute(3, 10, weights=(1,), frees_weights_bytes=512),
    ]
    assert times_ns(tiles) == {"wait_weights": 512, "busy": 610}


def units_ns(instructions: Sequence[Instruction], *overrides: str) -> dict[str, dict[str, int]]:
    """Where the time of controller and DMA channels went."""
    record = run(small_soc(*overrides), program_of(instructions))
    return {
        name: {cause: span_ps // NS for (_, cause), span_ps in spans_ps.items()}
        for name, spans_ps in record.cores[0].units_ps.items()
    }


def test_a_channel_is_busy_while_something_is_under_way() -> None:
    """The store waits 110 ns for its tile; the inputs' channel has nothing to do after 100 ns."""
    tiles = [load(0, 100), compute(1, 10, inputs=(0,), frees_inputs_bytes=100, output_bytes=40), store(2, 40, (1,))]
    units = units_ns(tiles)
    assert units["core0.dma.inputs"] == {"busy": 100, "idle": 50}
    assert units["core0.dma.outputs"] == {"wait_outputs": 110, "busy": 40}
    assert units["core0.dma.weights"] == {"idle": 150}


def test_a_channel_waits_for_host_space_and_controller() -> None:
    tiles = [host(0, 70), load(1, 100, depends=(0,)), compute(2, 10, inputs=(1,), frees_inputs_bytes=100)]
    assert units_ns(tiles)["core0.dma.inputs"] == {"wait_host": 70, "busy": 100, "idle": 10}
    full = [
        load(0, 1024),
        compute(1, 500, inputs=(0,), frees_inputs_bytes=1024),
        load(2, 512),
        compute(3, 10, inputs=(2,), frees_inputs_bytes=512),
    ]
    assert units_ns(full)["core0.dma.inputs"] == {"busy": 1024 + 512, "wait_buffer": 500, "idle": 10}
    late = units_ns([load(0, 100), compute(1, 10, inputs=(0,), frees_inputs_bytes=100)], "controller.dispatch_cycles=4")
    assert late["core0.dma.inputs"] == {"wait_controller": 4, "busy": 100, "idle": 10}
    assert late["core0.controller"] == {"busy": 8, "idle": 106}


def test_a_controller_waits_for_room_in_a_units_queue() -> None:
    """One slot: the third tile is handed over when the array takes the second, after 10 ns."""
    tiles = [compute(index, 10) for index in range(4)]
    units = units_ns(tiles, "controller.queue_depth=1", "controller.dispatch_cycles=0")
    assert units["core0.controller"] == {"wait_buffer": 20, "idle": 20}
