"""Energy of DRAM commands against hand calculation and against DRAMsim3."""

from __future__ import annotations

import pytest

from soc_sim.config.loader import load
from soc_sim.config.memory import Dram, DramCurrents, DramTiming
from soc_sim.energy.dram import (
    activate_precharge_pj,
    active_mw,
    precharged_mw,
    read_burst_pj,
    refresh_pj,
    write_burst_pj,
)

# memory, requests of 64 bytes read, written → cycles, activates, refreshes and energy in nJ (device core only) of
# DRAMsim3, commit 29817593b338, open page, all-bank refresh: 8 MiB in order, and 8192 requests at random in 64 MiB.
DRAMSIM3 = [
    ("ddr4_2400", 131072, 0, 551620, 1376, 58, 618667.6659),
    ("ddr4_2400", 0, 131072, 553268, 1362, 59, 569537.2299),
    ("ddr4_2400", 8192, 0, 55805, 8121, 5, 74735.9577),
    ("lpddr4_3200", 131072, 0, 1146556, 2469, 183, 420071.9621),
    ("lpddr4_3200", 0, 131072, 1149255, 2470, 183, 326482.8057),
    ("lpddr4_3200", 0, 8192, 146298, 8209, 23, 43751.9458),
    ("lpddr3_1600", 131072, 0, 1122012, 2618, 359, 410835.8535),
    ("ddr3_1600", 131072, 0, 1089696, 2318, 174, 866297.1802),
    ("ddr3_1600", 8192, 0, 68651, 8208, 10, 78779.2163),
    ("hbm2", 0, 131072, 285123, 4473, 73, 166587.7800),
]


def dram(name: str) -> tuple[Dram, DramCurrents, DramTiming]:
    description = load(name, Dram)
    assert description.currents is not None
    return description, description.currents, description.timing


def test_ddr4_2400_commands_equal_the_hand_calculation() -> None:
    # Eight devices at 1.2 V and 0.833 ns: 9.6 V · 0.833 ns = 7.9968 pJ for each mA and cycle.
    description, currents, timing = dram("ddr4_2400")
    assert read_burst_pj(currents, timing, description.burst_length) == pytest.approx(7.9968 * (135 - 43) * 4)
    assert write_burst_pj(currents, timing, description.burst_length) == pytest.approx(7.9968 * (123 - 43) * 4)
    assert refresh_pj(currents, timing) == pytest.approx(7.9968 * (250 - 43) * 420)
    assert activate_precharge_pj(currents, timing) == pytest.approx(7.9968 * (48 * 56 - 43 * 39 - 34 * 17))
    assert active_mw(currents) == pytest.approx(9.6 * 43)
    assert precharged_mw(currents) == pytest.approx(9.6 * 34)


@pytest.mark.parametrize(("name", "reads", "writes", "cycles", "activates", "refreshes", "energy_nj"), DRAMSIM3)
def test_equal_commands_cost_what_they_cost_in_dramsim3(
    name: str, reads: int, writes: int, cycles: int, activates: int, refreshes: int, energy_nj: float
) -> None:
    """All rows are closed for tRP + tRFC at each refresh, otherwise one is always open."""
    description, currents, timing = dram(name)
    bursts = 64 // description.burst_bytes
    closed = refreshes * (timing.nRFC + timing.nRP)
    total_pj = (
        activates * activate_precharge_pj(currents, timing)
        + reads * bursts * read_burst_pj(currents, timing, description.burst_length)
        + writes * bursts * write_burst_pj(currents, timing, description.burst_length)
        + refreshes * refresh_pj(currents, timing)
        + (active_mw(currents) * (cycles - closed) + precharged_mw(currents) * closed) * timing.tck_ps / 1000
    )
    assert total_pj / 1000 == pytest.approx(energy_nj, rel=1e-3)
