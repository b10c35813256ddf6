"""A DRAM at another clock: its timing in cycles of that, and what waits while the clock changes.

Modelled: what is a time in nanoseconds takes as many cycles as it needs, never less than the standards ask for in
cycles; what is a number of cycles keeps it (bursts, tCCD_S, tPPD, change of rank); the interval of refreshes stays the
same time. Cycles are rounded as JESD79-4 does it (none is counted for less than 2.6 % of it).
Smallest numbers of cycles: tRRD 4, tRTP and tWTR (of one bank group) half a burst, tWTR_S half of that where there are
bank groups, tXP 5, tCCD_L one more than tCCD_S (JESD79-3, JESD79-4, JESD209-3 and JESD209-4, timing tables).
Left out: latencies that a standard's table of speeds makes longer than the time they stand for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from soc_sim.config.memory import Dram, DramTiming

_GUARD = 974
"""Thousandths of a cycle that are added before rounding down."""
_TIMES = ("nCL", "nCWL", "nRCD", "nRP", "nRAS", "nFAW", "nWR", "nRFC", "nRFC_PB", "nXS")
_LEAST_RRD = 4
_LEAST_XP = 5


class ClockChange(NamedTuple):
    """A change that has been asked for."""

    tck_ps: int
    stop_ps: int
    """From when all banks are closed to the first edge of the new clock."""
    changed: Callable[[int, int], None]
    """Is told when the new clock begins, and how many cycles of the earlier ones there were."""


def at_clock(description: Dram, tck_ps: int) -> Dram:
    """The same devices at a slower clock."""
    if tck_ps == description.timing.tck_ps:
        return description
    return description.model_copy(update={"timing": _timing(description.timing, tck_ps, description.burst_cycles)})


def _timing(timing: DramTiming, tck_ps: int, burst_cycles: int) -> DramTiming:
    def cycles(name: str, least: int = 1) -> int | None:
        given: int | None = getattr(timing, name)
        if given is None:
            return None
        return max(min(given, least), (given * timing.tck_ps * 1000 // tck_ps + _GUARD) // 1000)

    grouped = timing.nWTR_S < timing.nWTR_L
    update: dict[str, int | None] = {
        "tck_ps": tck_ps,
        **{name: cycles(name) for name in _TIMES},
        "nCCD_L": cycles("nCCD_L", timing.nCCD_S + 1),
        "nRRD_S": cycles("nRRD_S", _LEAST_RRD),
        "nRRD_L": cycles("nRRD_L", _LEAST_RRD),
        "nRTP": cycles("nRTP", burst_cycles),
        "nWTR_S": cycles("nWTR_S", burst_cycles // 2 if grouped else burst_cycles),
        "nWTR_L": cycles("nWTR_L", burst_cycles),
        "nXP": cycles("nXP", _LEAST_XP),
        "nREFI": timing.nREFI * timing.tck_ps // tck_ps,
    }
    slower = timing.model_copy(update=update)
    # What is closed one by one is open for long enough.
    update["nPPD"] = min(timing.nPPD, slower.nRAS)
    if timing.nRTW is not None:
        # The gap on the bus stays.
        update["nRTW"] = max(1, timing.nRTW + slower.nCL - timing.nCL - slower.nCWL + timing.nCWL)
    return timing.model_copy(update=update)
