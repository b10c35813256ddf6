"""Cuts a network into consecutive stages for a layer pipeline: one core works on each, on several requests at once.

A request goes through the stages in order, so that requests follow one another at the pace of the slowest stage. Stages
are balanced by the expected times of their layers on one core, which contain what passes between layers by memory. Of
cuts that are equal by estimate, the one over which the fewest bytes pass is taken. All tensors that a later stage reads
stay in memory until then, those of residual connections across several stages, too. What all stages share, the host and
the memories, is no part of the balance: ``pace.py`` moves cuts where that makes a difference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from soc_sim.compiler.lowered import Uses

TOLERANCE = 1.01
"""Slowest stages this close to the best are taken as equal."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Consecutive layers that run on a core each; a single stage: the network is no pipeline."""

    first_layers: tuple[int, ...] = (0,)

    @property
    def requests(self) -> int:
        """How many are under way at once, where there is room: one more than stages, so that none of these waits."""
        return len(self.first_layers) + (len(self.first_layers) > 1)

    def of(self, layer: int) -> int:
        """The stage of a layer."""
        return bisect_right(self.first_layers, layer) - 1

    def layers(self, count: int) -> list[range]:
        """The layers of each stage, of ``count`` in all."""
        return [range(*bounds) for bounds in pairwise((*self.first_layers, count))]

    def times_ps(self, layers_ps: Sequence[int]) -> list[int]:
        """Expected time of each stage."""
        return [sum(layers_ps[layer] for layer in layers) for layers in self.layers(len(layers_ps))]


def cut(layers_ps: Sequence[int], crossing_bytes: Sequence[int], most: int) -> Stages:
    """At most ``most`` stages whose slowest takes the least time.

    Dynamic programming over the cuts, first for that time, then for the bytes.

    Args:
        layers_ps: Expected time of each layer on one core.
        crossing_bytes: For each layer, bytes that are written before it and read by it or later.
        most: How many cores there are.
    """
    ends = [0, *accumulate(layers_ps)]
    count = len(layers_ps)
    slowest = list(ends)
    """Of the layers before each, with as many stages as have been allowed."""
    for _ in range(1, min(most, count)):
        slowest = [
            min((max(slowest[start], ends[stop] - ends[start]) for start in range(stop)), default=0)
            for stop in range(count + 1)
        ]
    limit = slowest[count] * TOLERANCE
    # Fewest bytes, then fewest stages; then the first cuts.
    best: list[list[tuple[int, tuple[int, ...]] | None]] = [[(0, ())] + [None] * count]
    for _ in range(min(most, count)):
        before = best[-1]
        row: list[tuple[int, tuple[int, ...]] | None] = [None] * (count + 1)
        for stop in range(1, count + 1):
            found = [
                (known[0] + (crossing_bytes[start] if start else 0), (*known[1], start))
                for start in range(stop)
                if (known := before[start]) is not None and ends[stop] - ends[start] <= limit
            ]
            row[stop] = min(found, default=None)
        best.append(row)
    whole = [row[count] for row in best if row[count] is not None]
    _, firsts = min(
        (known for known in whole if known is not None), key=lambda known: (known[0], len(known[1]), known[1])
    )
    return Stages(firsts)


def crossing_bytes(storages: Mapping[str, int], uses: Mapping[str, Uses], layers: int) -> list[int]:
    """For each layer, bytes that a cut before it would send from one core to others."""
    changes = [0] * (layers + 1)
    for root, size in storages.items():
        if (writers := uses[root].writers) and (readers := uses[root].readers) and max(readers) > min(writers):
            changes[min(writers) + 1] += size
            changes[max(readers) + 1] -= size
    return list(accumulate(changes[:layers]))
