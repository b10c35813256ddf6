"""Regions are split into chunks, issued within a window, and end in order."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.compiler.program import Region
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Clock, InitiatorPort, Issuer, Simulation, check_wiring, chunks
from soc_sim.testing.fakes import FixedLatency


@st.composite
def regions(draw: st.DrawFn) -> Region:
    line_bytes = draw(st.integers(1, 300))
    gap_bytes = draw(st.sampled_from([0, 1, 64]))
    return Region("dram", draw(st.integers(0, 1000)), line_bytes, draw(st.integers(1, 12)), line_bytes + gap_bytes)


@given(regions(), st.integers(1, 8), st.integers(1, 64), st.integers(1, 16))
def test_chunks_cover_each_byte_once_within_the_limits(
    region: Region, bursts: int, burst_bytes: int, most_requests: int
) -> None:
    chunk_bytes = bursts * burst_bytes
    covered: list[int] = []
    for address, line_bytes, lines, requests in chunks(
        region.address, region.line_bytes, region.lines, region.pitch_bytes, chunk_bytes, burst_bytes, most_requests
    ):
        for line in range(lines):
            start = address + line * region.pitch_bytes
            covered += range(start, start + line_bytes)
        cut = line_bytes not in (region.line_bytes, region.lines * region.line_bytes)
        touched = (address % burst_bytes + line_bytes - 1) // burst_bytes + 1
        assert requests == (touched if cut else lines * -(-line_bytes // burst_bytes))
        assert requests <= most_requests
        assert line_bytes * lines <= chunk_bytes
    expected = [
        region.address + line * region.pitch_bytes + offset
        for line in range(region.lines)
        for offset in range(region.line_bytes)
    ]
    assert covered == expected


def test_a_line_is_cut_where_bursts_end() -> None:
    """In the middle of a burst every piece would fetch one burst more than it has bytes for."""
    assert list(chunks(32, 256, 1, 0, 128, 64, 8)) == [(32, 96, 1, 2), (128, 128, 1, 2), (256, 32, 1, 1)]
    assert list(chunks(64, 256, 1, 0, 128, 64, 8)) == [(64, 128, 1, 2), (192, 128, 1, 2)]


def test_contiguous_lines_need_no_more_requests_than_one_line() -> None:
    assert list(chunks(0, 16, 8, 16, 256, 64, 8)) == [(0, 128, 1, 2)]


@dataclass
class Bench:
    """An issuer before a target of fixed latency, with 64-byte bursts and a 1 GHz clock."""

    simulation: Simulation
    target: FixedLatency
    issuer: Issuer


def bench(latency_ps: int, *, max_outstanding: int = 16, chunk_bytes: int = 256, setup_cycles: int = 0) -> Bench:
    simulation = Simulation()
    target = FixedLatency(simulation, latency_ps)
    port = InitiatorPort("dma")
    port.connect(target)
    issuer = Issuer(
        simulation,
        port,
        Clock(10**9),
        burst_bytes=64,
        chunk_bytes=chunk_bytes,
        max_outstanding=max_outstanding,
        setup_cycles=setup_cycles,
    )
    return Bench(simulation, target, issuer)


@given(st.lists(st.lists(regions(), max_size=3), max_size=5), st.integers(1, 20), st.integers(0, 500))
def test_what_is_asked_is_moved_within_the_window_and_jobs_end_in_order(
    jobs: list[list[Region]], max_outstanding: int, latency_ps: int
) -> None:
    b = bench(latency_ps, max_outstanding=max_outstanding)
    ended: list[int] = []
    moved = dict.fromkeys(range(len(jobs)), 0)

    for number, job in enumerate(jobs):

        def progress(size_bytes: int, number: int = number) -> None:
            assert number not in ended
            moved[number] += size_bytes

        b.issuer.submit(
            job, write=False, layer=number, done=lambda number=number: ended.append(number), progress=progress
        )
    b.simulation.run(lambda: True)
    assert ended == list(range(len(jobs)))
    sizes = {number: sum(region.size_bytes for region in job) for number, job in enumerate(jobs)}
    assert moved == sizes
    assert {layer: size for (layer, _, _), size in b.issuer.asked_bytes.items()} == {
        number: size for number, size in sizes.items() if size
    }
    assert b.target.most_under_way <= max_outstanding
    assert b.issuer.outstanding == 0


def test_latency_bound_bandwidth_is_one_window_a_latency() -> None:
    """16 requests of 64 bytes may be under way, so every latency moves 1024 bytes."""
    b = bench(latency_ps=100_000, max_outstanding=16)
    size_bytes = 64 * 1024
    b.issuer.submit([Region("dram", 0, size_bytes)], write=False, layer=0, done=lambda: None)
    b.simulation.run(lambda: True)
    assert b.simulation.now_ps == size_bytes // 1024 * 100_000
    assert b.target.most_under_way == 16


@pytest.mark.parametrize(("chunk_bytes", "requests"), [(64, 1), (256, 4), (512, 8), (4096, 8)])
def test_a_transfer_is_a_chunk_but_at_most_half_the_window(chunk_bytes: int, requests: int) -> None:
    b = bench(1000, max_outstanding=16, chunk_bytes=chunk_bytes)
    b.issuer.submit([Region("dram", 0, 4096)], write=False, layer=0, done=lambda: None)
    b.simulation.run(lambda: True)
    assert {transfer.requests for _, transfer in b.target.arrivals} == {requests}


def test_every_region_pays_its_set_up_and_data_overlap_with_the_next() -> None:
    """Three regions, 8 cycles each: transfers start at 8, 16 and 24 ns although each takes 100 ns."""
    b = bench(100_000, setup_cycles=8)
    ended_ps: list[int] = []
    b.issuer.submit(
        [Region("dram", 256 * number, 256) for number in range(3)],
        write=True,
        layer=0,
        done=lambda: ended_ps.append(b.simulation.now_ps),
    )
    b.simulation.run(lambda: True)
    assert [time_ps for time_ps, _ in b.target.arrivals] == [8_000, 16_000, 24_000]
    assert ended_ps == [124_000]


def test_a_job_without_regions_ends_behind_those_before_it() -> None:
    b = bench(5_000)
    ended: list[tuple[str, int]] = []
    for name, job in (("data", [Region("dram", 0, 8)]), ("nothing", [])):
        b.issuer.submit(job, write=False, layer=0, done=lambda name=name: ended.append((name, b.simulation.now_ps)))
    b.simulation.run(lambda: True)
    assert ended == [("data", 5_000), ("nothing", 5_000)]


def test_a_gated_job_issues_what_was_released_and_no_more() -> None:
    b = bench(0, chunk_bytes=64)
    job = b.issuer.submit([Region("dram", 0, 256)], write=True, layer=0, done=lambda: None, gated=True)
    for time_ps, released_bytes in ((10, 63), (20, 64), (30, 200), (40, 256)):
        b.simulation.call_at(time_ps, lambda released_bytes=released_bytes: b.issuer.release(job, released_bytes))
    b.simulation.run(lambda: True)
    assert [time_ps for time_ps, _ in b.target.arrivals] == [20, 30, 30, 40]


def test_a_port_takes_one_peer_and_names_both() -> None:
    simulation = Simulation()
    port = InitiatorPort("core0.dma")
    port.connect(FixedLatency(simulation, name="first"))
    with pytest.raises(ConfigurationError) as error:
        port.connect(FixedLatency(simulation, name="second"))
    assert str(error.value) == "port core0.dma is connected to first; cannot connect second, too"


def test_all_unconnected_ports_are_reported_at_once() -> None:
    connected = InitiatorPort("b")
    connected.connect(FixedLatency(Simulation()))
    with pytest.raises(ConfigurationError) as error:
        check_wiring([InitiatorPort("a"), connected, InitiatorPort("c")])
    assert error.value.faults == (
        "port a is not connected; connect it to a target",
        "port c is not connected; connect it to a target",
    )
