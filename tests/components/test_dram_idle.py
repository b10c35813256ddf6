"""Refresh of one bank at a time, pages that close by themselves, and what a channel does that has nothing to do."""

from __future__ import annotations

import pytest

from soc_sim.components.memory.dram.model import DramModel
from soc_sim.components.memory.dram.replay import Replay, Request, replay
from soc_sim.components.memory.dram.state import ChannelState
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.energy.counts import MemoryCounts
from soc_sim.energy.dram import parts_pj
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Simulation
from soc_sim.testing.fakes import Completions

LINE = 64
PER_BANK = ("controller.refresh=per_bank", "timing.nRFC_PB=110")
DOWN = ("controller.power_down_after_cycles=50", "timing.nXP=8")
BY_ITSELF = ("controller.self_refresh_after_cycles=5000", "timing.nXS=400")


def dram(*overrides: str) -> Dram:
    return load("ddr4_2400_x64", Dram, overrides)


def two_reads(gap_cycles: int, *overrides: str, address: int = LINE) -> Replay:
    """One read at once, another one ``gap_cycles`` later, of the same row if not told otherwise."""
    description = dram(*overrides)
    late_ps = gap_cycles * description.timing.tck_ps
    return replay(description, [Request(0, 0, LINE, False), Request(late_ps, address, LINE, False)])


def test_refresh_of_one_bank_leaves_the_others_alone() -> None:
    state = ChannelState(dram())
    state.refresh_banks(1000, range(3, 4), 110)
    assert state.earliest_activate(3) == 1110
    assert state.earliest_activate(2) <= 1000


def test_every_bank_is_refreshed_once_in_trefi() -> None:
    """16 banks: 16 times as many refreshes; the first after a sixteenth of the interval."""
    description = dram(*PER_BANK)
    late_ps = 3 * description.timing.nREFI * description.timing.tck_ps
    assert replay(description, [Request(late_ps, 0, LINE, False)]).refreshes == 3 * 16


def test_a_stream_over_all_banks_loses_less_to_refreshes_of_one_bank() -> None:
    """All-bank refreshes cost at least tRFC of tREFI; with one bank refreshed, the others go on."""
    requests = [Request(0, address, LINE, False) for address in range(0, 2**20, LINE)]
    shares = []
    for overrides in ((), PER_BANK):
        description = dram("mapping=robacobg", *overrides)
        shares.append(1 - len(requests) * 4 / replay(description, requests).cycles)
    timing = dram().timing
    assert shares[0] > timing.nRFC / timing.nREFI
    assert shares[1] < shares[0]


def test_adaptive_pages_stay_open_while_nobody_wants_another_row() -> None:
    hits = {policy: two_reads(1000, f"controller.page_policy={policy}").row_hits for policy in ("adaptive", "closed")}
    assert hits == {"adaptive": 1, "closed": 0}


def test_adaptive_pages_close_with_the_last_access_where_another_row_is_wanted() -> None:
    """The precharge needs no slot on the command bus: the second row opens as with closed pages."""
    requests = [Request(0, row * 2**17, LINE, False) for row in (0, 1)]
    outcomes = {
        policy: replay(dram(f"controller.page_policy={policy}"), requests) for policy in ("adaptive", "closed", "open")
    }
    assert outcomes["adaptive"].cycles == outcomes["closed"].cycles <= outcomes["open"].cycles
    assert outcomes["adaptive"].row_conflicts == 1


def test_a_channel_that_wakes_up_needs_txp() -> None:
    """And has slept from the set time after the last data until the second read arrived."""
    awake, slept = two_reads(1000), two_reads(1000, *DOWN)
    assert slept.read_latency_cycles - awake.read_latency_cycles == 8
    first_end = awake.read_latency_cycles - dram().timing.nCL - 4 - 1  # the second read is a hit
    # It is accepted in cycle 1000 and can be served from the next on; the row stays open meanwhile.
    assert slept.active_power_down_cycles == 1001 - (first_end + 50)
    assert slept.precharged_power_down_cycles == 0
    assert two_reads(60, *DOWN).read_latency_cycles == two_reads(60).read_latency_cycles


def test_refreshes_go_on_in_power_down_and_count_as_awake() -> None:
    timing = dram().timing
    gap = 2 * timing.nREFI + 4000
    result = two_reads(gap, *DOWN)
    asleep = result.active_power_down_cycles + result.precharged_power_down_cycles
    assert result.refreshes == 2
    assert gap - 200 - 2 * timing.nRFC <= asleep <= gap - 50 - 2 * timing.nRFC


def test_a_memory_that_refreshes_itself_gets_no_refreshes_and_needs_txs() -> None:
    """Its rows are closed, so the second read is a miss; refreshes start anew when it wakes up."""
    gap, timing = 5 * dram().timing.nREFI, dram().timing
    result = two_reads(gap, *DOWN, *BY_ITSELF)
    assert result.refreshes == 0
    assert result.row_misses == 2
    assert result.cycles == gap + 1 + 400 + timing.nRCD + timing.nCL + 4
    assert gap - 5000 - 100 <= result.self_refresh_cycles <= gap - 5000
    assert result.active_power_down_cycles == 5000 - 50


def test_rows_of_a_memory_that_ends_asleep_are_closed() -> None:
    """From the activate in its first cycle until it begins to refresh itself, and not to the end of the run."""
    description = dram(*BY_ITSELF)
    tck_ps, read_cycles = description.timing.tck_ps, description.timing.nRCD + description.timing.nCL + 4
    simulation = Simulation()
    memory = DramModel(simulation, "dram", description)
    memory.submit(Completions(simulation).read(0, LINE))
    simulation.call_at(20_000 * tck_ps, lambda: None)
    simulation.run(lambda: True)
    memory.finish()
    counters = memory.counters()
    assert counters["self_refresh_ps"] == (20_000 - read_cycles - 5000) * tck_ps
    assert counters["active_ps"] == (read_cycles + 5000) * tck_ps


def test_sleep_costs_what_its_currents_say() -> None:
    """Devices · VDD · (IDD3P, IDD2P, IDD6) · time; standby only for the rest of the time."""
    description = dram("currents.idd2p=20 mA", "currents.idd3p=30 mA", "currents.idd6=10 mA")
    currents = description.currents
    assert currents is not None
    counts = MemoryCounts(active_ps=400, active_power_down_ps=100, precharged_power_down_ps=200, self_refresh_ps=300)
    parts = parts_pj(description, currents, counts, 1000)
    milliwatts = currents.devices * currents.vdd_v
    assert parts["active_power_down"] == pytest.approx(milliwatts * 30 * 100 / 1000)
    assert parts["precharged_power_down"] == pytest.approx(milliwatts * 20 * 200 / 1000)
    assert parts["self_refresh"] == pytest.approx(milliwatts * 10 * 300 / 1000)
    assert parts["active_standby"] == pytest.approx(milliwatts * currents.idd3n_ma * 300 / 1000)
    assert parts["precharged_standby"] == pytest.approx(milliwatts * currents.idd2n_ma * 100 / 1000)


@pytest.mark.parametrize(
    ("setting", "needed"),
    [
        ("refresh=per_bank", "nRFC_PB"),
        ("power_down_after_cycles=10", "nXP"),
        ("self_refresh_after_cycles=10", "nXS"),
    ],
)
def test_what_a_setting_needs_must_be_given(setting: str, needed: str) -> None:
    with pytest.raises(ConfigurationError, match=f"needs timing.{needed}"):
        dram(f"controller.{setting}")
