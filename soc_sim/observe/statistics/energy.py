"""Energy, its range and its lines, and power over time, as the document shows them."""

from __future__ import annotations

from typing import Any

from soc_sim.config.power import PowerReport
from soc_sim.energy.model import EnergyEstimate
from soc_sim.energy.power import power_of
from soc_sim.energy.run import RunEnergy
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S


def energy_statistics(run: RunEnergy, record: RunRecord, report: PowerReport | None) -> dict[str, Any]:
    """Keys of the document about energy; each line of ``energy_actions`` costs ``count`` times ``pj``."""
    energy, report = run.estimate, report or PowerReport()
    power = power_of(run, report.window_ps, report.samples)
    total = energy.total_range_j
    ranges = {name: None if span is None else _range(span) for name, span in energy.range_j.items()}
    return {
        "energy_j": energy.total_j,
        "energy": energy.by_component,
        "energy_range_j": {"total": None if total is None else _range(total), **ranges},
        "energy_actions": [
            {
                "component": line.component,
                "action": line.action,
                "unit": line.unit,
                "count": line.count,
                "pj": line.pj,
                "low_pj": line.low_pj,
                "high_pj": line.high_pj,
                "voltage_v": line.voltage_v,
            }
            for line in energy.lines
        ],
        "power": {
            "average_w": power.average_w,
            "peak_w": power.peak_w,
            "window_s": power.window_s,
            "peak_at_s": power.peak_at_s,
            "samples": {"time_s": power.times_s, "components_w": power.components_w},
        },
        "domains": {name: _domain(record, name) for name in record.phases},
    }


def _domain(record: RunRecord, name: str) -> dict[str, Any]:
    """Residency: at which frequencies and voltages a clock domain was, and for how long."""
    phases = record.phases[name]
    ends_ps = [*(phase.start_ps for phase in phases[1:]), record.makespan_ps]
    idle: dict[str, float] = {}
    if name == record.soc.domain_of("array").name:
        for core in record.cores:
            for state, from_ps, until_ps in core.idle_spans:
                idle[state] = idle.get(state, 0.0) + (until_ps - from_ps) / PS_PER_S / len(record.cores)
    return {
        "transitions": len(phases) - 1,
        "idle_state_s": idle,
        "phases": [
            {
                "from_s": phase.start_ps / PS_PER_S,
                "time_s": max(0, end_ps - phase.start_ps) / PS_PER_S,
                "clock_hz": phase.clock_hz,
                "voltage_v": phase.voltage_v,
            }
            for phase, end_ps in zip(phases, ends_ps, strict=True)
        ],
    }


def without_total(energy: EnergyEstimate) -> list[str]:
    """Say what is null, and why: a sum without one of its parts would pass for the whole."""
    if energy.total_j is not None:
        return []
    unknown = ", ".join(name for name, joules in energy.by_component.items() if joules is None)
    return [f"energy_j is null, of the run and of each layer, because the energy of {unknown} is unknown"]


def _range(span: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("low", "high"), span, strict=True))
