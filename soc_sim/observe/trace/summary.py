"""What a dumped trace contains, track by track: how many slices, how long they were busy; what values counters had."""

from __future__ import annotations

from typing import Any

import numpy as np

from soc_sim.observe.trace.columns import Samples, Slices
from soc_sim.observe.trace.reading import Source
from soc_sim.units import PS_PER_S


def summarise(source: Source) -> dict[str, Any]:
    """The document of ``trace summary --json``.

    Returns:
        ``end_ps``, ``tracks`` (name, detail, slices, busy_ps: the sum of durations, busy_share: of the whole run, over
        1 where slices overlap, longest_ps, first_ps and last_ps: start of the first and end of the last) and
        ``counters`` (name, unit, samples, least, most, mean over time, last).
    """
    head = source.head
    slices = {number: _Slices() for number, track in enumerate(head.tracks) if track.detail != "counters"}
    counters = {number: _Counter() for number, track in enumerate(head.tracks) if track.detail == "counters"}
    for block in source.blocks():
        for number in np.unique(block.tracks).tolist():
            if isinstance(block, Slices):
                slices[number].add(block[block.tracks == number])
            else:
                counters[number].add(block, number)
    return {
        "generator": head.generator,
        "end_ps": head.end_ps,
        "latency_s": head.end_ps / PS_PER_S,
        "layers": len(head.layers),
        "tracks": [
            {"name": head.tracks[number].name, "detail": head.tracks[number].detail, **of.report(head.end_ps)}
            for number, of in slices.items()
        ],
        "counters": [
            {"name": head.tracks[number].name, "unit": head.tracks[number].unit, **of.report(head.end_ps)}
            for number, of in counters.items()
        ],
    }


class _Slices:
    """What has been seen of a track."""

    def __init__(self) -> None:
        self.count = self.busy_ps = self.longest_ps = 0
        self.first_ps: int | None = None
        self.last_ps: int | None = None

    def add(self, slices: Slices) -> None:
        durations_ps = slices.ends_ps - slices.starts_ps
        self.count += len(slices)
        self.busy_ps += int(durations_ps.sum())
        self.longest_ps = max(self.longest_ps, int(durations_ps.max()))
        first_ps, last_ps = int(slices.starts_ps.min()), int(slices.ends_ps.max())
        self.first_ps = first_ps if self.first_ps is None else min(self.first_ps, first_ps)
        self.last_ps = last_ps if self.last_ps is None else max(self.last_ps, last_ps)

    def report(self, end_ps: int) -> dict[str, Any]:
        return {
            "slices": self.count,
            "busy_ps": self.busy_ps,
            "busy_share": self.busy_ps / end_ps if end_ps else None,
            "longest_ps": self.longest_ps,
            "first_ps": self.first_ps,
            "last_ps": self.last_ps,
        }


class _Counter:
    """What has been seen of a counter."""

    def __init__(self) -> None:
        self.count = 0
        self.least = np.inf
        self.most = -np.inf
        self.area = 0.0
        self.since_ps: int | None = None
        self.from_ps = 0
        self.last = 0.0

    def add(self, block: Samples, number: int) -> None:
        chosen = block.tracks == number
        times_ps, values = block.times_ps[chosen], block.values[chosen]
        if self.since_ps is None:
            self.from_ps = self.since_ps = int(times_ps[0])
        self.area += self.last * float(times_ps[0] - self.since_ps) + float(values[:-1] @ np.diff(times_ps))
        self.since_ps, self.last = int(times_ps[-1]), float(values[-1])
        self.count += len(values)
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))

    def report(self, end_ps: int) -> dict[str, Any]:
        if self.since_ps is None:
            return {"samples": 0, "least": None, "most": None, "mean": None, "last": None}
        until_ps = max(end_ps, self.since_ps)
        span_ps = until_ps - self.from_ps
        area = self.area + self.last * (until_ps - self.since_ps)
        mean = area / span_ps if span_ps else self.last
        return {"samples": self.count, "least": self.least, "most": self.most, "mean": mean, "last": self.last}
