"""Memories of fixed latency and bandwidth, and the ideal one."""

from __future__ import annotations

import pytest

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.ideal import Ideal
from soc_sim.components.memory.simple import Simple
from soc_sim.config.loader import load
from soc_sim.config.memory import IdealMemory, SimpleMemory
from soc_sim.kernel import Simulation, Transfer
from soc_sim.testing.fakes import Completions


def simple(**fields: str) -> tuple[Simple, Completions]:
    """1 GB/s (1 ns a byte), reads after 50 ns, writes answered 7 ns after their last byte."""
    description = {
        "kind": "simple_memory",
        "name": "plain",
        "technology": "sram",
        "capacity": "1 MiB",
        "read_bandwidth": "1 GB/s",
        "write_bandwidth": "1 GB/s",
        "read_latency": "50 ns",
        "write_latency": "7 ns",
        "burst": "8 B",
    }
    simulation = Simulation()
    memory = Simple(simulation, "dram", load(description | fields, SimpleMemory))
    return memory, Completions(simulation)


def served(memory: Memory, seen: Completions, *transfers: Transfer) -> list[int]:
    """When transfers that arrive at once are complete."""
    for transfer in transfers:
        memory.submit(transfer)
    memory.simulation.run(lambda: True)
    return seen.times_ps


def test_a_read_takes_latency_and_bytes_over_bandwidth() -> None:
    memory, seen = simple()
    assert served(memory, seen, seen.read(0, 64)) == [50_000 + 64_000]
    assert (seen.transfers[0].data_start_ps, seen.transfers[0].data_end_ps) == (50_000, 114_000)


def test_the_latency_of_consecutive_reads_overlaps() -> None:
    memory, seen = simple()
    assert served(memory, seen, seen.read(0, 64), seen.read(64, 64)) == [114_000, 178_000]
    memory.finish()
    assert memory.busy_ps == 128_000


def test_a_write_ends_when_its_last_byte_is_stored_and_answered() -> None:
    memory, seen = simple(write_bandwidth="2 GB/s")
    assert served(memory, seen, seen.write(0, 64)) == [32_000 + 7_000]


def test_a_write_cannot_end_before_its_data_are_offered() -> None:
    memory, seen = simple()
    assert served(memory, seen, seen.write(0, 64, data_end_ps=100_000)) == [107_000]


def test_a_write_does_not_wait_for_the_latency_of_a_read_before_it() -> None:
    """They share the data path, 64 ns each; the latency belongs to the read alone."""
    memory, seen = simple()
    assert served(memory, seen, seen.read(0, 64), seen.write(64, 64)) == [114_000, 64_000 + 64_000 + 7_000]


@pytest.mark.parametrize(
    ("address", "line_bytes", "lines", "pitch_bytes", "accesses"),
    [(0, 8, 1, 0, 1), (0, 1, 1, 0, 1), (7, 2, 1, 0, 2), (4, 8, 1, 0, 2), (0, 8, 4, 8, 4), (0, 8, 4, 12, 6)],
)
def test_whole_accesses_are_paid_for(
    address: int, line_bytes: int, lines: int, pitch_bytes: int, accesses: int
) -> None:
    """Every line touches the 8-byte words its bytes lie in, wherever it begins."""
    words = [{(address + line * pitch_bytes + offset) // 8 for offset in range(line_bytes)} for line in range(lines)]
    assert sum(len(touched) for touched in words) == accesses
    memory, seen = simple()
    transfer = seen.read(address, line_bytes, lines=lines, pitch_bytes=pitch_bytes)
    assert served(memory, seen, transfer) == [50_000 + accesses * 8_000]
    assert memory.accessed_bytes == accesses * 8
    assert memory.counters()["read_bytes"] == line_bytes * lines


def test_the_ideal_memory_answers_at_once() -> None:
    simulation = Simulation()
    seen = Completions(simulation)
    memory = Ideal(simulation, "dram", load({"kind": "ideal_memory"}, IdealMemory))
    transfers = [seen.read(0, 10**6), seen.read(0, 10**6), seen.write(0, 64, data_end_ps=9)]
    assert served(memory, seen, *transfers) == [0, 0, 9]
    assert memory.peak_bytes_per_s is None
    assert memory.counters() == {"read_bytes": 2 * 10**6, "write_bytes": 64, "busy_ps": 0}
