"""Energy of DRAM commands from the supply currents of a datasheet.

The formulas are those of Micron's power calculation (TN-40-07, "Calculating Memory Power for DDR4 SDRAM") in the form
in which DRAMsim3 counts them (umd-memsys/DRAMsim3, src/configuration.cc): what a command draws above the standby
current of the state the device is in, times supply, devices and duration. mA · V · ns = pJ.

Power-down draws IDD3P or IDD2P instead of standby, self-refresh IDD6.

Left out: the second supply of devices that have one (fold it into the currents),
termination, and the interface, for which a description has a figure of its own (``io_pj_per_bit``).
"""

from __future__ import annotations

from soc_sim.config.memory import Dram, DramCurrents, DramTiming
from soc_sim.energy.counts import MemoryCounts

_PJ_PER_MW_PS = 1e-3


def parts_pj(memory: Dram, currents: DramCurrents, counts: MemoryCounts, elapsed_ps: int) -> dict[str, float]:
    """What ``counts`` cost, by part; ``interface`` only where the description has a figure for it."""
    return {part: count * pj for part, _, count, pj in actions(memory, currents, counts, elapsed_ps)}


def actions(
    memory: Dram, currents: DramCurrents, counts: MemoryCounts, elapsed_ps: int
) -> list[tuple[str, str, int, float]]:
    """(part, unit of its count, count, energy of each) of all parts."""
    timing = memory.timing
    standby_ps = memory.channels * memory.ranks * elapsed_ps
    active_ps = counts.active_ps - counts.active_power_down_ps
    precharged_ps = standby_ps - counts.active_ps - counts.precharged_power_down_ps - counts.self_refresh_ps
    # A refresh of one bank costs its share of that of all: the same rows are refreshed in the end.
    of_a_refresh = memory.banks if memory.controller.refresh == "per_bank" else 1
    parts = [
        ("activate", "command", counts.activates, activate_precharge_pj(currents, timing)),
        ("read", "command", counts.read_bursts, read_burst_pj(currents, timing, memory.burst_length)),
        ("write", "command", counts.write_bursts, write_burst_pj(currents, timing, memory.burst_length)),
        ("refresh", "command", counts.refreshes, refresh_pj(currents, timing) / of_a_refresh),
        ("active_standby", "ps", active_ps, active_mw(currents) * _PJ_PER_MW_PS),
        ("precharged_standby", "ps", precharged_ps, precharged_mw(currents) * _PJ_PER_MW_PS),
    ]
    asleep = (
        ("active_power_down", counts.active_power_down_ps, currents.idd3p_ma, currents.idd3n_ma),
        ("precharged_power_down", counts.precharged_power_down_ps, currents.idd2p_ma, currents.idd2n_ma),
        ("self_refresh", counts.self_refresh_ps, currents.idd6_ma, currents.idd2n_ma),
    )
    for part, time_ps, known_ma, standby_ma in asleep:
        if time_ps:
            current_ma = standby_ma if known_ma is None else known_ma
            parts.append((part, "ps", time_ps, currents.devices * currents.vdd_v * current_ma * _PJ_PER_MW_PS))
    if memory.io_pj_per_bit is not None:
        parts.append(("interface", "bit", (counts.read_bytes + counts.written_bytes) * 8, memory.io_pj_per_bit))
    return parts


def activate_precharge_pj(currents: DramCurrents, timing: DramTiming) -> float:
    """Opening and closing a row: IDD0·tRC − IDD3N·tRAS − IDD2N·tRP, with tRC = tRAS + tRP."""
    charge = (
        currents.idd0_ma * (timing.nRAS + timing.nRP) - currents.idd3n_ma * timing.nRAS - currents.idd2n_ma * timing.nRP
    )
    return _pj(currents, timing, charge)


def read_burst_pj(currents: DramCurrents, timing: DramTiming, burst_length: int) -> float:
    """One read of ``burst_length`` beats, two a cycle: (IDD4R − IDD3N)·BL/2."""
    return _pj(currents, timing, (currents.idd4r_ma - currents.idd3n_ma) * burst_length / 2)


def write_burst_pj(currents: DramCurrents, timing: DramTiming, burst_length: int) -> float:
    """One write of ``burst_length`` beats, two a cycle: (IDD4W − IDD3N)·BL/2."""
    return _pj(currents, timing, (currents.idd4w_ma - currents.idd3n_ma) * burst_length / 2)


def refresh_pj(currents: DramCurrents, timing: DramTiming) -> float:
    """One all-bank refresh: (IDD5 − IDD3N)·tRFC."""
    return _pj(currents, timing, (currents.idd5_ma - currents.idd3n_ma) * timing.nRFC)


def active_mw(currents: DramCurrents) -> float:
    """Standby of a rank with a bank open: IDD3N."""
    return currents.devices * currents.vdd_v * currents.idd3n_ma


def precharged_mw(currents: DramCurrents) -> float:
    """Standby of a rank with all banks closed: IDD2N."""
    return currents.devices * currents.vdd_v * currents.idd2n_ma


def _pj(currents: DramCurrents, timing: DramTiming, milliampere_cycles: float) -> float:
    return currents.devices * currents.vdd_v * milliampere_cycles * timing.tck_ps / 1000
