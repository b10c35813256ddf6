"""Power over time, from when instructions ran: no event more.

An action is taken to happen at a constant rate while its instruction runs; commands of a memory follow the bytes that
were asked of it, leakage and standby go on all the time. The energy done up to a time is then a polygon for each
driver, and so the highest mean power over a window of given length is found exactly: at one of the polygons' corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soc_sim.energy.lines import J_PER_PJ, Driver
from soc_sim.energy.run import RunEnergy
from soc_sim.energy.spread import Floats
from soc_sim.units import PS_PER_S


@dataclass(frozen=True)
class Power:
    """Power of a run; components whose energy is unknown are left out."""

    average_w: float
    peak_w: float
    """Highest mean over ``window_s``."""
    peak_at_s: float
    """Where that window begins."""
    window_s: float
    """Length of the window; the whole run where that is shorter."""
    times_s: list[float]
    """Borders of the samples."""
    components_w: dict[str, list[float]]
    """Component → mean power between two borders each."""


def power_of(energy: RunEnergy, window_ps: int, samples: int) -> Power:
    """Power over a run.

    Args:
        energy: What the run cost.
        window_ps: Over what time the peak is a mean.
        samples: Into how many equal parts of the run the series is divided.
    """
    makespan_ps = energy.record.makespan_ps
    by_driver = _by_driver(energy)
    totals = {driver: sum(components.values()) for driver, components in by_driver.items()}
    if not makespan_ps or not samples:
        return Power(0.0, 0.0, 0.0, 0.0, [], {})
    borders = np.linspace(0, makespan_ps, samples + 1)
    # Nothing takes energy back: what is less than zero is rounding.
    parts = {driver: np.maximum(0.0, np.diff(energy.spreads[driver].until(borders))) for driver in by_driver}
    span_s = makespan_ps / samples / PS_PER_S
    series = {name: np.zeros(samples) for components in by_driver.values() for name in components}
    for driver, components in by_driver.items():
        for name, joules in components.items():
            series[name] += parts[driver] * joules
    window_ps = min(window_ps, makespan_ps)
    begin_ps, peak_j = _peak(energy, totals, window_ps)
    return Power(
        average_w=sum(totals.values()) * PS_PER_S / makespan_ps,
        peak_w=peak_j * PS_PER_S / window_ps,
        peak_at_s=begin_ps / PS_PER_S,
        window_s=window_ps / PS_PER_S,
        times_s=[float(time) / PS_PER_S for time in borders],
        components_w={name: [float(joules) / span_s for joules in values] for name, values in series.items()},
    )


def _by_driver(energy: RunEnergy) -> dict[Driver, dict[str, float]]:
    """Driver → component → joules."""
    found: dict[Driver, dict[str, float]] = {}
    known = {name for name, joules in energy.estimate.by_component.items() if joules is not None}
    for line in energy.estimate.lines:
        if line.component in known:
            components = found.setdefault(line.driver, {})
            components[line.component] = components.get(line.component, 0.0) + line.energy_pj * J_PER_PJ
    return found


def _peak(energy: RunEnergy, totals: dict[Driver, float], window_ps: int) -> tuple[float, float]:
    """(start, energy) of the window with most energy; the first of equals."""
    last_ps = energy.record.makespan_ps - window_ps
    corners = np.concatenate([energy.spreads[driver].times_ps for driver in totals if totals[driver]] or [np.zeros(1)])
    starts = np.unique(np.clip(np.concatenate([[0.0], corners, corners - window_ps]), 0, last_ps))
    done: Floats = np.zeros(len(starts))
    for driver, joules in totals.items():
        spread = energy.spreads[driver]
        done += joules * (spread.until(starts + window_ps) - spread.until(starts))
    best = int(np.argmax(done))
    return float(starts[best]), float(done[best])
