"""Spreads slices that overlap over few lanes, within which they neither overlap nor nest.

Each slice goes to the lowest lane that is free at its start. Taken in order of start, that needs no more lanes than
slices overlap at any one time (interval partitioning; Kleinberg and Tardos, Algorithm Design, section 4.1). Of a trace
that comes in several blocks each is taken in order of start, so that a few lanes more may be needed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from soc_sim.observe.trace.columns import Integers, Slices


class Lane(NamedTuple):
    """A row of a viewer: one track, or one of several that it needs."""

    track: int
    number: int
    """0 for the first lane of the track."""


def seen_by_perfetto(block: Slices) -> Integers:
    """When the lane of each slice is free for the next, for a reader that rounds start and duration to whole ns.

    Perfetto does so when it reads JSON, and drops what then starts before its predecessor's end. A start is rounded to
    at least n ns if it is later than n ns - 500 ps; a half, which a double may hold as a little less, goes either way.
    """
    starts_ns = (block.starts_ps + 500) // 1000
    durations_ns = (block.ends_ps - block.starts_ps + 500) // 1000
    free_ps: Integers = np.maximum(block.ends_ps, 1000 * (starts_ns + durations_ns) - 499)
    return free_ps


class Lanes:
    """Remembers when the lanes of all tracks become free."""

    def __init__(self, free_from: Callable[[Slices], Integers] = lambda block: block.ends_ps) -> None:
        """``free_from``: when the lane of each slice is free for the next, in ps; not before its end."""
        self._free_from = free_from
        self._free_ps: dict[int, list[int]] = {}

    def split(self, block: Slices) -> Iterator[tuple[Lane, Slices]]:
        """The slices of a block by lane, each in order of time; tracks and lanes ascend."""
        if not len(block):
            return
        # lexsort is stable: slices that start together keep the order in which they were recorded.
        ends_ps = self._free_from(block)
        order = np.lexsort((block.starts_ps, block.tracks))
        tracks, firsts = np.unique(block.tracks[order], return_index=True)
        for track, rows in zip(tracks.tolist(), np.split(order, firsts[1:]), strict=True):
            lane_of = assign_lanes(block.starts_ps[rows], ends_ps[rows], self._free_ps.setdefault(track, []))
            for number in np.unique(lane_of).tolist():
                yield Lane(track, number), block[rows[lane_of == number]]


def assign_lanes(starts_ps: Integers, ends_ps: Integers, free_ps: list[int] | None = None) -> Integers:
    """Lane of each slice, shape (n,), from 0.

    Args:
        starts_ps: Shape (n,), ascending.
        ends_ps: Shape (n,).
        free_ps: When each lane that there is already becomes free; brought up to date.

    >>> assign_lanes(np.array([0, 5, 10]), np.array([10, 20, 15])).tolist()
    [0, 1, 0]
    """
    lane_free_ps = [] if free_ps is None else free_ps
    if not len(starts_ps):
        return np.zeros(0, np.int64)
    if (starts_ps[1:] >= ends_ps[:-1]).all() and (not lane_free_ps or lane_free_ps[0] <= starts_ps[0]):
        lane_free_ps[:1] = [int(ends_ps[-1])]
        return np.zeros(len(starts_ps), np.int64)
    lanes: list[int] = []
    busy = [(end_ps, lane) for lane, end_ps in enumerate(lane_free_ps)]
    heapq.heapify(busy)
    free: list[int] = []
    for start_ps, end_ps in zip(starts_ps.tolist(), ends_ps.tolist(), strict=True):
        while busy and busy[0][0] <= start_ps:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
            lane_free_ps[lane] = end_ps
        else:
            lane = len(lane_free_ps)
            lane_free_ps.append(end_ps)
        heapq.heappush(busy, (end_ps, lane))
        lanes.append(lane)
    return np.array(lanes, np.int64)
