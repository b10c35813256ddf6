"""Power over time in a trace is that of the result: its integral is each component's energy."""

from __future__ import annotations

import numpy as np
import pytest

import soc_sim
from soc_sim.config.loader import load
from soc_sim.config.run import Run
from soc_sim.facade import simulate_run
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import Selection
from soc_sim.observe.trace.timeline import Timeline


@pytest.mark.parametrize(
    ("soc", "overrides"),
    [("edge_16x16", []), ("mcu_8x8", []), ("mcu_8x8", ["weight_memory.read_pj_per_byte=null"])],
)
def test_power_integrates_to_the_energy(soc: str, overrides: list[str]) -> None:
    """A component whose energy is unknown (a weight memory without a price) has no power that would pass for zero."""
    result = soc_sim.simulate(soc_sim.load_soc(soc, overrides), soc_sim.load_network("resnet8"))
    timeline = result.timeline(Selection(frozenset(("counters",)), ("power",)))
    counters = [track.name for track in timeline.tables.tracks]
    assert sorted(counters) == sorted(f"power.{name}" for name, joules in result.energy.items() if joules is not None)
    for name in counters:
        samples = timeline.counter(name)
        spans_s = np.diff(np.append(samples.times_ps, timeline.end_ps)) * 1e-12
        energy_j = result.energy[name.removeprefix("power.")]
        assert spans_s @ samples.values == pytest.approx(energy_j, rel=1e-6, abs=1e-18)


def test_power_is_traced_with_the_run() -> None:
    """In the run itself as in one that is made again: the same samples, and the same end."""
    timeline = Timeline()
    run = load({"soc": "mcu_8x8", "workload": {"network": "resnet8"}}, Run)
    result = simulate_run(run, recorder=TraceRecorder(timeline))
    again = result.timeline()
    assert timeline.end_ps == again.end_ps == result.latency_ps
    assert timeline.counter("power.array").values.tolist() == again.counter("power.array").values.tolist()
    assert len(timeline) == len(again)
