"""Traces made by hand, and what a traced run leaves, for the tests of formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from soc_sim.kernel import Detail
from soc_sim.observe.trace.columns import Sink
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import EVERYTHING, Selection
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.system import RunRecord


class One(NamedTuple):
    """A slice."""

    track: str
    name: str
    start_ps: int
    end_ps: int
    layer: int = 0
    instruction: int = -1
    waited_for: int = -1


def detail_of(track: str) -> Detail:
    return "layers" if track == "layers" else "stalls" if track.endswith(".stalls") else "tiles"


def record(
    sink: Sink,
    slices: Iterable[One] = (),
    samples: Iterable[tuple[str, int, float]] = (),
    *,
    tracks: Sequence[str] = (),
    layers: Sequence[str] = ("conv1", "conv2"),
    selection: Selection = EVERYTHING,
    end_ps: int | None = None,
) -> None:
    """Tell a recorder about slices and samples, in this order; ``tracks`` have tracks whether they are busy or not.

    The run ends with the last slice, unless ``end_ps`` says when.
    """
    recorder = TraceRecorder(sink, selection=selection)
    slices, samples = list(slices), list(samples)
    names = dict.fromkeys([*tracks, *(one.track for one in slices)])
    to = {name: recorder.track(name, detail_of(name)) for name in names}
    counters = {name: recorder.counter(name, "byte") for name in dict.fromkeys(name for name, *_ in samples)}
    recorder.begin(layers)
    for track, *values in slices:
        if (chosen := to[track]) is not None:
            chosen.slice(*values)
    for name, time_ps, value in samples:
        if (counter := counters[name]) is not None:
            counter.set(time_ps, value)
    recorder.end(max((one.end_ps for one in slices), default=0) if end_ps is None else end_ps)


@dataclass(frozen=True)
class Traced:
    """A run, what it counted itself, and its traces."""

    record: RunRecord
    timeline: Timeline
    files: dict[str, Path]
    """Suffix → file."""

    @property
    def counts(self) -> dict[str, int]:
        """Track → slices."""
        slices, tracks = self.timeline.all_slices(), self.timeline.tables.tracks
        return {
            track.name: int((slices.tracks == number).sum())
            for number, track in enumerate(tracks)
            if track.detail != "counters" and (slices.tracks == number).any()
        }
