"""DRAM against the formulas of its timing parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim import compile as compile_network
from soc_sim import load_network
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.config.soc import Soc
from soc_sim.kernel import Simulation, Transfer
from soc_sim.system import run
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Completions

PRESETS = ("ddr3_1600", "ddr4_2400", "hbm2", "lpddr3_1600", "lpddr4_3200", "lpddr4_4266", "lpddr5_6400")


class Bench:
    """A memory, and transfers that arrive at given times."""

    def __init__(self, description: Dram) -> None:
        self.description = description
        self.simulation = Simulation()
        self.memory = DramModel(self.simulation, "dram", description)
        self.seen = Completions(self.simulation)
        timing = description.timing
        for name in type(timing).model_fields:
            if name.startswith("n") and getattr(timing, name) is not None:
                setattr(self, name, getattr(timing, name) * timing.tck_ps)
        self.burst_ps = description.burst_cycles * timing.tck_ps
        self.spacing_ps = max(self.burst_ps, timing.nCCD_L * timing.tck_ps)

    def __getattr__(self, name: str) -> int:
        """A timing parameter in picoseconds."""
        raise AttributeError(name)

    def at(self, time_ps: int, make: Callable[..., Transfer], address: int, size_bytes: int) -> None:
        self.simulation.call_at(time_ps, lambda: self.memory.submit(make(address, size_bytes)))

    def run(self, until_ps: int = 0) -> list[int]:
        self.simulation.call_at(until_ps, lambda: None)
        self.simulation.run(lambda: True)
        self.memory.finish()
        return self.seen.times_ps

    def other_row(self, row: int) -> int:
        """An address in another row of bank 0 of channel 0."""
        d = self.description
        return row * d.row_bytes * d.banks * d.channels


def plain(preset: str, *overrides: str) -> Bench:
    """A shipped memory as one channel without latency of its own."""
    return Bench(load(preset, Dram, ("channels=1", "controller_latency=0 s", *overrides)))


@pytest.fixture(params=PRESETS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return plain(request.param)


def test_a_closed_row_costs_activate_column_access_and_burst(bench: Bench) -> None:
    bench.at(0, bench.seen.read, 0, bench.description.burst_bytes)
    assert bench.run() == [bench.nRCD + bench.nCL + bench.burst_ps]
    assert bench.memory.counters()["row_misses"] == 1


def test_an_open_row_costs_column_access_and_burst(bench: Bench) -> None:
    late_ps = bench.nREFI // 2 // bench.description.timing.tck_ps * bench.description.timing.tck_ps
    bench.at(0, bench.seen.read, 0, bench.description.burst_bytes)
    bench.at(late_ps, bench.seen.read, bench.description.burst_bytes, bench.description.burst_bytes)
    assert bench.run()[1] == late_ps + bench.nCL + bench.burst_ps
    assert bench.memory.counters()["row_hits"] == 1


def test_a_request_off_the_clock_waits_for_the_next_edge(bench: Bench) -> None:
    tck_ps = bench.description.timing.tck_ps
    bench.at(tck_ps + 1, bench.seen.read, 0, 1)
    assert bench.run() == [2 * tck_ps + bench.nRCD + bench.nCL + bench.burst_ps]


def test_another_row_costs_a_precharge_more(bench: Bench) -> None:
    late_ps = bench.nREFI // 2 // bench.description.timing.tck_ps * bench.description.timing.tck_ps
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(late_ps, bench.seen.read, bench.other_row(1), 1)
    assert bench.run()[1] == late_ps + bench.nRP + bench.nRCD + bench.nCL + bench.burst_ps
    assert bench.memory.counters()["row_conflicts"] == 1


def test_a_row_stays_open_for_tras_and_read_to_precharge(bench: Bench) -> None:
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(0, bench.seen.read, bench.other_row(1), 1)
    precharge_ps = max(bench.nRAS, bench.nRCD + bench.nRTP)
    assert bench.run()[1] == precharge_ps + bench.nRP + bench.nRCD + bench.nCL + bench.burst_ps


def test_a_written_row_recovers_before_its_precharge(bench: Bench) -> None:
    bench.at(0, bench.seen.write, 0, 1)
    bench.at(bench.description.timing.tck_ps, bench.seen.read, bench.other_row(1), 1)
    written_ps = bench.nRCD + bench.nCWL + bench.burst_ps
    precharge_ps = max(bench.nRAS, written_ps + bench.nWR)
    done_ps = bench.run()
    assert done_ps[0] == written_ps
    assert done_ps[1] == precharge_ps + bench.nRP + bench.nRCD + bench.nCL + bench.burst_ps


def test_a_read_behind_a_write_waits_for_the_turnaround(bench: Bench) -> None:
    bench.at(0, bench.seen.write, 0, 1)
    bench.at(bench.description.timing.tck_ps, bench.seen.read, 0, 1)
    written_ps, read_ps = bench.run()
    assert read_ps == written_ps + bench.nWTR_L + bench.nCL + bench.burst_ps


def test_a_write_behind_a_read_leaves_two_idle_clocks_on_the_bus(bench: Bench) -> None:
    """Command distance CL + BL/2 + 2 - CWL (JEDEC): the write's data follow two clocks after the read's."""
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(0, bench.seen.write, 0, 1)
    read_ps, written_ps = bench.run()
    assert written_ps == read_ps + 2 * bench.description.timing.tck_ps + bench.burst_ps


def test_the_controller_adds_its_latency_once() -> None:
    bench = plain("lpddr4_3200", "controller_latency=20 ns")
    bench.at(0, bench.seen.read, 0, 1)
    assert bench.run() == [bench.nRCD + bench.nCL + bench.burst_ps + 20_000]


def test_banks_open_rows_while_others_transfer(bench: Bench) -> None:
    """Two rows in two banks, read back to back: only the first activate shows, and tCCD_L within a row."""
    d = bench.description
    bench.at(0, bench.seen.read, 0, d.row_bytes)
    bench.at(0, bench.seen.read, d.row_bytes, d.row_bytes)
    bursts = 2 * d.row_bytes // d.burst_bytes
    elapsed_ps = max(bench.run()) - bench.nRCD - bench.nCL
    assert bursts * bench.burst_ps <= elapsed_ps <= bench.burst_ps + (bursts - 1) * bench.spacing_ps
    if bench.spacing_ps == bench.burst_ps:
        assert elapsed_ps == bursts * bench.burst_ps


def test_a_long_sequential_read_reaches_the_peak_less_refreshes(bench: Bench) -> None:
    """A refresh costs at least tRFC; at most also closing the rows and opening the next."""
    d = bench.description
    size_bytes = 20 * bench.nREFI // bench.burst_ps * d.burst_bytes
    for address in range(0, size_bytes, 2048):
        bench.at(0, bench.seen.read, address, 2048)
    elapsed_ps = max(bench.run())
    bursts = -(-size_bytes // 2048) * 2048 // d.burst_bytes
    refreshes = (elapsed_ps - bench.burst_ps) // bench.nREFI
    assert refreshes >= 20
    reopening_ps = bench.nRAS + bench.nRP + bench.nRFC + bench.nRCD + bench.nCL
    assert bursts * bench.burst_ps + (refreshes - 1) * bench.nRFC <= elapsed_ps
    assert elapsed_ps <= bursts * bench.spacing_ps + (refreshes + 1) * reopening_ps
    assert bench.memory.busy_ps == bursts * bench.burst_ps


@pytest.mark.parametrize("intervals", [0.5, 1, 1.5, 7.25])
def test_an_idle_memory_refreshes_every_interval(bench: Bench, intervals: float) -> None:
    end_ps = int(intervals * bench.nREFI)
    bench.run(until_ps=end_ps)
    assert bench.memory.counters()["refreshes"] == end_ps // bench.nREFI
    assert bench.memory.counters()["active_ps"] == 0


def test_refreshes_put_off_by_idleness_do_not_shift_later_ones(bench: Bench) -> None:
    """The refresh due at 1 is done with the access at 1.9; the next is due at 2 all the same."""
    bench.at(int(1.9 * bench.nREFI), bench.seen.read, 0, 1)
    bench.run(until_ps=int(2.1 * bench.nREFI))
    assert bench.memory.counters()["refreshes"] == 2


@pytest.mark.parametrize("end", [0, 1, 2.5])
def test_a_row_is_active_from_its_activate_to_the_next_refresh(bench: Bench, end: float) -> None:
    """Activated at once, precharged when the refresh is due (or still open when the run ends before)."""
    bench.at(0, bench.seen.read, 0, 1)
    bench.run(until_ps=int(end * bench.nREFI))
    read_ps = bench.nRCD + bench.nCL + bench.burst_ps
    assert bench.memory.counters()["active_ps"] == (bench.nREFI if end else read_ps)


def test_a_row_that_recovers_when_the_run_ends_counts_up_to_the_end(bench: Bench) -> None:
    """A write ends just when the refresh is due; the row could be precharged only tWR later."""
    start_ps = bench.nREFI - (bench.nRCD + bench.nCWL + bench.burst_ps)
    bench.at(start_ps, bench.seen.write, 0, 1)
    assert bench.run() == [bench.nREFI]
    assert bench.memory.counters()["active_ps"] == bench.nREFI - start_ps


def test_a_refresh_that_is_due_delays_the_next_access(bench: Bench) -> None:
    """It closes the row first, so precharge, refresh and activate precede the column access."""
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(bench.nREFI, bench.seen.read, 0, 1)
    assert bench.run()[1] == bench.nREFI + bench.nRP + bench.nRFC + bench.nRCD + bench.nCL + bench.burst_ps
    assert bench.memory.counters()["row_misses"] == 2


def test_channels_share_the_work_evenly() -> None:
    """Over two channels a sequential read takes half of the time on the buses."""
    elapsed_ps = {}
    for channels in (1, 2):
        bench = Bench(load("lpddr4_3200", Dram, (f"channels={channels}", "controller_latency=0 s")))
        size_bytes = 8 * bench.description.channel_interleave_bytes
        bench.at(0, bench.seen.read, 0, size_bytes)
        elapsed_ps[channels] = bench.run()[0] - bench.nRCD - bench.nCL
        assert bench.memory.peak_bytes_per_s == pytest.approx(channels * 12.8e9)
    assert elapsed_ps[1] == 2 * elapsed_ps[2] == size_bytes // bench.description.burst_bytes * bench.burst_ps


requests = st.tuples(
    st.booleans(), st.integers(0, 2**20), st.integers(1, 700), st.integers(1, 4), st.integers(0, 20_000_000)
)


@settings(max_examples=60)
@given(st.sampled_from(PRESETS), st.integers(1, 4), st.lists(requests, min_size=1, max_size=30))
def test_what_every_sequence_of_requests_satisfies(
    preset: str, channels: int, wanted: list[tuple[bool, int, int, int, int]]
) -> None:
    """Bytes are conserved, bursts are hits, misses or conflicts, and nothing is busy for longer than it is there."""
    bench = Bench(load(preset, Dram, (f"channels={channels}",)))
    arrivals: dict[int, int] = {}
    for write, address, line_bytes, lines, time_ps in wanted:
        make = bench.seen.write if write else bench.seen.read
        transfer = make(address, line_bytes, lines=lines, pitch_bytes=1000)
        arrivals[id(transfer)] = time_ps
        bench.simulation.call_at(time_ps, lambda transfer=transfer: bench.memory.submit(transfer))
    elapsed_ps = max(bench.run())
    counters = bench.memory.counters()
    assert len(bench.seen.times_ps) == len(wanted)
    for kind, is_write in (("read", False), ("write", True)):
        moved = sum(line * lines for write, _, line, lines, _ in wanted if write == is_write)
        assert counters[f"{kind}_bytes"] == moved <= counters[f"{kind}_bursts"] * bench.description.burst_bytes
    bursts = counters["read_bursts"] + counters["write_bursts"]
    assert counters["row_hits"] + counters["row_misses"] + counters["row_conflicts"] == bursts
    assert counters["activates"] == counters["row_misses"] + counters["row_conflicts"]
    assert counters["refreshes"] == channels * (elapsed_ps // bench.nREFI)
    assert counters["busy_ps"] <= elapsed_ps
    assert 0 < counters["active_ps"] <= elapsed_ps * channels
    least_ps = min(bench.nCL, bench.nCWL) + bench.burst_ps + bench.description.controller_latency_ps
    for done_ps, transfer in zip(bench.seen.times_ps, bench.seen.transfers, strict=True):
        assert done_ps >= arrivals[id(transfer)] + least_ps
        assert arrivals[id(transfer)] < transfer.data_start_ps < transfer.data_end_ps <= done_ps


@pytest.mark.parametrize(
    "overrides",
    [
        ("dram.ranks=2",),
        ("dram.channels=2", "dram.mapping=rorababgchco"),
        ("dram.channels=3", "dram.ranks=2", "dram.hash_banks=true"),
        ("dram.mapping=robacobg", "dram.controller.page_policy=closed"),
        ("dram.controller.bank_queue=8", "dram.controller.row_hit_cap=4"),
        ("dram.controller.refresh=per_bank", "dram.controller.page_policy=adaptive"),
        ("dram.controller.power_down_after_cycles=64", "dram.controller.self_refresh_after_cycles=4000"),
        ("dram.address_hash=[{bit: 12, flipped_by: [15, 16]}]", "dram.ranks=2"),
    ],
    ids=" ".join,
)
def test_every_kind_of_channel_serves_a_network(overrides: tuple[str, ...]) -> None:
    """Bytes, commands and times of a run agree with each other."""
    soc = load("edge_16x16", Soc, overrides)
    check_record(run(soc, compile_network(soc, load_network("resnet8"))))


def test_long_contiguous_transfers_are_served_several_bursts_in_a_step() -> None:
    """And single bursts are not: what is counted for the one way is not counted for the other."""
    shares = []
    for size_bytes in (65536, 64):
        bench = plain("lpddr4_3200")
        bench.at(0, bench.seen.read, 0, size_bytes)
        bench.run()
        counters = bench.memory.counters()
        shares.append(counters["closed_form_bursts"] / counters["read_bursts"])
    assert shares[0] > 0.9
    assert shares[1] == 0


def test_a_transfer_says_how_long_its_rows_kept_the_data_path_waiting(bench: Bench) -> None:
    """A closed row: tRCD; a row to be closed first: tRP more; one that is open: nothing."""
    late_ps = bench.nREFI // 2 // bench.description.timing.tck_ps * bench.description.timing.tck_ps
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(late_ps // 2, bench.seen.read, 0, 1)
    bench.at(late_ps, bench.seen.read, bench.other_row(1), 1)
    bench.run()
    first, again, other = bench.seen.transfers
    assert [transfer.row_ps for transfer in (first, again, other)] == [bench.nRCD, 0, bench.nRP + bench.nRCD]
    assert first.refresh_ps == 0


def test_a_transfer_says_how_long_a_refresh_kept_the_data_path_waiting(bench: Bench) -> None:
    """It arrives when the refresh is due; the row, which was open, is closed before."""
    bench.at(0, bench.seen.read, 0, 1)
    bench.at(bench.nREFI, bench.seen.read, 0, 1)
    bench.run()
    late = bench.seen.transfers[1]
    assert (late.refresh_ps, late.row_ps) == (bench.nRP + bench.nRFC, bench.nRCD)
