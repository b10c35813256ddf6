"""Order of commands: bounds from formulas, policies, and that steps of many bursts equal as many of one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.components.memory.dram.queues import Run
from soc_sim.components.memory.dram.replay import Replay, Request, replay
from soc_sim.components.memory.dram.scheduler import Scheduler
from soc_sim.components.memory.dram.streaming import StreamingScheduler
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.errors import ConfigurationError

LINE = 64


def dram(preset: str = "ddr4_2400_x64", *overrides: str) -> Dram:
    return load(preset, Dram, overrides)


def reads(*addresses: int, max_outstanding: int = 0, description: Dram | None = None) -> Replay:
    requests = [Request(0, address, LINE, False) for address in addresses]
    return replay(description or dram(), requests, max_outstanding)


NEVER_REFRESH = "timing.nREFI=1000000000"


def test_an_unloaded_read_takes_activate_column_access_and_burst() -> None:
    """And one cycle from its acceptance to the first command."""
    timing = dram().timing
    result = reads(0)
    assert result.read_latency_cycles == result.cycles == 1 + timing.nRCD + timing.nCL + 4


def test_a_page_is_bound_by_tccd_l_and_by_tccd_s_where_bank_groups_alternate() -> None:
    addresses = range(0, 2**19, LINE)
    timing = dram().timing
    cycles = {
        order: reads(*addresses, description=dram("ddr4_2400_x64", f"mapping={order}", NEVER_REFRESH)).cycles
        for order in ("robaracobg", "robabgraco")
    }
    assert cycles["robaracobg"] == pytest.approx(len(addresses) * timing.nCCD_S, rel=0.01)
    # With 32 reads in the queue, the end of a page overlaps with the beginning of the next in another bank group.
    one_page = reads(*range(0, 8192, LINE), description=dram("ddr4_2400_x64", NEVER_REFRESH)).cycles
    assert one_page == 1 + timing.nRCD + 127 * timing.nCCD_L + timing.nCL + 4


def test_rows_of_one_bank_are_bound_by_trc() -> None:
    description = dram("ddr4_2400_x64", NEVER_REFRESH)
    timing, stride = description.timing, description.row_bytes * description.banks
    count = 200
    result = reads(*(index * stride for index in range(count)), description=description)
    row_cycle = timing.nRAS + timing.nRP
    assert result.cycles == 1 + (count - 1) * row_cycle + timing.nRCD + timing.nCL + 4
    assert (result.row_misses, result.row_conflicts) == (1, count - 1)


def test_activates_are_bound_by_tfaw() -> None:
    """One burst a row, in all banks in turn: four activates in tFAW, longer than four times tRRD_S or tRC / 4."""
    description = dram("ddr4_2400_x64", NEVER_REFRESH, "timing.nFAW=80", "mapping=rocobabg")
    addresses = [LINE * index + 2**20 * (index // 16) for index in range(800)]
    result = reads(*addresses, description=description)
    assert result.activates == len(addresses)
    assert result.cycles == pytest.approx(len(addresses) / 4 * 80, rel=0.02)


def test_refreshes_take_their_share() -> None:
    """tRFC of every tREFI, and closing and opening rows."""
    description = dram("lpddr4_3200_x32")
    timing, count = description.timing, 2**16
    result = reads(*range(0, count * LINE, LINE), description=description)
    assert result.refreshes == (result.cycles - 1) // timing.nREFI
    least = count * 8 / (1 - timing.nRFC / timing.nREFI)
    reopening = timing.nRAS + timing.nRP + timing.nRCD + timing.nCL
    assert least * 0.99 <= result.cycles <= least + (result.refreshes + 1) * reopening


def test_a_read_behind_a_write_waits_for_the_turnaround() -> None:
    """Write command at 1 + tRCD (it opened the row), read CWL + BL/2 + tWTR_L later."""
    timing = dram().timing
    result = replay(dram(), [Request(0, 0, LINE, True), Request(0, LINE, LINE, False)])
    assert result.cycles == 1 + timing.nRCD + timing.nCWL + 4 + timing.nWTR_L + timing.nCL + 4


def test_refreshes_of_ranks_take_turns() -> None:
    description = dram("ddr4_2400_x64", "ranks=2")
    late_ps = 10 * description.timing.nREFI * description.timing.tck_ps
    result = replay(description, [Request(late_ps, 0, LINE, False)])
    assert result.refreshes == 10 + 9


def test_an_older_request_closes_a_row_that_only_younger_ones_want() -> None:
    """Row 1 arrives before the second request to row 0, and while row 0 cannot be read for tCCD_L."""
    description = dram("ddr4_2400_x64", "timing.nRTP=1", "timing.nRAS=17", NEVER_REFRESH)
    scheduler = Scheduler(description)
    first, older, younger = (Run(0, row, 1, 0, None) for row in (0, 1, 0))
    for cycle, run in ((0, first), (15, older), (16, younger)):
        scheduler.advance(cycle)
        scheduler.push(cycle, run)
    scheduler.advance(1000)
    assert scheduler.completed == [first, older, younger]


def test_a_hit_that_is_older_keeps_its_row_open() -> None:
    scheduler = Scheduler(dram("ddr4_2400_x64", "timing.nRTP=1", "timing.nRAS=17", NEVER_REFRESH))
    runs = [Run(0, row, 1, 0, None) for row in (0, 0, 0, 1)]
    for run in runs:
        scheduler.push(0, run)
    scheduler.advance(1000)
    assert scheduler.completed == runs


def test_a_cap_on_hits_lets_an_older_request_in() -> None:
    """Hits that keep coming starve another row; a cap of 4 ends that."""

    def place(*overrides: str) -> int:
        scheduler = Scheduler(dram("ddr4_2400_x64", NEVER_REFRESH, *overrides))
        other = Run(0, 1, 1, 0, None)
        for index, run in enumerate([Run(0, 0, 1, 0, None), other, *(Run(0, 0, 1, 0, None) for _ in range(20))]):
            scheduler.advance(20 + index)
            scheduler.push(20 + index if index else 0, run)
        scheduler.advance(10_000)
        return scheduler.completed.index(other)

    assert place() == 21
    assert place("controller.row_hit_cap=4") <= 6
    assert place("controller.age_limit_cycles=30") < 21


def order_with_priority(gap: int, *overrides: str) -> list[int]:
    """Ten requests to rows of one bank, then one more ``gap`` cycles later with priority 1; numbers as they end."""
    scheduler = Scheduler(dram("ddr4_2400_x64", NEVER_REFRESH, *overrides))
    for number in range(10):
        scheduler.push(0, Run(0, number, 1, 0, number))
    scheduler.advance(gap)
    scheduler.push(gap, Run(0, 99, 1, 0, 10, priority=1))
    scheduler.advance(10_000)
    return [int(str(run.owner)) for run in scheduler.completed]


def test_a_priority_overtakes_what_arrived_a_little_earlier() -> None:
    """The row just opened is served first; of equals the numbers decide."""
    assert order_with_priority(1) == [0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_priority_overtakes_nothing_that_has_waited_for_longer_than_its_step() -> None:
    """So nobody starves: with steps of 20 cycles, what arrived 30 cycles earlier goes first."""
    assert order_with_priority(30, "controller.priority_cycles=20") == list(range(11))


def test_a_priority_enters_a_full_queue_first() -> None:
    order = order_with_priority(1, "controller.read_queue=4")
    assert order.index(10) <= 5


def test_writes_wait_until_their_queue_fills() -> None:
    """80 % of 32 bursts: the 26th write turns the controller to writes, the 7th last turns it back."""
    scheduler = Scheduler(dram("ddr4_2400_x64", NEVER_REFRESH))
    for index in range(30):
        scheduler.push(0, Run(index % 16, 0, 1, 0, None))
    for index in range(25):
        scheduler.push(0, Run(index % 16, 0, 1, 1, None))
    scheduler.step()
    assert scheduler.queued == [29, 25]
    scheduler.push(1, Run(0, 0, 1, 1, None))
    while len([run for run in scheduler.completed if run.write]) < 15:
        scheduler.step()
    assert [run.write for run in scheduler.completed].count(0) <= 10
    scheduler.advance(10_000)
    assert not scheduler.busy
    assert {run.write for run in scheduler.completed[-3:]} == {1}


def test_queues_of_banks_leave_room_in_the_common_one() -> None:
    """Two bursts behind each bank: four of one bank occupy two places, one of another none."""
    scheduler = Scheduler(dram("ddr4_2400_x64", "controller.read_queue=3", "controller.bank_queue=2"))
    for bank in (0, 0, 0, 0, 1):
        assert scheduler.has_room(0)
        scheduler.push(0, Run(bank, 0, 1, 0, None))
    scheduler.push(0, Run(0, 0, 1, 0, None))
    assert not scheduler.has_room(0)


def test_hits_beyond_a_banks_queue_are_not_seen() -> None:
    """A queue of one for each bank serves its requests in order."""

    def order(*overrides: str) -> list[int]:
        scheduler = Scheduler(dram("ddr4_2400_x64", NEVER_REFRESH, *overrides))
        for row in (0, 1, 0):
            scheduler.push(0, Run(0, row, 1, 0, None))
        scheduler.advance(1000)
        return [run.row for run in scheduler.completed]

    assert order() == [0, 0, 1]
    assert order("controller.bank_queue=1") == [0, 1, 0]


def test_closed_pages_turn_conflicts_into_misses() -> None:
    """Reads of other rows that come one by one need not wait for the precharge."""
    requests = [Request(index * 200_000, index * 8192 * 16, LINE, False) for index in range(30)]
    found = {
        policy: replay(dram("ddr4_2400_x64", f"controller.page_policy={policy}", NEVER_REFRESH), requests)
        for policy in ("open", "closed")
    }
    assert (found["open"].row_conflicts, found["closed"].row_conflicts) == (29, 0)
    saved = found["open"].read_latency_cycles - found["closed"].read_latency_cycles
    assert saved == 29 * dram().timing.nRP


def test_a_longer_queue_finds_more_hits() -> None:
    addresses = list(
        itertools.chain.from_iterable(zip(range(0, 2**16, LINE), range(2**24, 2**24 + 2**16, LINE), strict=True))
    )
    few = reads(*addresses, description=dram("ddr4_2400_x64", "controller.read_queue=2"))
    many = reads(*addresses)
    assert many.activates < few.activates
    assert many.cycles < few.cycles


ORDERS = ("rorababgco", "robaracobg", "rocobarabgch", "chrorababgco", "co")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("hashed", ["false", "true"])
def test_a_mapping_gives_every_burst_a_place_of_its_own(order: str, hashed: str) -> None:
    """Channel, bank, row and column identify a burst: no place takes more bursts than a row has."""
    description = dram(
        "ddr4_2400_x64", f"mapping={order}", f"hash_banks={hashed}", "channels=2", "ranks=2", "rows=4", "row=512 B"
    )
    mapping = AddressMapping(description)
    places: dict[tuple[int, int, int], int] = {}
    for address in range(0, description.capacity_bytes, description.burst_bytes):
        place = mapping.locate(address)
        places[place] = places.get(place, 0) + 1
    assert len(places) == 2 * 2 * 16 * 4
    assert set(places.values()) == {8}


HASHES = "address_hash=[{bit: 13, flipped_by: [14, 15]}, {bit: 7, flipped_by: [16]}]"


def test_hashed_addresses_have_places_of_their_own_too() -> None:
    """And the bits that are flipped are those of the formula: bit 13, a bank, by the parity of bits 14 and 15."""
    description = dram("ddr4_2400_x64", HASHES, "rows=4")
    hashed, plain = AddressMapping(description), AddressMapping(dram("ddr4_2400_x64", "rows=4"))
    places: dict[tuple[int, int, int], int] = {}
    for address in range(0, description.capacity_bytes, LINE):
        place = hashed.locate(address)
        places[place] = places.get(place, 0) + 1
        flipped = address ^ ((address >> 14 & 1) ^ (address >> 15 & 1)) << 13
        assert place == plain.locate(flipped ^ (flipped >> 16 & 1) << 7)
    assert set(places.values()) == {description.row_bytes // LINE}


def test_runs_of_hashed_addresses_lie_where_their_bursts_do() -> None:
    mapping = AddressMapping(dram("ddr4_2400_x64", HASHES))
    counted: dict[tuple[int, ...], int] = {}
    for channel, bank, row, bursts in mapping.runs(0, 2**17, 1, 0):
        counted[channel, bank, row] = counted.get((channel, bank, row), 0) + bursts
    expected: dict[tuple[int, ...], int] = {}
    for address in range(0, 2**17, LINE):
        expected[mapping.locate(address)] = expected.get(mapping.locate(address), 0) + 1
    assert counted == expected


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("[{bit: 13, flipped_by: [13]}]", "cannot flip itself"),
        ("[{bit: 3, flipped_by: [13]}]", "bit 3 is out of range; allowed: 6 to"),
        ("[{bit: 13, flipped_by: [60]}]", "bit 60 is out of range"),
    ],
)
def test_a_hash_of_impossible_bits_is_a_fault(setting: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        dram("ddr4_2400_x64", f"address_hash={setting}")


def test_the_lowest_part_of_a_mapping_changes_first() -> None:
    banks = [AddressMapping(dram("ddr4_2400_x64", "mapping=robacobg")).locate(index * LINE)[1] for index in range(5)]
    assert banks == [0, 4, 8, 12, 0]


@pytest.mark.parametrize("order", ["roro", "robabgc", "xx", "ROBA"])
def test_an_impossible_order_is_a_fault(order: str) -> None:
    with pytest.raises(ConfigurationError, match=f"mapping: '{order}' is no order"):
        dram("ddr4_2400_x64", f"mapping={order}")


RUN = st.tuples(
    st.integers(0, 31),
    st.integers(0, 2),
    st.integers(1, 40),
    st.integers(0, 1),
    st.integers(0, 300),
    st.sampled_from([0, 0, 0, 0, 1, 2]),
)
CONTROLLERS = (
    (),
    ("controller.page_policy=closed",),
    ("controller.row_hit_cap=4",),
    ("ranks=2",),
    ("controller.read_queue=8", "controller.write_queue=4"),
    ("timing.nREFI=700",),
    ("controller.bank_queue=4", "controller.read_queue=8"),
    ("controller.priority_cycles=30", "controller.read_queue=8"),
    ("controller.page_policy=adaptive",),
    ("controller.page_policy=closed", "controller.write_queue=2", "controller.drain_below=0"),
    ("controller.page_policy=closed", "controller.bank_queue=1", "controller.read_queue=8"),
    ("timing.nRTW=2", "timing.nCCD_L=10", "controller.write_queue=2", "controller.drain_above=0.3"),
    ("banks=1", "bank_groups=1", "timing.nREFI=700"),
    ("controller.refresh=per_bank", "timing.nRFC_PB=90", "timing.nREFI=700"),
    (
        "controller.power_down_after_cycles=20",
        "timing.nXP=12",
        "controller.self_refresh_after_cycles=90",
        "timing.nXS=70",
    ),
)


def one_at_a_time(description: Dram) -> StreamingScheduler:
    """Looks ahead as the short cut does, without taking it."""
    scheduler = StreamingScheduler(description)
    scheduler.takes_short_cuts = False
    return scheduler


@settings(max_examples=150)
@given(
    st.sampled_from(["ddr4_2400_x64", "lpddr4_3200_x32", "hbm2_2000_x128", "lpddr3_1600_x32"]),
    st.sampled_from(CONTROLLERS),
    st.lists(RUN, min_size=1, max_size=25),
    st.integers(0, 2),
)
def test_steps_of_many_bursts_equal_as_many_of_one(
    preset: str, overrides: tuple[str, ...], wanted: list[tuple[int, int, int, int, int]], looks: int
) -> None:
    """Same data times, commands and outlooks, also where steps are cut short by arrivals or looked at in between."""
    description = dram(preset, "controller.scheduling=fr_fcfs", *overrides)
    outcomes, outlooks = [], []
    for make in (Scheduler, one_at_a_time, StreamingScheduler):
        scheduler, cycle, runs = make(description), 0, []
        seen: list[tuple[int, int | None]] = []
        for bank, row, bursts, write, gap, priority in wanted:
            for look in range(looks):
                scheduler.advance(cycle + gap * look // looks)
                if isinstance(scheduler, StreamingScheduler):
                    at, foremost = scheduler.outlook()
                    seen.append((at, None if foremost is None else runs.index(foremost)))
            cycle += gap
            scheduler.advance(cycle)
            runs.append(Run(bank % (description.banks * description.ranks), row, bursts, write, None, priority))
            scheduler.push(cycle, runs[-1])
        scheduler.advance(cycle + 20_000)
        state = scheduler.state
        assert not scheduler.busy
        outcomes.append(
            (
                [(run.data_start, run.data_end, run.left) for run in runs],
                state.activates,
                state.conflicts,
                state.refreshes,
                state.bursts,
                state.open_cycles(cycle + 20_000),
                None if scheduler.power is None else scheduler.power.slept(cycle + 20_000),
            )
        )
        outlooks.append(seen)
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outlooks[1] == outlooks[2]


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 1), st.integers(0, 2), st.integers(1, 12), st.integers(0, 1)),
        min_size=1,
        max_size=60,
    )
)
def test_reads_stay_reads_and_writes_stay_writes(arrivals: list[tuple[int, int, int, int, int]]) -> None:
    """Also where a row was opened for a read and the controller has changed to writes since."""
    scheduler, cycle, expected = Scheduler(dram("lpddr4_3200_x32")), 0, [0, 0]
    for gap, bank, row, bursts, write in arrivals:
        cycle += gap
        scheduler.advance(cycle)
        scheduler.push(cycle, Run(bank, row, bursts, write, None))
        expected[write] += bursts
    scheduler.advance(cycle + 10**6)
    assert not scheduler.busy
    assert scheduler.state.bursts == expected


def test_writes_drained_down_to_nothing_give_way_to_reads() -> None:
    """A threshold of 0 means until none is left, not for ever."""
    scheduler = Scheduler(dram("ddr4_2400_x64", "controller.drain_below=0", "controller.write_queue=4"))
    runs = [Run(bank, 0, 1, write, None) for write in (1, 0) for bank in range(4)]
    for run in runs:
        scheduler.push(0, run)
    scheduler.advance(1000)
    assert scheduler.completed == runs


@pytest.mark.parametrize("make", [Scheduler, StreamingScheduler])
def test_a_row_stays_open_for_the_read_it_was_opened_for(make: type[Scheduler]) -> None:
    """A write to that row goes before, as another bank's read puts only reads off, and must not close it for others."""
    closed = ("controller.page_policy=closed", "controller.write_queue=2", "controller.drain_above=0.3")
    slow_reads = ("timing.nCCD_S=100", "timing.nCCD_L=100", "timing.nRTW=1")
    scheduler = make(dram("ddr4_2400_x64", *closed, *slow_reads, NEVER_REFRESH))
    before, opener = Run(4, 0, 1, 0, None), Run(0, 0, 1, 0, None)
    write, other = Run(0, 0, 1, 1, None), Run(0, 1, 1, 0, None)
    scheduler.push(0, before)
    scheduler.push(0, opener)
    scheduler.advance(dram().timing.nRCD + 1)
    scheduler.push(dram().timing.nRCD + 1, write)
    scheduler.push(dram().timing.nRCD + 1, other)
    scheduler.advance(10_000)
    assert scheduler.completed == [before, write, opener, other]


