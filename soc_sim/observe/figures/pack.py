"""A timeline made small enough for a page: columns of small integers for each track, and less detail where it is big.

Exact as long as a track has no more slices than its budget. Beyond, time is cut into bins, and a bin has one slice for
each kind of work and layer with the time that these were busy in it: a track's busy time is the same at any detail.

The format (``timeline.json``): ``unit_ps`` divides all times. A track has ``kinds`` (the different names of its
slices), ``lanes`` (how many slices each lane has), ``resolution`` (the width of a bin; 0: exact) and ``data``: base64
of the zlib stream of unsigned LEB128 numbers, column after column: distance from the end of the lane's slice before
(from zero for the first), duration, duration minus busy time, kind, layer; each with its sign folded in as protobuf's
zigzag does. A counter of ``counters`` (fill of buffers) has ``count`` values and ``data`` in the same coding: distance
from the time before, value; where there are too many, ``resolution`` is the width of bins with their mean.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from soc_sim.observe.trace.columns import Integers, Samples, Slices, Tables
from soc_sim.observe.trace.order import ranks
from soc_sim.observe.trace.selection import DEFAULT, Selection
from soc_sim.observe.trace.timeline import Timeline

FORMAT: Final = 1
SHOWN: Final = Selection(DEFAULT.details | {"counters"})
"""What has to be recorded for it."""
MOST_OF_TRACK: Final = 120_000
MOST_OF_TIMELINE: Final = 600_000
"""Slices; of two to five bytes each, most runs stay below 2 MB."""
_STALLS: Final = ".stalls"
_LEFT_OUT: Final = ("commands", "counters")
_FILL: Final = ".fill"
_MOST_OF_COUNTER: Final = 20_000
LAYERS_TRACK: Final = "layers"


@dataclass(frozen=True)
class Packed:
    """Slices of one lane, in order of time; all columns have shape (n,), times in units."""

    starts: Integers
    durations: Integers
    busy: Integers
    """How much of the duration something happened."""
    kinds: Integers
    layers: Integers

    def __len__(self) -> int:
        return len(self.starts)


def pack(timeline: Timeline, *, most: int = MOST_OF_TIMELINE) -> dict[str, Any]:
    """A timeline as a JSON object of plain values, with at most about ``most`` slices over all tracks.

    Commands of a DRAM, and counters other than the fill of buffers, are left out.
    """
    tables = timeline.tables
    shown = [track for track in range(len(tables.tracks)) if tables.tracks[track].detail not in _LEFT_OUT]
    places = ranks(tables.tracks)
    # An array and its stalls take turns: together they are one track, of one lane.
    titles = {track: tables.tracks[track].name.removesuffix(_STALLS) for track in sorted(shown, key=places.__getitem__)}
    lanes: dict[str, dict[int, list[Slices]]] = {title: {} for title in titles.values()}
    for lane, part in timeline.lanes():
        if lane.track in titles:
            lanes[titles[lane.track]].setdefault(lane.number, []).append(part)
    fills = {
        info.name: timeline.counter(info.name)
        for info in tables.tracks
        if info.detail == "counters" and info.name.endswith(_FILL)
    }
    slices, times_ps = timeline.all_slices(), [samples.times_ps for samples in fills.values()]
    unit_ps = _unit_ps([slices.starts_ps, slices.ends_ps, *times_ps], timeline.end_ps)
    budget = min(MOST_OF_TRACK, max(1000, most // max(1, len(lanes))))
    return {
        "format": FORMAT,
        "unit_ps": unit_ps,
        "end": timeline.end_ps // unit_ps,
        "layers": list(tables.layers),
        "tracks": [_track(title, list(of.values()), tables, unit_ps, budget) for title, of in lanes.items()],
        "counters": [_counter(name, samples, unit_ps, timeline.end_ps) for name, samples in fills.items()],
    }


def _counter(name: str, samples: Samples, unit_ps: int, end_ps: int) -> dict[str, Any]:
    times, values, resolution = samples.times_ps // unit_ps, samples.values, 0
    if len(samples) > _MOST_OF_COUNTER:
        # The mean of a step function over a bin is the difference of its integral, which is a polygon.
        end = end_ps // unit_ps
        resolution = -(-end // _MOST_OF_COUNTER)
        edges = np.arange(0, end + resolution, resolution)
        corners = np.append(times, end)
        integral = np.append(0.0, np.cumsum(values * np.diff(corners)))
        times, values = edges[:-1], np.diff(np.interp(edges, corners, integral)) / np.diff(np.minimum(edges, end))
    columns = (np.diff(times, prepend=0), np.rint(values).astype(np.int64))
    return {"track": name, "count": len(times), "resolution": resolution, "data": _text(columns)}


def _unit_ps(columns: Iterable[Integers], latency_ps: int) -> int:
    """The largest unit in which all times are whole numbers."""
    return math.gcd(latency_ps, *(int(np.gcd.reduce(column)) for column in columns if len(column))) or 1


def _track(title: str, lanes: list[list[Slices]], tables: Tables, unit_ps: int, budget: int) -> dict[str, Any]:
    used = sorted({int(name) for lane in lanes for part in lane for name in np.unique(part.names)})
    # A layer's slice is called as the layer.
    kinds = sorted({tables.names[name] for name in used}) if title != LAYERS_TRACK else ["layer"]
    number = np.zeros(max(used, default=-1) + 1, np.int64)
    for name in used if title != LAYERS_TRACK else ():
        number[name] = kinds.index(tables.names[name])
    merged = [_together([_in_units(part, number, unit_ps) for part in lane]) for lane in lanes]
    resolution = 0
    if sum(map(len, merged)) > budget:
        slices, resolution = _binned(_together(merged), budget)
        merged = [slices]
    return {
        "track": title,
        "kinds": kinds,
        "lanes": [len(slices) for slices in merged],
        "resolution": resolution,
        "data": _encode(merged),
    }


def _in_units(slices: Slices, number: Integers, unit_ps: int) -> Packed:
    durations = (slices.ends_ps - slices.starts_ps) // unit_ps
    return Packed(slices.starts_ps // unit_ps, durations, durations, number[slices.names], slices.layers)


def _joined(parts: list[Packed]) -> list[Integers]:
    none = np.zeros(0, np.int64)  # of a track that was never busy
    return [np.concatenate([none, *(getattr(part, column.name) for part in parts)]) for column in fields(Packed)]


def _together(parts: list[Packed]) -> Packed:
    columns = _joined(parts)
    order = np.argsort(columns[0], kind="stable")
    return Packed(*(column[order] for column in columns))


def _binned(slices: Packed, budget: int) -> tuple[Packed, int]:
    """One slice for each bin, kind and layer, and the width of a bin; as many bins as the budget allows."""
    end = int((slices.starts + slices.durations).max())
    width = max(1, -(-end // budget))
    while True:
        binned = _in_bins(slices, width)
        if len(binned) <= budget or width >= end:
            return binned, width
        width *= 2


def _in_bins(slices: Packed, width: int) -> Packed:
    first, last = slices.starts // width, (slices.starts + slices.durations - 1) // width
    pieces = last - first + 1
    row = np.repeat(np.arange(len(slices)), pieces)
    bins = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + first[row]
    begin = np.maximum(slices.starts[row], bins * width)
    busy = np.minimum((slices.starts + slices.durations)[row], (bins + 1) * width) - begin
    keys, inverse = np.unique(np.stack([bins, slices.kinds[row], slices.layers[row]]), axis=1, return_inverse=True)
    total = np.bincount(inverse.ravel(), weights=busy, minlength=keys.shape[1]).astype(np.int64)
    widths = np.full(keys.shape[1], width, np.int64)
    return Packed(keys[0] * width, widths, total, keys[1], keys[2])


def _encode(lanes: list[Packed]) -> str:
    gaps = [np.diff(lane.starts, prepend=0) - np.append(0, lane.durations[:-1])[: len(lane)] for lane in lanes]
    _, durations, busy, kinds, layers = _joined(lanes)
    # Bins of several kinds start together, and several transfers in flight are busy longer than a bin lasts.
    columns = (np.concatenate([np.zeros(0, np.int64), *gaps]), durations, durations - busy, kinds, layers)
    return _text(columns)


def _text(columns: Iterable[Integers]) -> str:
    return base64.b64encode(zlib.compress(b"".join(leb128(_folded(column)) for column in columns), 9)).decode()


def _folded(column: Integers) -> Integers:
    """Signed as unsigned, small as small: 0, -1, 1, -2, … → 0, 1, 2, 3, … (zigzag of protobuf)."""
    return (column << 1) ^ (column >> 63)


def leb128(numbers: Integers) -> bytes:
    """Unsigned LEB128, one number after another.

    >>> leb128(np.array([1, 127, 128, 300])).hex()
    '017f8001ac02'
    """
    groups = [numbers & 0x7F]
    rest = numbers >> 7
    while rest.any():
        groups.append(rest & 0x7F)
        rest = rest >> 7
    table = np.stack(groups, axis=1)
    length = np.maximum(1, table.shape[1] - np.argmax(table[:, ::-1] != 0, axis=1))
    length[~table.any(axis=1)] = 1
    kept = np.arange(table.shape[1]) < length[:, None]
    continued = np.arange(table.shape[1]) < length[:, None] - 1
    return bytes((table | (continued << 7))[kept].astype(np.uint8))
