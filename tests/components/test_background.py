"""When background initiators ask for what, and what that does to a program beside them."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.compiler.program import Compute, Load, Program, Region
from soc_sim.components.background.patterns import Due, requests
from soc_sim.config.background import Background
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError, DeadlockError, InputError, MappingError
from soc_sim.system import RunRecord, run
from soc_sim.testing.checks import check_record
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed

NS = 1000
SLOW = "dram.read_bandwidth=10 MB/s"


def traffic(**fields: Any) -> Background:
    """1 GB/s in chunks of 256 bytes, unless ``fields`` say otherwise."""
    return load({"name": "other", "bandwidth": "1 GB/s", "chunk": "256 B"} | fields, Background)


def first(count: int, seed: int = 0, **fields: Any) -> list[Due]:
    return list(islice(requests(traffic(**fields), 4096, seed), count))


def test_a_rate_makes_chunks_due_without_drift() -> None:
    """256 bytes at 3 GB/s: 85.33 ns; number k is due at ⌊k · 256000 / 3⌋ ps."""
    assert [due.due_ps for due in first(1000, bandwidth="3 GB/s")] == [k * 256_000 // 3 for k in range(1000)]


def test_linear_addresses_wrap_within_the_footprint() -> None:
    assert [due.address - 4096 for due in first(5, footprint="768 B")] == [0, 256, 512, 0, 256]


def test_strided_and_random_addresses_stay_within_the_footprint() -> None:
    strided = [due.address - 4096 for due in first(4, pattern="strided", stride="1 KiB", footprint="3 KiB")]
    assert strided == [0, 1024, 2048, 3072 % (3072 - 256 + 1)]
    scattered = [due.address - 4096 for due in first(2000, pattern="random", footprint="4 KiB")]
    assert set(scattered) == set(range(0, 4096, 256))
    assert scattered != [due.address - 4096 for due in first(2000, seed=1, pattern="random", footprint="4 KiB")]


def test_a_frame_is_read_in_its_active_part() -> None:
    """50 frames a second of 1 MB/s: 20000 bytes in 313 bursts, 79 chunks, in the first three quarters of 20 ms."""
    due = first(2 * 79, pattern="frame", bandwidth="1 MB/s", frame_rate="50 Hz", blanking=0.25)
    assert sum(one.size_bytes for one in due[:79]) == 313 * 64
    assert [one.address for one in due[:79]] == [one.address for one in due[79:]]
    ms = 10**9
    assert due[0].due_ps == 0
    assert due[78].due_ps == 78 * 15 * ms // 79
    assert due[79].due_ps == 20 * ms


@pytest.mark.parametrize("share", [0.0, 0.25, 0.7, 1.0])
def test_the_read_share_holds_for_every_prefix(share: float) -> None:
    writes = 0
    for number, due in enumerate(first(400, read_share=share), start=1):
        writes += due.write
        assert abs(writes - number * (1 - share)) < 1


def test_jitter_delays_by_less_than_a_period_and_is_seeded() -> None:
    exact, late = first(500), first(500, jitter=1.0)
    delays = [b.due_ps - a.due_ps for a, b in zip(exact, late, strict=True)]
    assert all(0 <= delay < 256 * NS for delay in delays)
    assert 100 * NS < sum(delays) / len(delays) < 156 * NS
    assert all(a.due_ps <= b.due_ps for a, b in pairwise(late))
    assert late == first(500, jitter=1.0) != first(500, seed=1, jitter=1.0)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"pattern": "strided"}, "stride: belongs to pattern strided, which needs it"),
        ({"frame_rate": "60 Hz"}, "frame_rate: belongs to pattern frame, which needs it; pattern is linear"),
        ({"blanking": 0.1}, "blanking: belongs to pattern frame"),
        ({"chunk": "100 B"}, "chunk: 100 B is not a multiple of burst, 64 B"),
        ({"footprint": "64 B"}, "footprint: is less than one chunk"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        traffic(**fields)
    assert fault in str(caught.value)


def test_traffic_has_a_rate_or_a_recording() -> None:
    with pytest.raises(ConfigurationError, match="bandwidth: give either bandwidth or trace"):
        load({"name": "other"}, Background)


def test_names_and_memories_are_checked_against_the_soc() -> None:
    with pytest.raises(ConfigurationError, match=r"background\[0\].name: 'host' is an initiator"):
        small_soc("background=[{name: host, bandwidth: 1 GB/s}]")
    with pytest.raises(ConfigurationError, match=r"background\[0\].memory: the SoC has no weight_memory"):
        small_soc("background=[{name: a, bandwidth: 1 GB/s, memory: weight_memory}]")
    with pytest.raises(ConfigurationError, match=r"background\[1\]: 'a' is given twice"):
        small_soc("background=[{name: a, bandwidth: 1 GB/s}, {name: a, bandwidth: 1 GB/s}]")


def loads(count: int, size: int = 256, cycles: int = 1) -> Program:
    """Tiles that each need a load of ``size`` bytes."""
    instructions: list[Load | Compute] = []
    for number in range(count):
        instructions.append(Load(2 * number, 0, 0, "inputs", (Region("dram", size * number, size),), size))
        instructions.append(Compute(2 * number + 1, 0, 0, (), (2 * number,), 0, 0, size, tile(cycles)))
    return program_of(instructions)


def beside(rate: str, *overrides: str, program: Program | None = None, **fields: Any) -> RunRecord:
    """40 loads of 256 bytes at 1 GB/s beside traffic in chunks of 256 bytes."""
    one = ", ".join(f"{key}: {value}" for key, value in fields.items())
    background = f"background=[{{name: other, bandwidth: {rate}, chunk: 256 B{', ' if one else ''}{one}}}]"
    record = run(small_soc("dram.max_outstanding=4", background, *overrides), program or loads(40))
    check_record(record)
    return record


def test_nothing_changes_without_traffic() -> None:
    assert run(small_soc("dram.max_outstanding=4"), loads(40)).makespan_ps == (40 * 256 + 1) * NS


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 60), st.sampled_from(["linear", "random"]), st.floats(0, 1), st.floats(0, 1))
def test_traffic_slows_down_by_no_more_than_its_share_and_a_chunk(
    percent: int, pattern: str, jitter: float, read_share: float
) -> None:
    """A share s of the memory's time leaves 1 − s for the loads; what is due at the end may be ahead of them."""
    record = beside(f"{percent}0 MB/s", pattern=pattern, jitter=jitter, read_share=read_share)
    alone_ps = (40 * 256 + 1) * NS
    chunk_ps = 256 * NS
    assert alone_ps <= record.makespan_ps <= (alone_ps + 3 * chunk_ps) / (1 - percent / 100) + chunk_ps


