"""Each timing parameter: the second command is legal at t and illegal at t - 1 after the first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from soc_sim.components.memory.dram.state import NO_ROW, ChannelState
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram, DramTiming

# Every parameter has a value of its own, far enough from the others to decide alone; JEDEC relations hold.
TIMING = (
    "timing.nCL=30",
    "timing.nCWL=20",
    "timing.nRCD=35",
    "timing.nRP=37",
    "timing.nRAS=300",
    "timing.nCCD_S=5",
    "timing.nCCD_L=9",
    "timing.nRRD_S=11",
    "timing.nRRD_L=13",
    "timing.nFAW=100",
    "timing.nWR=400",
    "timing.nRTP=350",
    "timing.nWTR_S=17",
    "timing.nWTR_L=23",
    "timing.nRTRS=3",
    "timing.nRFC=500",
    "timing.nREFI=9000",
)
START = 1000
BANKS_OF_A_GROUP = 4
OTHER_GROUP, OTHER_RANK = BANKS_OF_A_GROUP, 16
BURST = 4
READ, WRITE = 0, 1


def dram(*settings: str) -> Dram:
    return load("ddr4_2400_x64", Dram, (*TIMING, "ranks=2", *settings))


@pytest.fixture
def state() -> ChannelState:
    return ChannelState(dram())


def timing() -> DramTiming:
    return dram().timing


def opened(state: ChannelState, *banks: int) -> None:
    """Rows that were opened long ago."""
    for bank in banks:
        state.activate(-10_000 - 100 * bank, bank, 7)


AFTER_ACTIVATE: list[tuple[str, Callable[[ChannelState], int], Callable[[DramTiming], int]]] = [
    ("tRCD, read", lambda state: state.earliest_column(0, READ), lambda t: t.nRCD),
    ("tRCD, write", lambda state: state.earliest_column(0, WRITE), lambda t: t.nRCD),
    ("tRAS", lambda state: state.earliest_precharge(0), lambda t: t.nRAS),
    ("tRRD_L", lambda state: state.earliest_activate(1), lambda t: t.nRRD_L),
    ("tRRD_S", lambda state: state.earliest_activate(OTHER_GROUP), lambda t: t.nRRD_S),
]
AFTER_READ: list[tuple[str, Callable[[ChannelState], int], Callable[[DramTiming], int]]] = [
    ("tCCD_L", lambda state: state.earliest_column(1, READ), lambda t: t.nCCD_L),
    ("tCCD_S", lambda state: state.earliest_column(OTHER_GROUP, READ), lambda t: t.nCCD_S),
    ("tRTW", lambda state: state.earliest_column(0, WRITE), lambda t: t.nCL + BURST + 2 - t.nCWL),
    ("tRTP", lambda state: state.earliest_precharge(0), lambda t: t.nRTP),
    ("rank to rank, read", lambda state: state.earliest_column(OTHER_RANK, READ), lambda t: BURST + t.nRTRS),
    (
        "rank to rank, write",
        lambda state: state.earliest_column(OTHER_RANK, WRITE),
        lambda t: t.nCL + BURST + t.nRTRS - t.nCWL,
    ),
]
AFTER_WRITE: list[tuple[str, Callable[[ChannelState], int], Callable[[DramTiming], int]]] = [
    ("tWTR_L", lambda state: state.earliest_column(1, READ), lambda t: t.nCWL + BURST + t.nWTR_L),
    ("tWTR_S", lambda state: state.earliest_column(OTHER_GROUP, READ), lambda t: t.nCWL + BURST + t.nWTR_S),
    ("tCCD_L", lambda state: state.earliest_column(1, WRITE), lambda t: t.nCCD_L),
    ("tCCD_S", lambda state: state.earliest_column(OTHER_GROUP, WRITE), lambda t: t.nCCD_S),
    ("tWR", lambda state: state.earliest_precharge(0), lambda t: t.nCWL + BURST + t.nWR),
    ("rank to rank, write", lambda state: state.earliest_column(OTHER_RANK, WRITE), lambda t: BURST + t.nRTRS),
]


def assert_legal_from(earliest: int, distance: int) -> None:
    """Legal at t, illegal at t - 1."""
    assert earliest <= START + distance
    assert earliest > START + distance - 1


@pytest.mark.parametrize(
    ("earliest", "distance"), [case[1:] for case in AFTER_ACTIVATE], ids=[case[0] for case in AFTER_ACTIVATE]
)
def test_after_an_activate(
    state: ChannelState, earliest: Callable[[ChannelState], int], distance: Callable[[DramTiming], int]
) -> None:
    """tRCD, tRAS, tRRD_L, tRRD_S."""
    state.activate(START, 0, 7)
    assert_legal_from(earliest(state), distance(timing()))


@pytest.mark.parametrize(
    ("earliest", "distance"), [case[1:] for case in AFTER_READ], ids=[case[0] for case in AFTER_READ]
)
def test_after_a_read(
    state: ChannelState, earliest: Callable[[ChannelState], int], distance: Callable[[DramTiming], int]
) -> None:
    """tCCD_L, tCCD_S, tRTW, tRTP, change of rank."""
    opened(state, 0, 1, OTHER_GROUP, OTHER_RANK)
    assert state.column(START, 0, READ) == START + timing().nCL + BURST
    assert_legal_from(earliest(state), distance(timing()))


@pytest.mark.parametrize(
    ("earliest", "distance"), [case[1:] for case in AFTER_WRITE], ids=[case[0] for case in AFTER_WRITE]
)
def test_after_a_write(
    state: ChannelState, earliest: Callable[[ChannelState], int], distance: Callable[[DramTiming], int]
) -> None:
    """tWTR_L, tWTR_S, tCCD_L, tCCD_S, tWR, change of rank."""
    opened(state, 0, 1, OTHER_GROUP, OTHER_RANK)
    assert state.column(START, 0, WRITE) == START + timing().nCWL + BURST
    assert_legal_from(earliest(state), distance(timing()))


def test_precharge_to_activate(state: ChannelState) -> None:
    opened(state, 0)
    state.precharge(START, 0)
    assert_legal_from(state.earliest_activate(0), timing().nRP)


def test_precharge_to_precharge() -> None:
    """tPPD, of the rank, and nothing where it is 1; an access that closes its row (auto-precharge) has no command."""
    state = ChannelState(dram("timing.nPPD=29"))
    opened(state, 0, 1, OTHER_GROUP, OTHER_RANK)
    state.precharge(START, 0)
    assert_legal_from(state.earliest_precharge(1), 29)
    assert_legal_from(state.earliest_precharge(OTHER_GROUP), 29)
    assert state.earliest_precharge(OTHER_RANK) <= START
    by_itself, free = ChannelState(dram("timing.nPPD=29")), ChannelState(dram())
    for other in (by_itself, free):
        opened(other, 0, 1)
        other.precharge(START, 0, command=other is free)
        assert other.earliest_precharge(1) <= START


def test_a_fifth_activate_waits_for_the_window_of_four(state: ChannelState) -> None:
    """tFAW counts from the first of the last four; another rank does not care."""
    for index in range(4):
        state.activate(START + 20 * index, index * BANKS_OF_A_GROUP, 7)
    assert_legal_from(state.earliest_activate(1), timing().nFAW)
    assert state.earliest_activate(OTHER_RANK) <= START


def test_a_refresh_closes_rows_and_takes_trfc(state: ChannelState) -> None:
    opened(state, 0, 1)
    state.refresh(START, 0)
    assert state.open_row[:2] == [NO_ROW, NO_ROW]
    assert_legal_from(state.earliest_activate(0), timing().nRP + timing().nRFC)
    assert state.earliest_activate(OTHER_RANK) <= START


def test_a_refresh_of_closed_banks_takes_trfc_alone(state: ChannelState) -> None:
    state.refresh(START, 0)
    assert_legal_from(state.earliest_activate(0), timing().nRFC)


def test_a_refresh_waits_until_a_row_may_be_closed(state: ChannelState) -> None:
    state.activate(START - 100, 0, 7)
    state.refresh(START, 0)
    assert_legal_from(state.earliest_activate(0), timing().nRAS - 100 + timing().nRP + timing().nRFC)


def test_read_to_write_can_be_given() -> None:
    state = ChannelState(dram("timing.nRTW=41"))
    opened(state, 0)
    state.column(START, 0, READ)
    assert_legal_from(state.earliest_column(0, WRITE), 41)


def test_rows_count_as_open_from_the_first_to_the_last(state: ChannelState) -> None:
    state.activate(100, 0, 7)
    state.activate(150, OTHER_GROUP, 7)
    state.precharge(450, 0)
    assert state.open_cycles(500) == 400
    state.precharge(600, OTHER_GROUP)
    assert state.open_cycles(1000) == 500
