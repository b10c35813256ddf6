"""Spreads slices that overlap over as few lanes as possible.

Each slice goes to the lowest lane that is free at its start. Taken in order of start, that needs no more lanes than
slices overlap at any one time (interval partitioning; Kleinberg and Tardos, Algorithm Design, section 4.1).
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt


def assign_lanes(starts_ps: npt.NDArray[np.int64], ends_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Lane of each slice, shape (n,), from 0; ``starts_ps`` ascend.

    >>> assign_lanes(np.array([0, 5, 10]), np.array([10, 20, 15])).tolist()
    [0, 1, 0]
    """
    if (starts_ps[1:] >= ends_ps[:-1]).all():
        return np.zeros(len(starts_ps), np.int64)
    lanes: list[int] = []
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    for start_ps, end_ps in zip(starts_ps.tolist(), ends_ps.tolist(), strict=True):
        while busy and busy[0][0] <= start_ps:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end_ps, lane))
        lanes.append(lane)
    return np.array(lanes, np.int64)
