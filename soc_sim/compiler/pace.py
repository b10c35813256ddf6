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
    count, bounds = len(stages.first_layers), _bounds(layers, stages)
    bound = max(bounds, key=lambda name: bounds[name])
    if count == 1:
        return Pace(bounds["core0"], bound)
    first = WARM_UP * (count + 1)
    ends_ps = _Flow(layers, stages).ends_ps(first + MEASURED * (count + 1))
    interval_ps = (ends_ps[-1] - ends_ps[first - 1]) / (len(ends_ps) - first)
    return Pace(max(bounds[bound], math.ceil(interval_ps)), bound)


def _bounds(layers: Sequence[Demand], stages: Stages) -> dict[str, int]:
    """Core, host or memory → what it has to do for a request."""
    bounds = {f"core{core}": time_ps for core, time_ps in enumerate(stages.times_ps([one.time_ps for one in layers]))}
    bounds["host"] = sum(one.time_ps for one in layers if one.on_host)
    for memory in {memory: None for one in layers for memory in one.memories_ps}:
        bounds[memory] = sum(one.memories_ps.get(memory, 0) for one in layers)
    return bounds


def balanced(layers: Sequence[Demand], crossing_bytes: Sequence[int], most: int) -> Stages:
    """At most ``most`` stages that answer requests at the fastest pace by estimate.

    Those whose slowest is the least; where the host or a memory makes the interval longer than any bound, each cut is
    moved from there, as long as the pace gets faster.
    """
    start = best = cut([one.time_ps for one in layers], crossing_bytes, most)
    start_ps = least_ps = pace_of(layers, start).interval_ps
    step, bound_ps = max(1, len(layers) // 8), max(_bounds(layers, start).values())
    while step and least_ps > bound_ps * TOLERANCE:
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
        self.stages = stages.layers(len(layers))
        self.times_ps = [one.time_ps for one in layers]
        self.on_host = [one.on_host for one in layers]
        self.parts = [
            [(memory, busy_ps / max(one.time_ps, 1)) for memory, busy_ps in one.memories_ps.items() if busy_ps]
            for one in layers
        ]
        """Of each layer: memory → the part of its time alone in which it is busy."""
        self.layer: list[int | None] = [None] * len(self.stages)
        """Of each core: the layer at work, or next on the host."""
        self.begun = [0] * len(self.stages)
        """Requests that each stage has begun."""
        self.left_ps: dict[int, float] = {}
        """Core → what is left of its layer's time alone, of those under way."""
        self.for_host: list[int] = []
        """Cores in the order in which they came to the host."""

    def ends_ps(self, requests: int) -> list[float]:
        """When each of so many requests is done; one more than there are stages are under way at once."""
        ends, now_ps, left_ps = list[float](), 0.0, self.left_ps
        while len(ends) < requests:
            self._begin(len(ends), requests)
            slow = self._slow()
            waits = {core: span_ps / slow.get(core, 1.0) for core, span_ps in left_ps.items()}
            step_ps = min(waits.values())
            now_ps += step_ps
            for core, wait_ps in waits.items():
                if wait_ps > step_ps:
                    left_ps[core] -= step_ps * slow.get(core, 1.0)
                elif self._end(core):
                    ends.append(now_ps)
        return ends

    def _begin(self, ended: int, requests: int) -> None:
        """Hand requests to idle cores: those that the stage before has done with."""
        for core, layer in enumerate(self.layer):
            if layer is not None:
                continue
            if core:
                there = self.begun[core - 1] - (self.layer[core - 1] is not None)
            else:
                there = min(requests, ended + len(self.stages) + 1)
            if self.begun[core] < there:
                self.begun[core] += 1
                self._start(core, self.stages[core][0])

    def _start(self, core: int, layer: int) -> None:
        self.layer[core] = layer
        if self.on_host[layer]:
            self.for_host.append(core)
            if len(self.for_host) > 1:
                return
        self.left_ps[core] = self.times_ps[layer]

    def _end(self, core: int) -> bool:
        """A layer is done, and the next one begins; whether its request is done, too."""
        layer = self._of(core)
        del self.left_ps[core]
        if self.on_host[layer]:
            del self.for_host[0]
            if self.for_host:
                self.left_ps[self.for_host[0]] = self.times_ps[self._of(self.for_host[0])]
        if layer + 1 in self.stages[core]:
            self._start(core, layer + 1)
            return False
        self.layer[core] = None
        return core == len(self.stages) - 1

    def _of(self, core: int) -> int:
        layer = self.layer[core]
        if layer is None:
            raise ValueError(f"core {core} has no layer")
        return layer

    def _slow(self) -> dict[int, float]:
        """Cores whose layer is slower than alone → its speed, over that alone."""
        wanted: dict[MemoryName, list[tuple[float, int]]] = {}
        for core in self.left_ps:
            for memory, part in self.parts[self._of(core)]:
                wanted.setdefault(memory, []).append((part, core))
        slow: dict[int, float] = {}
        for parts in wanted.values():
            free = 1.0
            if sum(part for part, _ in parts) <= free:
                continue
            for waiting, (part, core) in zip(range(len(parts), 0, -1), sorted(parts), strict=True):
                given = min(part, free / waiting)
                free -= given
                slow[core] = min(slow.get(core, 1.0), given / part)
        return slow