def test_the_only_bank_of_a_rank_is_refreshed_as_a_rank() -> None:
    """What then waits for its row waits for the refresh: row and refresh apart."""
    description = dram("ddr4_2400_x64", "banks=1", "bank_groups=1")
    scheduler, timing = Scheduler(description), description.timing
    run = Run(0, 0, 1, 0, None)
    scheduler.advance(timing.nREFI + 1)
    scheduler.push(timing.nREFI + 1, run)
    scheduler.advance(timing.nREFI + 2000)
    assert (run.refresh_cycles, run.row_cycles) == (timing.nRFC - 1, timing.nRCD)


def test_reads_of_all_channels_count_towards_the_limit() -> None:
    """Two may be outstanding: the third goes with the answer of the other channel, which comes first."""
    description = dram("ddr4_2400_x64", "channels=2", "channel_interleave=4 KiB", NEVER_REFRESH)
    timing = description.timing
    arrivals = ((0, 4096), (15, 0), (15 + timing.nRCD + 3, LINE))
    requests = [Request(cycle * timing.tck_ps, address, LINE, False) for cycle, address in arrivals]
    unloaded, hit = 1 + timing.nRCD + timing.nCL + 4, 1 + timing.nCL + 4
    result = replay(description, requests, 2)
    assert arrivals[2][0] < unloaded
    assert (result.cycles, result.read_latency_cycles) == (unloaded + hit, 2 * unloaded + hit)
