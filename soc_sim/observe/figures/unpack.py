"""Packed timelines back in columns, and how busy their tracks are over time."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from soc_sim.observe.trace.columns import Integers, Numbers

_COLUMNS = 5


@dataclass(frozen=True)
class Activity:
    """The slices of a track, all lanes one after another; all columns have shape (n,), times in ps."""

    track: str
    kinds: tuple[str, ...]
    starts_ps: Integers
    durations_ps: Integers
    busy_ps: Integers
    """How much of the duration something happened."""
    kind_of: Integers
    """Indices into :attr:`kinds`."""
    layers: Integers
    lanes: Integers
    """Lane of each slice, from 0."""


def activities(packed: Mapping[str, Any]) -> dict[str, Activity]:
    """Track → its slices, in the order of viewing; ``packed``: what ``figures.pack.pack`` made."""
    return {track["track"]: _activity(track, packed["unit_ps"]) for track in packed["tracks"]}


def share_over_time(activity: Activity, edges_ps: Numbers) -> dict[str, Numbers]:
    """Kind → how busy the track is with it between successive edges, 1 is always; several at once add up.

    Args:
        activity: A track.
        edges_ps: Ascending, shape (n + 1,); the result has shape (n,).
    """
    rates = activity.busy_ps / np.maximum(1, activity.durations_ps)
    found = {}
    for number, kind in enumerate(activity.kinds):
        chosen = activity.kind_of == number
        starts, ends, rate = (
            activity.starts_ps[chosen],
            (activity.starts_ps + activity.durations_ps)[chosen],
            rates[chosen],
        )
        done = _accumulated(starts, rate, edges_ps) - _accumulated(ends, rate, edges_ps)
        found[kind] = np.diff(done) / np.diff(edges_ps)
    return found


def _accumulated(since_ps: Integers, rates: Numbers, until_ps: Numbers) -> Numbers:
    """Sum over all slices of rate × (until − since), where that is positive."""
    order = np.argsort(since_ps, kind="stable")
    since, rate = since_ps[order].astype(float), rates[order]
    before = np.searchsorted(since, until_ps)
    total_rate = np.concatenate([[0.0], np.cumsum(rate)])[before]
    offset = np.concatenate([[0.0], np.cumsum(rate * since)])[before]
    accumulated: Numbers = total_rate * until_ps - offset
    return accumulated


def _activity(track: Mapping[str, Any], unit_ps: int) -> Activity:
    count = sum(track["lanes"])
    folded = _numbers(zlib.decompress(base64.b64decode(track["data"])))
    gaps, durations, idle, kinds, layers = ((folded >> 1) ^ -(folded & 1)).reshape(_COLUMNS, count)
    # A lane's starts: all gaps and durations before; each lane begins at zero again.
    ends = np.cumsum(gaps + durations)
    lengths = np.array(track["lanes"], np.int64)
    first = np.cumsum(lengths) - lengths
    base = np.concatenate([np.zeros(1, np.int64), ends])[first]
    starts = ends - durations - np.repeat(base, lengths)
    return Activity(
        track["track"],
        tuple(track["kinds"]),
        starts * unit_ps,
        durations * unit_ps,
        (durations - idle) * unit_ps,
        kinds,
        layers,
        np.repeat(np.arange(len(lengths)), lengths),
    )


def _numbers(encoded: bytes) -> Integers:
    """Unsigned LEB128, one number after another.

    >>> _numbers(bytes.fromhex("017f8001ac02")).tolist()
    [1, 127, 128, 300]
    """
    data = np.frombuffer(encoded, np.uint8).astype(np.int64)
    if not len(data):
        return np.zeros(0, np.int64)
    last = data < 0x80
    first = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    place = np.arange(len(data)) - np.repeat(first, np.diff(np.append(first, len(data))))
    numbers: Integers = np.add.reduceat((data & 0x7F) << (7 * place), first)
    return numbers
