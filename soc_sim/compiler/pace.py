"""At what pace a pipeline answers requests: its layers in time, on cores, host and memories that they share.

A fluid model. Each core runs the layers of its stage one after another, for one request after another; the host takes
one layer at a time, the one that has been ready for longest. A layer alone takes its expected time, in which each
memory is busy for it with a part of that time. Where the parts of the layers under way exceed a memory, it gives each
as much as the others (max-min fairness), and those that want more take longer.

Left out: that a layer begins on the first rows of the one before, or loads weights while that is at work; row misses;
less room for requests than there are stages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from soc_sim.compiler.program import Pace
from soc_sim.compiler.stages import TOLERANCE, Stages, cut
from soc_sim.config.soc import MemoryName

WARM_UP, MEASURED = 2, 4
"""Requests for each stage, and one more, that fill the pipeline; and those whose ends are measured."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a layer asks for."""

    time_ps: int
    """Alone."""
    on_host: bool
    memories_ps: Mapping[MemoryName, int] = field(default_factory=dict)
    """For how long each memory is busy with it."""


def pace_of(layers: Sequence[Demand], stages: Stages) -> Pace:
    """The expected interval between results, and what has the most to do in it."""
    count = len(stages.first_layers)
    bounds = {f"core{core}": time_ps for core, time_ps in enumerate(stages.times_ps([one.time_ps for one in layers]))}
    bounds["host"] = sum(one.time_ps for one in layers if one.on_host)
    for memory in {memory: None for one in layers for memory in one.memories_ps}:
        bounds[memory] = sum(one.memories_ps.get(memory, 0) for one in layers)
    bound = max(bounds, key=lambda name: bounds[name])
    first = WARM_UP * (count + 1)
    ends_ps = _Flow(layers, stages).ends_ps(first + MEASURED * (count + 1))
    interval_ps = (ends_ps[-1] - ends_ps[first - 1]) / (len(ends_ps) - first)
    return Pace(max(bounds[bound], math.ceil(interval_ps)) if count > 1 else bounds["core0"], bound)


def balanced(layers: Sequence[Demand], crossing_bytes: Sequence[int], most: int) -> Stages:
    """At most ``most`` stages that answer requests at the fastest pace by estimate.

    Those whose slowest is the least; where the host or a memory sets the pace, each cut is moved from there, as long as
    the pace gets faster.
    """
    times_ps = [one.time_ps for one in layers]
    best = cut(times_ps, crossing_bytes, most)
    start_ps = least_ps = pace_of(layers, best).interval_ps
    start, step = best, max(1, len(layers) // 8)
    while step and least_ps > max(start.times_ps(times_ps)) * TOLERANCE:
        moved = {stages: pace_of(layers, stages).interval_ps for stages in _moved(best, step, len(layers))}
        nearby = min(moved, key=lambda stages: moved[stages], default=best)
        if moved.get(nearby, least_ps) < least_ps:
            best, least_ps = nearby, moved[nearby]
        else:
            step //= 2
    return best if least_ps * TOLERANCE <= start_ps else start


def _moved(stages: Stages, step: int, count: int) -> Iterator[Stages]:
    """The same with one of the cuts so many layers further on, or back."""
    firsts = [*stages.first_layers, count]
    for place, (before, first, after) in enumerate(zip(firsts, firsts[1:], firsts[2:], strict=False), 1):
        for moved in (first - step, first + step):
            if before < moved < after:
                yield Stages((*firsts[:place], moved, *firsts[place + 1 : -1]))


class _Flow:
    """Requests on their way through the stages."""

    def __init__(self, layers: Sequence[Demand], stages: Stages) -> None:
        self.layers = layers
        self.stages = stages.layers(len(layers))
        self.layer: list[int | None] = [None] * len(self.stages)
        """Of each core: the layer at work, or next on the host."""
        self.begun = [0] * len(self.stages)
        """Requests that each stage has begun."""
        self.left: dict[int, float] = {}
        """Core → the part of its layer that is left, of those under way."""
        self.for_host: list[int] = []
        """Cores in the order in which they came to the host."""

    def ends_ps(self, requests: int) -> list[float]:
        """When each of so many requests is done; one more than there are stages are under way at once."""
        ends, now_ps = list[float](), 0.0
        while len(ends) < requests:
            self._begin(len(ends), requests)
            speeds = self._speeds()
            waits = {core: self.left[core] * self._of(core).time_ps / speed for core, speed in speeds.items()}
            step_ps = min(waits.values())
            now_ps += step_ps
            for core, wait_ps in waits.items():
                if wait_ps > step_ps:
                    self.left[core] -= step_ps * speeds[core] / self._of(core).time_ps
                elif self._end(core):
                    ends.append(now_ps)
        return ends

    def _of(self, core: int) -> Demand:
        layer = self.layer[core]
        if layer is None:
            raise ValueError(f"core {core} has no layer")
        return self.layers[layer]

    def _begin(self, ended: int, requests: int) -> None:
        """Hand requests to idle cores: those that the stage before has done with."""
        for core, layers in enumerate(self.stages):
            if self.layer[core] is not None:
                continue
            if core:
                there = self.begun[core - 1] - (self.layer[core - 1] is not None)
            else:
                there = min(requests, ended + len(self.stages) + 1)
            if self.begun[core] < there:
                self.begun[core] += 1
                self._start(core, layers[0])

    def _start(self, core: int, layer: int) -> None:
        self.layer[core] = layer
        if not self.layers[layer].on_host:
            self.left[core] = 1.0
            return
        self.for_host.append(core)
        self.left.setdefault(self.for_host[0], 1.0)

    def _end(self, core: int) -> bool:
        """A layer is done, and the next one begins; whether its request is done, too."""
        if self._of(core).on_host:
            self.for_host.remove(core)
            if self.for_host:
                self.left[self.for_host[0]] = 1.0
        del self.left[core]
        layer, layers = self.layer[core], self.stages[core]
        if layer is not None and layer + 1 in layers:
            self._start(core, layer + 1)
            return False
        self.layer[core] = None
        return core == len(self.stages) - 1

    def _speeds(self) -> dict[int, float]:
        """Of each core's layer that is under way, over its speed alone."""
        speeds = dict.fromkeys(self.left, 1.0)
        wanted: dict[MemoryName, list[tuple[float, int]]] = {}
        for core in self.left:
            one = self._of(core)
            for memory, busy_ps in one.memories_ps.items():
                if busy_ps:
                    wanted.setdefault(memory, []).append((busy_ps / max(one.time_ps, 1), core))
        for parts in wanted.values():
            free = 1.0
            for waiting, (part, core) in zip(range(len(parts), 0, -1), sorted(parts), strict=True):
                given = min(part, free / waiting)
                free -= given
                speeds[core] = min(speeds[core], given / part)
        return speeds
