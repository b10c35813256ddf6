"""A DRAM whose clock changes: its timing, the change itself, and that each side of it is a DRAM at one speed."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.components.memory.dram.model import DramModel
from soc_sim.components.memory.dram.speed import at_clock
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation
from soc_sim.testing.fakes import Completions, Slices

NS, US = 1000, 10**6
NEVER_REFRESH = "timing.nREFI=1000000000"
STREAM = [(step * 128, 128) for step in range(200)]
MIXED = [(step % 7 * 2**17 + step * 64, 64 + step % 5 * 64) for step in range(150)]


def dram(preset: str = "lpddr4_3200", *overrides: str) -> Dram:
    return load(preset, Dram, overrides)


class Bench:
    """Transfers at given times, and changes of the clock."""

    def __init__(self, description: Dram, slices: Slices | None = None) -> None:
        self.simulation = Simulation(slices)
        self.memory = DramModel(self.simulation, "dram", description)
        self.seen = Completions(self.simulation)
        self.began: list[tuple[int, int]] = []

    def ask(self, at_ps: int, wanted: list[tuple[int, int]], *, every_ps: int = 0) -> None:
        for number, (address, size_bytes) in enumerate(wanted):
            make = self.seen.write if number % 3 == 2 else self.seen.read
            transfer = make(address, size_bytes)
            self.simulation.call_at(at_ps + number * every_ps, lambda transfer=transfer: self.memory.submit(transfer))

    def change(self, at_ps: int, tck_ps: int, stop_ps: int = 0) -> None:
        def changed(start_ps: int, past_cycles: int) -> None:
            self.began.append((start_ps, past_cycles))

        self.simulation.call_at(at_ps, lambda: self.memory.change_clock(tck_ps, stop_ps, changed))

    def run(self, until_ps: int = 0) -> list[int]:
        self.simulation.call_at(until_ps, lambda: None)
        self.simulation.run(lambda: True)
        self.memory.finish()
        return self.seen.times_ps


@pytest.mark.parametrize(("fast", "slow"), [("ddr4_3200", "ddr4_2400"), ("lpddr4_4266", "lpddr4_3200")])
def test_the_timing_at_a_slower_clock_is_that_of_a_slower_memory(fast: str, slow: str) -> None:
    """Of one standard, from independent files: a cycle or 1 % more or less (registers hold certain latencies only)."""
    expected = dram(slow).timing
    found = at_clock(dram(fast), expected.tck_ps).timing
    for name in type(expected).model_fields:
        own, other = getattr(found, name), getattr(expected, name)
        if name not in ("tck_ps", "nRFC_PB", "nXP", "nXS") or (own is not None and other is not None):
            assert own == other or abs(own - other) <= max(1, 0.01 * other), (name, own, other)


def test_what_counts_cycles_keeps_them_and_what_is_a_time_keeps_that() -> None:
    timing = dram("lpddr4_3200", "timing.nRTW=30").timing
    half = at_clock(dram("lpddr4_3200", "timing.nRTW=30"), 2 * timing.tck_ps).timing
    assert (half.nCCD_S, half.nCCD_L, half.nPPD, half.nRTRS) == (8, 8, 4, 2)
    assert (half.nRCD, half.nRAS, half.nFAW, half.nRFC, half.nREFI) == (15, 34, 32, 224, 3123)
    # JESD209-4: tRTP and tWTR are never less than 8 cycles, tXP than 5, tRRD than 4.
    slow = at_clock(dram(), 8 * timing.tck_ps).timing
    assert (slow.nRTP, slow.nWTR_L, slow.nXP, slow.nRRD_S) == (8, 8, 5, 4)
    assert half.nRTW == 30 + (half.nCL - timing.nCL) - (half.nCWL - timing.nCWL)
    assert at_clock(dram(), timing.tck_ps) == dram()


@pytest.mark.parametrize("preset", ["lpddr4_3200", "ddr4_2400", "hbm2"])
@pytest.mark.parametrize("wanted", [STREAM, MIXED])
def test_each_side_of_a_change_is_a_memory_that_always_ran_at_its_speed(
    preset: str, wanted: list[tuple[int, int]]
) -> None:
    description = dram(preset, NEVER_REFRESH)
    slow_ps = 2 * description.timing.tck_ps
    bench, always_fast, always_slow = Bench(description), Bench(description), Bench(at_clock(description, slow_ps))
    bench.ask(0, wanted)
    bench.change(100 * US, slow_ps, 3 * US)
    bench.ask(101 * US, wanted)
    found = bench.run()
    always_fast.ask(0, wanted)
    always_slow.ask(0, wanted)
    # The last stream has waited for the new clock, and begins with its first cycle.
    ((began_ps, _),) = bench.began
    assert 103 * US <= began_ps <= 103 * US + 100 * NS
    assert found[: len(wanted)] == always_fast.run()
    assert [time_ps - began_ps for time_ps in found[len(wanted) :]] == always_slow.run()
    assert bench.memory.busy_ps == always_fast.memory.busy_ps + always_slow.memory.busy_ps


def test_at_the_start_it_is_the_other_memory_refreshes_included() -> None:
    description = dram()
    slow = at_clock(description, 1250)
    bench, always = Bench(description), Bench(slow)
    bench.change(0, 1250)
    for each in (bench, always):
        each.ask(0, STREAM, every_ps=100 * NS)
    assert bench.run(100 * US) == always.run(100 * US)
    own, other = bench.memory.counters(), always.memory.counters()
    assert {name: own[name] for name in other} == other
    assert bench.began == [(0, 0)]


def test_what_has_arrived_is_served_first_and_the_rest_waits() -> None:
    """The change comes while the first transfers are under way; rows close, the clock stands still, others follow."""
    description = dram("lpddr4_3200", NEVER_REFRESH)
    slices = Slices()
    bench = Bench(description, slices)
    bench.ask(0, STREAM[:20])
    bench.change(10 * NS, 1250, 5 * US)
    bench.ask(20 * NS, STREAM[20:40])
    found = bench.run()
    ((began_ps, past_cycles),) = bench.began
    timing = description.timing
    closed_ps = began_ps - 5 * US
    assert past_cycles * timing.tck_ps == began_ps
    # tRP after the last row was closed, which tRTP or tWR held after the last access.
    commands = [(name, start_ps) for track, name, start_ps, _, _ in slices.taken if track.startswith("dram.")]
    last_precharge_ps = max(at_ps for name, at_ps in commands if name == "PREA")
    assert closed_ps == last_precharge_ps + timing.nRP * timing.tck_ps
    assert [name for name, at_ps in commands if last_precharge_ps < at_ps < began_ps] == []
    assert max(found[:20]) < closed_ps
    assert len(found) == 40
    assert min(found[20:]) > began_ps


@pytest.mark.parametrize(
    "settings_of",
    [
        (),
        ("controller.scheduling=round_robin", "controller.bank_queue=8"),
        ("controller.refresh=per_bank", "controller.page_policy=closed"),
        ("channels=2", "channel_interleave=256 B", "controller.write_queue=4"),
        ("controller.power_down_after_cycles=50", "controller.self_refresh_after_cycles=900"),
    ],
)
@given(
    requests=st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 6)), min_size=1, max_size=40),
    changes=st.lists(
        st.tuples(st.integers(0, 3000), st.sampled_from([625, 1250, 2000]), st.sampled_from([0, 900])), max_size=4
    ),
    gap_ns=st.integers(0, 100),
)
@settings(max_examples=30)
def test_commands_stay_legal_and_no_request_is_lost(
    settings_of: tuple[str, ...], requests: list[tuple[int, int]], changes: list[tuple[int, int, int]], gap_ns: int
) -> None:
    description = dram("lpddr4_3200", "timing.nREFI=2000", "ranks=2", *settings_of)
    slices = Slices()
    bench = Bench(description, slices)
    bench.ask(0, [(64 * line, 64 * lines) for line, lines in requests], every_ps=gap_ns * NS)
    for at_ns, tck_ps, stop_ns in changes:
        bench.change(at_ns * NS, tck_ps, stop_ns * NS)
    bench.run(20 * US)
    assert len(bench.seen.times_ps) == len(requests)
    assert len(bench.began) == len(changes)
    counters = bench.memory.counters()
    told = [entry for entry in slices.taken if entry[0].startswith("dram.")]
    assert sum(name == "ACT" for _, name, *_ in told) == counters["activates"]
    # Refreshes keep their period in time, however fast the clock; each rank owes at most what a change delays.
    expected = 2 * (20 * US // (2000 * 625)) * description.channels
    expected *= description.banks if description.controller.refresh == "per_bank" else 1
    if not counters["self_refresh_ps"]:
        assert abs(counters["refreshes"] - expected) <= 0.15 * expected
    standby_ps = 20 * US * 2 * description.channels
    assert 0 <= counters["active_ps"] <= standby_ps
    assert counters["self_refresh_ps"] + counters["active_ps"] + counters["precharged_power_down_ps"] <= standby_ps
    speeds = [625, *(tck_ps for _, tck_ps, _ in sorted(changes, key=lambda change: change[0]))]
    starts = [0, *(began_ps for began_ps, _ in bench.began), 10**15]
    for tck_ps, (start_ps, end_ps) in zip(speeds, pairwise(starts), strict=True):
        timing = at_clock(description, tck_ps).timing
        by_bank = defaultdict(list)
        for track, name, at_ps, _, _ in told:
            if start_ps <= at_ps < end_ps and ".bank" in track:
                assert (at_ps - start_ps) % tck_ps == 0
                by_bank[track].append(((at_ps - start_ps) // tck_ps, name))
        for commands in by_bank.values():
            # Rows are closed at a change: every bank begins anew.
            assert min(commands)[1] in ("ACT", "REFpb")
            opened = None
            for cycle, name in sorted(commands, key=lambda command: (command[0], command[1] != "PRE")):
                if name == "ACT":
                    opened = cycle
                elif name in ("RD", "WR"):
                    assert opened is not None
                    assert cycle >= opened + timing.nRCD
                elif name == "PRE" and opened is not None:
                    assert cycle >= opened + timing.nRAS


def test_a_memory_that_sleeps_changes_its_clock_asleep() -> None:
    sleepy = ("controller.power_down_after_cycles=100", "controller.self_refresh_after_cycles=1000")
    bench = Bench(dram("lpddr4_3200", *sleepy))
    bench.ask(0, STREAM[:3])
    bench.change(20 * US, 1250, US)
    bench.ask(60 * US, STREAM[:3])
    found = bench.run(61 * US)
    assert len(found) == 6
    counters = bench.memory.counters()
    # Two times asleep but for the waits before, the transition and the accesses.
    assert 50 * US < counters["self_refresh_ps"] < 61 * US
    assert bench.began[0][0] == pytest.approx(21 * US, abs=100 * NS)
