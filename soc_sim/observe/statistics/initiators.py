"""What each initiator asked of the memories, how long it took, and for whom it had to wait.

A latency is that of one transfer (a chunk), from its arrival at the interconnect to its last byte. Percentiles are by
nearest rank: the smallest latency that at least so many percent of the transfers do not exceed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.system import RunRecord, TrafficRecord
from soc_sim.units import PS_PER_S

PERCENTILES = (50, 90, 99)


def initiator_statistics(record: RunRecord, energy_j: dict[str, float | None]) -> dict[str, Any]:
    """The entry ``initiators``; ``energy_j`` is each background initiator's share of the run's energy."""
    return {
        name: _of_one(traffic, record.makespan_ps) | ({"energy_j": energy_j[name]} if name in energy_j else {})
        for name, traffic in record.traffic.items()
    }


def _of_one(traffic: TrafficRecord, makespan_ps: int) -> dict[str, Any]:
    latencies_ps = np.sort(np.array(traffic.latencies_ps, np.int64))
    return {
        "bytes": traffic.moved_bytes,
        "bandwidth_bytes_per_s": traffic.moved_bytes * PS_PER_S / makespan_ps if makespan_ps else 0.0,
        "transfers": len(latencies_ps),
        **latency_statistics(latencies_ps),
        "latency_histogram": _histogram(latencies_ps),
        "waited_s": {reason: span_ps / PS_PER_S for reason, span_ps in traffic.waited_ps.items()},
    }


def latency_statistics(sorted_ps: npt.NDArray[np.int64]) -> dict[str, float | None]:
    """Mean, percentiles and maximum of ascending latencies; null where there are none."""
    if not len(sorted_ps):
        return dict.fromkeys(("latency_mean_s", *(f"latency_p{p}_s" for p in PERCENTILES), "latency_max_s"))
    return {
        "latency_mean_s": int(sorted_ps.sum()) / len(sorted_ps) / PS_PER_S,
        **{f"latency_p{p}_s": int(sorted_ps[nearest_rank(len(sorted_ps), p)]) / PS_PER_S for p in PERCENTILES},
        "latency_max_s": int(sorted_ps[-1]) / PS_PER_S,
    }


def nearest_rank(count: int, percent: int) -> int:
    """Index, from 0, of the percentile among ``count`` ascending values.

    >>> [nearest_rank(200, percent) for percent in (50, 99, 100)]
    [99, 197, 199]
    """
    return -(-count * percent // 100) - 1


def _histogram(sorted_ps: Sequence[int] | npt.NDArray[np.int64]) -> list[dict[str, float | int]]:
    """Transfers by latency, in classes that end at a power of two of a nanosecond (the end included)."""
    found = []
    below, end_ps = 0, 1000
    while below < len(sorted_ps):
        upto = int(np.searchsorted(sorted_ps, end_ps, side="right"))
        if upto > below:
            found.append({"to_s": end_ps / PS_PER_S, "count": upto - below})
        below, end_ps = upto, 2 * end_ps
    return found