def test_priority_reverses_who_suffers() -> None:
    """The loads want the whole memory, the other nine tenths. Whoever is first has it, and the other is late."""
    fixed = "interconnect.arbitration=fixed_priority"
    first_loads = beside("900 MB/s", fixed, "interconnect.priorities=[core0.dma.inputs]")
    first_other = beside("900 MB/s", fixed, "interconnect.priorities=[other]")
    assert first_loads.makespan_ps < 1.1 * (40 * 256 + 1) * NS
    assert first_other.makespan_ps > 5 * first_loads.makespan_ps
    # Bytes in a nanosecond, of the one that the memory moves.
    shares = [one.traffic["other"].moved_bytes * NS / one.makespan_ps for one in (first_loads, first_other)]
    assert shares[0] < 0.1
    assert shares[1] > 0.85


def test_time_lost_is_named_by_whom() -> None:
    record = beside("500 MB/s")
    waited = record.traffic["core0.dma.inputs"].waited_ps
    assert waited["arbitration:other"] > 0
    assert record.traffic["other"].waited_ps.get("arbitration:core0.dma.inputs", 0) > 0


def test_a_run_with_traffic_ends_with_its_program_and_is_repeatable() -> None:
    records = [beside("300 MB/s", pattern="random", jitter=0.5) for _ in range(2)]
    assert records[0] == records[1]
    assert records[0].inference_end_ps == (records[0].makespan_ps,)


def test_a_deadlock_is_found_although_traffic_goes_on() -> None:
    """The load never fits, because nobody gives the first one's space back."""
    program = program_of(
        [
            Load(0, 0, 0, "inputs", (Region("dram", 0, 64),), 1000),
            Load(1, 0, 0, "inputs", (Region("dram", 0, 64),), 1000),
            Compute(2, 0, 0, (), (0, 1), 0, 0, 2000, tile(1)),
        ]
    )
    with pytest.raises(DeadlockError, match="load 1 needs 1000 bytes"):
        beside("1 MB/s", program=program)


def test_a_program_that_background_traffic_starves_is_given_up() -> None:
    with pytest.raises(DeadlockError, match=r"background traffic \(other\) leaves no bandwidth"):
        beside("20 MB/s", "interconnect.arbitration=fixed_priority", "interconnect.priorities=[other]", SLOW)


def test_a_footprint_that_does_not_fit_is_refused() -> None:
    with pytest.raises(MappingError, match="hand-made and other together need 1048576 bytes more than dram has"):
        beside("1 MB/s", footprint="2 MiB")


def test_recorded_requests_are_replayed(tmp_path: Path) -> None:
    """Two reads and a write at their times; afterwards nobody disturbs the program."""
    trace = tmp_path / "requests.csv"
    trace.write_text("arrival_ps,address,size_bytes,kind\n0,0,64,R\n50000,4096,32,W\n100000,0,128,R\n")
    soc = small_soc(f"background=[{{name: other, trace: {trace}}}]")
    record = run(soc, loads(40))
    check_record(record)
    assert record.background_bytes == {("other", False): 192, ("other", True): 32}
    assert record.traffic["other"].moved_bytes == 224
    assert record.makespan_ps == (40 * 256 + 224 + 1) * NS


def test_a_recording_that_leaves_its_memory_is_refused(tmp_path: Path) -> None:
    trace = tmp_path / "requests.csv"
    trace.write_text(f"arrival_ps,address,size_bytes,kind\n0,{2**20},64,R\n")
    with pytest.raises(InputError, match=r"requests.csv:2: address"):
        run(small_soc(f"background=[{{name: other, trace: {trace}}}]"), loads(1))


def test_traffic_on_a_dram_leaves_its_counts_consistent() -> None:
    soc: Soc = changed(
        load("edge_16x16", Soc), background=(traffic(bandwidth="2 GB/s", chunk="2 KiB", read_share=0.5),)
    )
    record = run(soc, loads(40))
    check_record(record)
    assert record.background_bytes["other", False] > 0
