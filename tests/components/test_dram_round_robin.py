"""Bank queues in turn, command by command; ``tests/validation/dram`` compares whole runs with DRAMsim3."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.components.memory.dram.commands import CommandTracks, ToldRoundRobinScheduler
from soc_sim.components.memory.dram.queues import Run
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Simulation
from soc_sim.testing.fakes import Slices

LATE = 1000
"""Long after the first commands, long before a refresh."""
T = load("hbm2_2000_x128", Dram).timing
NBL = 2


class Told:
    """A channel, and the commands that it tells."""

    def __init__(self, *overrides: str, posts_writes: bool = False) -> None:
        description = load("hbm2_2000_x128", Dram, overrides)
        self._slices = Slices()
        tracks = CommandTracks(Simulation(self._slices), "channel", description)
        self.scheduler = ToldRoundRobinScheduler(description, tracks, posts_writes=posts_writes)
        self._tck_ps, self._banks = description.timing.tck_ps, description.banks

    @property
    def told(self) -> list[tuple[int, str, int]]:
        """(cycle, command, bank) in the order of issue; refreshes are left out."""
        found = []
        for track, name, start_ps, _, _ in self._slices.taken:
            if name != "REF" and name != "REFpb":
                rank, bank = re.findall(r"\d+", track)
                found.append((start_ps // self._tck_ps, name, int(rank) * self._banks + int(bank)))
        return found

    def forget(self) -> None:
        """What has been told so far."""
        self._slices.taken.clear()

    def advance(self, cycle: int) -> None:
        self.scheduler.advance(cycle)

    def want(self, cycle: int, bank: int, row: int, *, write: bool = False, bursts: int = 1) -> Run:
        self.advance(cycle)
        run = Run(bank, row, bursts, int(write), None)
        self.scheduler.push(cycle, run)
        return run

    def names(self, until: int) -> list[tuple[str, int]]:
        self.advance(until)
        return [(name, bank) for _, name, bank in self.told]

    def cycles(self, name: str) -> list[int]:
        return [cycle for cycle, kind, _ in self.told if kind == name]


def test_banks_give_a_burst_each_in_turn() -> None:
    """First ready, first come would serve bank 0, whose bursts are all older, until it has none."""
    channel = Told()
    for bank in (0, 4, 8):
        channel.want(0, bank, 0)
    channel.advance(LATE)
    channel.forget()
    for bank in (0, 4, 8):
        channel.want(LATE, bank, 0, bursts=3)
    # A burst goes on each cycle: three for bank 0, then three for bank 4; reads are two cycles apart.
    banks = [bank for _, bank in channel.names(2 * LATE)]
    assert banks == [0, 0, 4, 8, 0, 4, 8, 4, 8]
    assert channel.cycles("RD") == [LATE + NBL * place for place in range(9)]


def test_a_row_closes_after_as_many_hits_as_the_cap_says() -> None:
    """With tRTP as short as a burst, so that the precharge is legal when the next hit is."""
    for cap in (2, 4):
        channel = Told("timing.nRTP=2", f"controller.row_hit_cap={cap}")
        channel.want(0, 0, 0)
        channel.want(LATE, 0, 0)
        channel.want(LATE, 0, 1)
        for _ in range(6):
            channel.want(LATE, 0, 0)
        names = [name for name, _ in channel.names(2 * LATE)]
        more = cap - 1
        assert names == ["ACT", "RD", *["RD"] * more, "PRE", "ACT", "RD", "PRE", "ACT", *["RD"] * (7 - more)]


def test_hits_go_on_where_the_precharge_is_not_legal_yet() -> None:
    """tRTP is longer than the distance of two reads, so that hits put the precharge off, past the cap."""
    channel = Told()
    channel.want(0, 0, 0)
    channel.want(LATE, 0, 0)
    channel.want(LATE, 0, 1)
    for _ in range(6):
        channel.want(LATE, 0, 0)
    assert [name for name, _ in channel.names(2 * LATE)] == ["ACT", *["RD"] * 8, "PRE", "ACT", "RD"]
    last_hit, closed = channel.cycles("RD")[7], channel.cycles("PRE")[0]
    assert closed == last_hit + T.nRTP


@pytest.mark.parametrize("dual", [True, False])
def test_a_row_and_a_column_command_share_a_cycle_only_where_there_are_two_buses(dual: bool) -> None:
    channel = Told(f"controller.dual_command={str(dual).lower()}")
    channel.want(0, 0, 0)
    channel.want(0, 4, 0)
    channel.advance(T.nRRD_S + 1)
    channel.want(T.nRCD, 8, 0)
    channel.advance(LATE)
    first_read, third_activate = channel.cycles("RD")[0], channel.cycles("ACT")[2]
    # Bank 8's turn comes before bank 0's; with one bus its activate puts the read off by a cycle.
    assert third_activate == T.nRCD
    assert first_read == third_activate + (not dual)


def test_posted_writes_wait_until_they_are_more_than_allowed() -> None:
    channel = Told(posts_writes=True)
    for bank in range(8):
        channel.want(0, bank, 0, write=True)
    assert channel.names(LATE) == []
    channel.want(LATE, 8, 0, write=True)
    assert channel.names(2 * LATE).count(("ACT", 8)) == 1
    assert len(channel.cycles("WR")) == 9


def test_posted_writes_are_drained_when_no_request_will_come() -> None:
    channel = Told(posts_writes=True)
    channel.want(0, 0, 0, write=True)
    channel.advance(LATE)
    channel.scheduler.expect_no_more(LATE)
    assert channel.names(2 * LATE) == [("ACT", 0), ("WR", 0)]
    assert channel.cycles("ACT") == [LATE]


def test_writes_somebody_waits_for_go_out_at_once() -> None:
    channel = Told()
    channel.want(0, 0, 0, write=True)
    channel.advance(LATE)
    assert channel.cycles("ACT") == [0]


def test_a_full_write_queue_is_drained_before_reads_go_on() -> None:
    channel = Told("controller.write_queue=4", posts_writes=True)
    for bank in range(4):
        channel.want(0, 4 * bank, 0, write=True)
        channel.want(0, 4 * bank + 1, 0)
    channel.advance(LATE)
    kinds = [bank % 4 for _, name, bank in sorted(channel.told) if name == "ACT"]
    assert kinds == [0, 0, 0, 0, 1, 1, 1, 1]


def test_bursts_for_a_full_bank_queue_stay_and_let_others_pass() -> None:
    channel = Told("controller.bank_queue=2", "controller.read_queue=4")
    channel.want(0, 0, 0, bursts=5)
    channel.want(0, 4, 0)
    assert not channel.scheduler.has_room(0)
    channel.advance(T.nRCD - 1)
    # Two of the five have gone on, and then the one behind them, the last that the queue had room for.
    assert channel.scheduler.queued[0] == 3
    assert channel.scheduler.has_room(0)
    assert channel.cycles("ACT")[1] >= T.nRRD_S


@pytest.mark.parametrize("opened", [1, 3, 16])
def test_a_refresh_closes_one_row_a_cycle(opened: int) -> None:
    channel = Told()
    for bank in range(opened):
        channel.want(0, bank, 0)
    channel.advance(T.nREFI)
    channel.forget()
    channel.want(T.nREFI, 0, 1)
    channel.advance(T.nREFI + LATE)
    assert channel.cycles("PRE") == [T.nREFI + bank for bank in range(opened)]
    assert channel.cycles("ACT") == [T.nREFI + opened - 1 + T.nRP + T.nRFC]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 31), st.integers(0, 3), st.integers(1, 20), st.booleans(), st.integers(0, 300)),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 50),
)
def test_looking_in_between_changes_nothing_and_every_burst_is_served(
    wanted: list[tuple[int, int, int, bool, int]], stride: int
) -> None:
    seen = []
    for look in (False, True):
        channel, cycle, runs = Told("ranks=2", "timing.nREFI=700"), 0, []
        for bank, row, bursts, write, gap in wanted:
            for between in range(cycle, cycle + gap, stride) if look else ():
                channel.advance(between)
            cycle += gap
            runs.append(channel.want(cycle, bank, row, write=write, bursts=bursts))
        channel.advance(cycle + 50_000)
        assert not channel.scheduler.busy
        assert sum(channel.scheduler.state.bursts) == sum(run.bursts for run in runs)
        assert all(run.left == 0 and run.data_end >= run.data_start + NBL * run.bursts for run in runs)
        assert all(0 <= run.row_cycles + run.refresh_cycles <= run.data_end - run.arrival for run in runs)
        seen.append((channel.told, [(run.data_start, run.data_end) for run in runs]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("bank_queue=0", "controller.bank_queue: 0 leaves no queue of a bank"),
        ("page_policy=closed", "controller.page_policy: is not known to scheduling round_robin"),
        ("drain_above=0.9", "controller.drain_above: is not known to scheduling round_robin"),
        ("scheduling=round", "allowed: fr_fcfs, round_robin; did you mean"),
    ],
)
def test_settings_that_do_not_go_together_are_named(override: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words.replace(".", r"\.")):
        load("hbm2", Dram, (f"controller.{override}",))


def test_first_ready_first_come_can_be_had_by_one_setting() -> None:
    assert load("hbm2", Dram, ("controller.scheduling=fr_fcfs",)).controller.scheduling == "fr_fcfs"


def test_refreshes_that_are_late_put_no_two_activates_into_one_cycle() -> None:
    """Banks of four ranks are refreshed so often that the next refresh is due when one begins."""
    often = ("ranks=4", "controller.refresh=per_bank", "timing.nRFC=1", "timing.nRFC_PB=7", "timing.nREFI=90")
    channel = Told(*often)
    for number in range(400):
        channel.want(3 * number, number * 7 % 64, number % 5, write=number % 3 == 0)
    channel.advance(100_000)
    assert not channel.scheduler.busy
    activates, columns = channel.cycles("ACT"), channel.cycles("RD") + channel.cycles("WR")
    assert len(activates) == len(set(activates))
    assert len(columns) == len(set(columns)) == 400
