"""The host reads, computes and writes block by block, all three at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.compiler.program import Compute, Region, Store, VectorOp
from soc_sim.system import RunRecord, run
from soc_sim.testing.small import program_of, small_soc, tile

# A byte takes 1 ns on either path, an operation 1 ns; a block is 256 bytes. The memory itself costs no time.
PATHS = ("dram={kind: ideal_memory}", "interconnect.width=1 B")


def operator(read_bytes: int, operations: int, write_bytes: int, index: int = 0) -> VectorOp:
    reads = (Region("dram", 0, read_bytes),) if read_bytes else ()
    writes = (Region("dram", 65536, write_bytes),) if write_bytes else ()
    return VectorOp(index, 0, reads, writes, operations)


def record_of(*operators: VectorOp, settings: tuple[str, ...] = ()) -> RunRecord:
    return run(small_soc(*PATHS, *settings), program_of(operators))


def spans_ns(record: RunRecord) -> dict[str, float]:
    assert sum(record.host_ps.values()) == record.makespan_ps
    return {cause: span_ps / 1000 for (_, cause), span_ps in record.host_ps.items()}


@pytest.mark.parametrize("blocks", [1, 2, 7])
def test_equal_stages_overlap_but_for_filling_and_draining(blocks: int) -> None:
    """Reading, computing and writing a block take 256 ns each; the pipeline has three stages."""
    size = 256 * blocks
    record = record_of(operator(size, size, size))
    assert record.makespan_ps == (blocks + 2) * 256_000
    assert spans_ns(record) == {"wait_inputs": 256, "busy": size, "wait_outputs": 256}
    assert record.host_operations == size


def test_a_block_is_written_only_when_it_has_been_computed() -> None:
    """Computing takes four times as long as reading or writing; the last block is written after all the computing."""
    record = record_of(operator(3 * 256, 3 * 1024, 3 * 256))
    assert spans_ns(record) == {"wait_inputs": 256, "busy": 3 * 1024, "wait_outputs": 256}


@pytest.mark.parametrize(
    ("sizes", "expected_ns"),
    [
        ((0, 0, 0), {"busy": 50}),
        ((0, 100, 0), {"busy": 150}),
        ((512, 0, 0), {"busy": 50, "wait_inputs": 512}),
        ((0, 0, 512), {"busy": 50, "wait_outputs": 512}),
    ],
)
def test_stages_that_are_missing_cost_nothing(sizes: tuple[int, int, int], expected_ns: dict[str, int]) -> None:
    """After 50 cycles to start."""
    assert spans_ns(record_of(operator(*sizes), settings=("host.start_cycles=50",))) == expected_ns


def test_lanes_divide_the_operations() -> None:
    record = record_of(operator(0, 101, 0), settings=("host.lanes=4",))
    assert record.makespan_ps == -(-101 // 4) * 1000
    assert record.host_operations == 101


def test_operators_run_one_after_another() -> None:
    alone = [record_of(operator(512, 700, 100)), record_of(operator(100, 50, 300))]
    both = record_of(operator(512, 700, 100), operator(100, 50, 300, index=1))
    assert both.makespan_ps == sum(record.makespan_ps for record in alone)


@settings(max_examples=60)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_an_operator_is_bound_by_its_longest_stage(read_bytes: int, operations: int, write_bytes: int) -> None:
    """At least the longest stage, at most all stages in sequence; a block waits at most a cycle for its edge."""
    record = record_of(operator(read_bytes, operations, write_bytes))
    stages_ps = [size * 1000 for size in (read_bytes, operations, write_bytes)]
    assert max(stages_ps) <= record.makespan_ps <= sum(stages_ps)
    blocks = max(1, -(-max(read_bytes, write_bytes) // 256))
    # Work is dealt out evenly, so filling and draining cost one block of the two shorter stages, and the chunk and
    # cycle by which an even share is rounded up.
    fill_ps = sum(-(-stage // blocks) for stage in sorted(stages_ps)[:2])
    assert record.makespan_ps <= max(stages_ps) + fill_ps + 2 * 256_000 + blocks * 1000


def test_an_operator_handed_over_late_waits_for_the_controller() -> None:
    record = record_of(operator(0, 10, 0), settings=("controller.dispatch_cycles=4",))
    assert spans_ns(record) == {"wait_controller": 4, "busy": 10}


def test_an_operator_waits_for_what_it_reads() -> None:
    """The other way round: what came last counts for the whole wait."""
    instructions = [
        Compute(0, 0, 0, (), (), 64, 0, 0, tile(100)),
        Store(1, 0, 0, (Region("dram", 0, 64),), 64, (0,)),
        VectorOp(2, 1, (), (), 10, (1,)),
    ]
    record = run(small_soc(*PATHS, "controller.dispatch_cycles=4"), program_of(instructions))
    # Handed over after 4 cycles, 100 of work from there on, 64 bytes to store.
    assert spans_ns(record) == {"wait_inputs": 168, "busy": 10}
