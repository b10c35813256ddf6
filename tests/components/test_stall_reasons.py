"""Who made a wait, and why, provoked by programs so small that the split is known; see ``test_stalls``."""

from __future__ import annotations

from collections.abc import Sequence

from test_stalls import NS, compute, host, load, store

from soc_sim.compiler.program import Compute, Instruction, Load, Region, Store
from soc_sim.system import run
from soc_sim.testing.checks import check_record
from soc_sim.testing.small import program_of, small_soc, tile


def reasons_ns(instructions: Sequence[Instruction], *overrides: str) -> dict[tuple[str, str, str], int]:
    """(cause, component, reason) → ns of the array's waits."""
    record = run(small_soc(*overrides), program_of(instructions))
    check_record(record)
    spans: dict[tuple[str, str, str], int] = {}
    for (_, cause, reason), span_ps in record.cores[0].reasons_ps.items():
        assert span_ps % NS == 0
        spans[cause, *reason] = span_ps // NS
    return spans


def test_latency_and_transfer_of_a_memory() -> None:
    """20 ns until the first of 100 bytes."""
    tiles = [load(0, 100), compute(1, 10, inputs=(0,), frees_inputs_bytes=100)]
    assert reasons_ns(tiles, "dram.read_latency=20 ns") == {
        ("wait_inputs", "dram", "transfer"): 100,
        ("wait_inputs", "dram", "latency"): 20,
    }


def test_a_path_narrower_than_the_memory() -> None:
    """100 bytes pass the memory in 50 ns and a path of one byte a cycle in 100."""
    tiles = [load(0, 100), compute(1, 10, inputs=(0,), frees_inputs_bytes=100)]
    slow = ("dram.read_bandwidth=2 GB/s", "interconnect.width=1 B", "interconnect.latency_cycles=7")
    assert reasons_ns(tiles, *slow) == {
        ("wait_inputs", "dram", "transfer"): 50,
        ("wait_inputs", "interconnect", "transfer"): 50,
        ("wait_inputs", "interconnect", "latency"): 7,
    }


def test_a_memory_that_serves_somebody_else_first() -> None:
    """Inputs stand behind 100 bytes of weights at the memory."""
    tiles = [
        load(0, 100, "weights"),
        load(1, 50),
        compute(2, 10, weights=(0,), inputs=(1,), frees_weights_bytes=100, frees_inputs_bytes=50),
    ]
    assert reasons_ns(tiles) == {
        ("wait_inputs", "dram", "transfer"): 50,
        ("wait_inputs", "dram", "arbitration:core0.dma.weights"): 100,
    }


def test_too_few_requests_under_way() -> None:
    """One request of 64 bytes at a time pays 36 ns of latency three times; two would hide all but the first."""
    tiles = [load(0, 192), compute(1, 10, inputs=(0,), frees_inputs_bytes=192)]
    assert reasons_ns(tiles, "dma.max_outstanding=1", "dram.read_latency=36 ns") == {
        ("wait_inputs", "dram", "transfer"): 192,
        ("wait_inputs", "dram", "latency"): 36,
        ("wait_inputs", "core0.dma.inputs", "credit"): 72,
    }
    assert reasons_ns(tiles, "dma.max_outstanding=2", "dram.read_latency=36 ns") == {
        ("wait_inputs", "dram", "transfer"): 192,
        ("wait_inputs", "dram", "latency"): 36,
    }


def test_descriptors_have_to_be_set_up() -> None:
    scattered = Load(0, 0, 0, "inputs", (Region("dram", 0, 50), Region("dram", 512, 50)), 100)
    tiles = [scattered, compute(1, 10, inputs=(0,), frees_inputs_bytes=100)]
    # The second set-up passes beside the first transfer.
    assert reasons_ns(tiles, "dma.descriptor_cycles=5") == {
        ("wait_inputs", "dram", "transfer"): 100,
        ("wait_inputs", "core0.dma.inputs", "latency"): 5,
    }


def test_a_full_outputs_buffer_waits_for_the_memory_that_takes_them() -> None:
    tiles = [compute(0, 10, output_bytes=1024), store(1, 1024, (0,)), compute(2, 20, output_bytes=512)]
    assert reasons_ns([*tiles, store(3, 512, (2,))]) == {("wait_outputs", "dram", "transfer"): 1024}


def test_host_controller_and_ports_are_reasons_themselves() -> None:
    tiles = [host(0, 70), load(1, 100, depends=(0,)), compute(2, 10, inputs=(1,), frees_inputs_bytes=100)]
    assert reasons_ns(tiles) == {("wait_host", "host", "busy"): 70, ("wait_inputs", "dram", "transfer"): 100}
    assert reasons_ns([compute(0, 10)], "controller.dispatch_cycles=4") == {
        ("wait_controller", "core0.controller", "latency"): 4
    }
    narrow = ("buffers.weights.ports=1", "buffers.weights.width=1 B")
    assert reasons_ns([compute(0, 10, weight_bytes=30)], *narrow) == {("wait_buffer", "core0.weights", "transfer"): 20}


def test_another_core_stores_what_is_loaded_next() -> None:
    """The second core's tile takes 10 ns, its store 300 ns; only then can the first core load it."""
    tiles = [
        Compute(0, 0, 1, (), (), 300, 0, 0, tile(10)),
        Store(1, 0, 1, (Region("dram", 4096, 300),), 300, (0,)),
        load(2, 100, depends=(1,)),
        compute(3, 20, inputs=(2,), frees_inputs_bytes=100),
    ]
    record = run(small_soc("cores=2"), program_of(tiles, cores=2))
    check_record(record)
    assert {(cause, *reason): span_ps // NS for (_, cause, reason), span_ps in record.cores[0].reasons_ps.items()} == {
        ("wait_outputs", "dram", "transfer"): 300,
        ("wait_outputs", "core1.dma.outputs", "latency"): 10,
        ("wait_inputs", "dram", "transfer"): 100,
    }
