"""Power over time as counters of a trace. It is known after the run only, so that the end of the trace waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soc_sim.config.soc import Soc
from soc_sim.energy.counts import Counts, MemoryCounts
from soc_sim.energy.model import estimate
from soc_sim.kernel import Counter, Detail, Recorder, Requests, Track
from soc_sim.units import PS_PER_S


class PowerRecorder:
    """Passes on what a recorder is told, and adds ``power.COMPONENT`` for each component whose energy is known."""

    def __init__(self, recorder: Recorder, soc: Soc) -> None:
        self._recorder = recorder
        self._soc = soc
        self._counters: dict[str, Counter] = {}
        self._makespan_ps = 0

    def track(self, name: str, detail: Detail) -> Track | None:
        """As the recorder has it."""
        return self._recorder.track(name, detail)

    def counter(self, name: str, unit: str) -> Counter | None:
        """As the recorder has it."""
        return self._recorder.counter(name, unit)

    def requests(self, name: str) -> Requests | None:
        """As the recorder has them."""
        return self._recorder.requests(name)

    def begin(self, layers: Sequence[str]) -> None:
        """Ask for the counters, and begin."""
        for name in _known(self._soc):
            counter = self._recorder.counter(f"power.{name}", "W")
            if counter is not None:
                self._counters[name] = counter
        self._recorder.begin(layers)

    def end(self, makespan_ps: int) -> None:
        """The run has ended; the trace ends with :meth:`finish`."""
        self._makespan_ps = makespan_ps

    def finish(self, document: Mapping[str, Any]) -> None:
        """Tell the mean power between each two borders (``power.samples`` of a run's document), and end."""
        samples = document["power"]["samples"]
        times_s, components_w = samples["time_s"], samples["components_w"]
        for name, counter in self._counters.items():
            for time_s, power_w in zip(times_s, components_w.get(name, ()), strict=False):
                counter.set(round(time_s * PS_PER_S), power_w)
        self._recorder.end(self._makespan_ps)


def _known(soc: Soc) -> list[str]:
    """Components whose energy has a price."""
    moved = MemoryCounts(read_bytes=1, written_bytes=1)
    # A memory that cannot be written needs no price of a write.
    weights = (
        MemoryCounts(read_bytes=1) if getattr(soc.weight_memory, "write_bandwidth_bytes_per_s", 1) is None else moved
    )
    counts = Counts(elapsed_ps=1, dram=moved, weight_memory=weights, system_sram=moved)
    return [name for name, joules in estimate(soc, counts).by_component.items() if joules is not None]
