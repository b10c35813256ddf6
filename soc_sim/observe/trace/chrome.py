"""Writes a trace as Chrome trace JSON, which Perfetto and chrome://tracing show.

Format: "Trace Event Format" (the Chromium project). Each slice is a complete event (``ph: X``) with ``ts`` and ``dur``
in µs and six decimals, that is whole picoseconds. A process of the trace is a component, a thread is a lane. Counters
are events of ``ph: C``, and an arrow from a load (``s``) leads to the instruction that waited for it (``f``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

import soc_sim
from soc_sim.observe.trace.columns import Samples, Slices, Tables
from soc_sim.observe.trace.flows import Flows
from soc_sim.observe.trace.lanes import Lane, Lanes, seen_by_perfetto
from soc_sim.observe.trace.order import components, ranks, title

_PS_PER_US = 10**6


class ChromeWriter:
    """A sink that writes one JSON document, an event a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lanes = Lanes(seen_by_perfetto)
        self._threads: dict[Lane, int] = {}
        self._separator = "\n"

    def open(self, tables: Tables) -> None:
        """Write the head and the names of components and tracks."""
        self._tables = tables
        self._flows = Flows(tables)
        self._processes = components(tables.tracks)
        self._ranks = ranks(tables.tracks)
        self._arguments = [f'"layer":{json.dumps(name)}' for name in tables.layers]
        self._file.write('{"displayTimeUnit":"ns","traceEvents":[')
        for name, process in self._processes.items():
            self._metadata("process_name", process, 0, name=name)
            self._metadata("process_sort_index", process, 0, sort_index=process)
        for track in sorted(range(len(self._ranks)), key=self._ranks.__getitem__):
            if tables.tracks[track].detail != "counters":
                self._thread(Lane(track, 0))

    def slices(self, block: Slices) -> None:
        """Write complete events, lane by lane."""
        names = [json.dumps(text) for text in self._tables.names]
        self._flows.note(block)
        for lane, slices in self._lanes.split(block):
            process, thread = self._process(lane.track), self._thread(lane)
            self._write(self._slices(slices, f'"pid":{process},"tid":{thread},"ts":', names))
            self._write(self._arrows(slices, f'"pid":{process},"tid":{thread},"ts":'))

    def _slices(self, slices: Slices, place: str, names: list[str]) -> Iterator[str]:
        durations_ps = slices.ends_ps - slices.starts_ps
        about = (slices.names, slices.layers, slices.instructions, slices.waited_for)
        columns = (column.tolist() for column in (slices.starts_ps, durations_ps, *about))
        for start_ps, duration_ps, name, layer, instruction, waited_for in zip(*columns, strict=True):
            # A slice may belong to no layer, as may all slices of a program without names of layers.
            arguments = [self._arguments[layer]] if 0 <= layer < len(self._arguments) else []
            if instruction >= 0:
                arguments.append(f'"instruction":{instruction}')
            if waited_for >= 0:
                arguments.append(f'"waited_for":{waited_for}')
            yield (
                f'{{"ph":"X",{place}{_microseconds(start_ps)},"dur":{_microseconds(duration_ps)},'
                f'"name":{names[name]},"args":{{{",".join(arguments)}}}}}'
            )

    def _arrows(self, slices: Slices, place: str) -> Iterator[str]:
        tail = '"cat":"wait","name":"waits for"'
        for start_ps, flow in self._flows.leaving(slices):
            yield f'{{"ph":"s",{place}{_microseconds(start_ps)},"id":{flow},{tail}}}'
        for start_ps, flow in self._flows.arriving(slices):
            yield f'{{"ph":"f","bp":"e",{place}{_microseconds(start_ps)},"id":{flow},{tail}}}'

    def samples(self, block: Samples) -> None:
        """Write counter events."""
        heads = [
            f'{{"ph":"C","pid":{self._process(number)},"name":{json.dumps(track.name)},"ts":'
            for number, track in enumerate(self._tables.tracks)
        ]
        units = [json.dumps(track.unit) for track in self._tables.tracks]
        columns = (block.tracks, block.times_ps, block.values)
        self._write(
            f'{heads[track]}{_microseconds(time_ps)},"args":{{{units[track]}:{value:.17g}}}}}'
            for track, time_ps, value in zip(*(column.tolist() for column in columns), strict=True)
        )

    def close(self, end_ps: int) -> None:
        """Write what is known at the end only."""
        about = {"generator": f"soc_sim {soc_sim.__version__}", "clock": "simulated, in ps", "latency_ps": end_ps}
        self._file.write(f'\n],"otherData":{json.dumps(about)}}}\n')

    def _write(self, events: Iterator[str]) -> None:
        first = next(events, None)
        if first is not None:
            self._file.write(self._separator + first)
            self._separator = ",\n"
            self._file.writelines(f",\n{event}" for event in events)

    def _process(self, track: int) -> int:
        return self._processes[self._tables.tracks[track].component]

    def _thread(self, lane: Lane) -> int:
        """Number of a lane's thread, which is described when it is seen first."""
        thread = self._threads.get(lane)
        if thread is None:
            thread = self._threads[lane] = len(self._threads) + 1
            process = self._process(lane.track)
            track = self._tables.tracks[lane.track]
            name = title(track.name, lane.number)
            self._metadata("thread_name", process, thread, name=name, track=track.name, detail=track.detail)
            rank = self._ranks[lane.track] + lane.number
            self._metadata("thread_sort_index", process, thread, sort_index=rank)
        return thread

    def _metadata(self, kind: str, process: int, thread: int, **arguments: str | int) -> None:
        event = {"ph": "M", "pid": process, "tid": thread, "name": kind, "args": arguments}
        self._write(iter([json.dumps(event, separators=(",", ":"))]))


def _microseconds(time_ps: int) -> str:
    return f"{time_ps // _PS_PER_US}.{time_ps % _PS_PER_US:06d}"
