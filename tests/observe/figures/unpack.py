"""Records small timelines, and reads packed ones back as their description says: nothing is shared with the packer."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline


class One(NamedTuple):
    """A slice to record."""

    track: str
    name: str
    start_ps: int
    end_ps: int
    layer: int = 0


def timeline_of(
    ones: Sequence[One], *, end_ps: int, tracks: Sequence[str] = (), samples: Sequence[tuple[str, int, float]] = ()
) -> Timeline:
    """A timeline of these slices and samples of counters; ``tracks`` are there whether they are busy or not."""
    timeline = Timeline()
    recorder = TraceRecorder(timeline)
    found = {name: recorder.track(name, "tiles") for name in dict.fromkeys([*tracks, *(one.track for one in ones)])}
    counters = {name: recorder.counter(name, "byte") for name in dict.fromkeys(name for name, *_ in samples)}
    recorder.begin(["conv1", "conv2"])
    for track, *values in ones:
        found[track].slice(*values)  # type: ignore[union-attr]
    for name, time_ps, value in samples:
        counters[name].set(time_ps, value)  # type: ignore[union-attr]
    recorder.end(end_ps)
    return timeline


class Slice(NamedTuple):
    start: int
    duration: int
    busy: int
    kind: str
    layer: int


def leb128_numbers(encoded: bytes) -> list[int]:
    numbers, value, shift = [], 0, 0
    for byte in encoded:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
    return numbers


def signed_numbers(text: str) -> list[int]:
    return [
        -(number + 1) // 2 if number % 2 else number // 2
        for number in leb128_numbers(zlib.decompress(base64.b64decode(text)))
    ]


def unpack_counter(counter: dict[str, Any]) -> list[tuple[int, int]]:
    """Time and value from then on."""
    numbers = signed_numbers(counter["data"])
    gaps, values = numbers[: counter["count"]], numbers[counter["count"] :]
    return list(zip(accumulate(gaps), values, strict=True))


def unpack(track: dict[str, Any]) -> list[list[Slice]]:
    """The slices of each lane."""
    numbers = signed_numbers(track["data"])
    count = sum(track["lanes"])
    assert len(numbers) == 5 * count
    gaps, durations, idle, kinds, layers = (numbers[column * count :][:count] for column in range(5))
    lanes, row = [], 0
    for length in track["lanes"]:
        end, lane = 0, []
        for at in range(row, row + length):
            start = end + gaps[at]
            lane.append(Slice(start, durations[at], durations[at] - idle[at], track["kinds"][kinds[at]], layers[at]))
            end = start + durations[at]
        row += length
        lanes.append(lane)
    return lanes
