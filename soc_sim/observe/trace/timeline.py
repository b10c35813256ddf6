"""A trace kept in memory, for reports, plots and notebooks: 56 bytes a slice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from soc_sim.observe.trace.columns import Samples, Slices, Tables
from soc_sim.observe.trace.lanes import Lane, Lanes


class Timeline:
    """A :class:`~soc_sim.observe.trace.columns.Sink` that keeps everything.

    >>> from soc_sim.observe.trace.recorder import TraceRecorder
    >>> timeline = Timeline()
    >>> recorder = TraceRecorder(timeline)
    >>> array = recorder.track("core0.array", "tiles")
    >>> recorder.begin(["conv1"])
    >>> array.slice("compute", 0, 5000, 0)
    >>> recorder.end(6000)
    >>> timeline.busy_ps()
    {'core0.array': 5000}
    """

    def __init__(self) -> None:
        self.tables = Tables()
        self.end_ps = 0
        """When the run ended."""
        self._slices: list[Slices] = []
        self._samples: list[Samples] = []

    def open(self, tables: Tables) -> None:
        """Keep the names."""
        self.tables = tables

    def slices(self, block: Slices) -> None:
        """Keep some slices."""
        self._slices.append(block)

    def samples(self, block: Samples) -> None:
        """Keep some samples."""
        self._samples.append(block)

    def close(self, end_ps: int) -> None:
        """Note the end."""
        self.end_ps = end_ps

    def __len__(self) -> int:
        return sum(len(block) for block in self._slices)

    def all_slices(self) -> Slices:
        """The columns of all slices, in the order of recording."""
        self._slices[:] = [Slices.joined(self._slices)]
        return self._slices[0]

    def all_samples(self) -> Samples:
        """The columns of all samples of counters."""
        self._samples[:] = [Samples.joined(self._samples)]
        return self._samples[0]

    def of(self, track: str) -> Slices:
        """The slices of one track in order of their start; they may overlap."""
        slices = self.all_slices()
        slices = slices[slices.tracks == self._number(track)]
        return slices[np.argsort(slices.starts_ps, kind="stable")]

    def counter(self, name: str) -> Samples:
        """The samples of one counter, in order of time."""
        samples = self.all_samples()
        chosen = samples.tracks == self._number(name)
        return Samples(samples.tracks[chosen], samples.times_ps[chosen], samples.values[chosen])

    def lanes(self) -> Iterator[tuple[Lane, Slices]]:
        """All slices by lane, within which they neither overlap nor nest."""
        return Lanes().split(self.all_slices())

    def busy_ps(self) -> dict[str, int]:
        """Track → sum of its slices' durations; tracks without slices are there."""
        slices = self.all_slices()
        durations = slices.ends_ps - slices.starts_ps
        return {
            track.name: int(durations[slices.tracks == number].sum())
            for number, track in enumerate(self.tables.tracks)
            if track.detail != "counters"
        }

    def _number(self, name: str) -> int:
        return [track.name for track in self.tables.tracks].index(name)
