"""Writes a trace as a Value Change Dump, for viewers of waveforms (GTKWave, Surfer). Needs the extra ``trace``.

Format: IEEE 1364, section 18, with GTKWave's ``string`` variables; one time unit is 1 ps. Signals by track:

- ``state`` (string): the name of the slice under way, ``-`` when there is none; of tracks whose slices never overlap
- ``active`` (integer): how many slices are under way; of all other tracks
- ``value`` (real): of counters

Layers, instructions and arrows are left out. Value changes must be in order of time, so that everything is spooled to
disk until the end, and then sorted one span of time after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TextIO

import numpy as np

import soc_sim
from soc_sim.errors import MissingExtraError
from soc_sim.observe.trace.columns import Integers, Samples, Slices, Tables
from soc_sim.observe.trace.lanes import Lanes
from soc_sim.observe.trace.spool import Spool

IDLE: Final = "-"
_ROWS_AT_ONCE: Final = 1 << 19
_END, _BEGIN, _VALUE = 0, 1, 2


class VcdWriter:
    """A sink that spools, and writes when the trace is complete."""

    def __init__(self, file: TextIO) -> None:
        try:
            from vcd import VCDWriter
        except ImportError:
            raise MissingExtraError("VCD needs pyvcd: pip install 'soc_sim[trace]'") from None
        self._writer: Any = VCDWriter(
            file, timescale="1 ps", date="", version=f"soc_sim {soc_sim.__version__}", check_values=False
        )
        self._spool = Spool(4)
        self._lanes = Lanes()
        self._overlapping: set[int] = set()

    def open(self, tables: Tables) -> None:
        """Note the names."""
        self._tables = tables

    def slices(self, block: Slices) -> None:
        """Spool a begin and an end of each slice."""
        kinds = np.ones_like(block.tracks)
        self._spool.append(block.starts_ps, _BEGIN * kinds, block.tracks, block.names)
        self._spool.append(block.ends_ps, _END * kinds, block.tracks, block.names)
        self._overlapping |= {lane.track for lane, _ in self._lanes.split(block) if lane.number}

    def samples(self, block: Samples) -> None:
        """Spool the values."""
        self._spool.append(
            block.times_ps, np.full_like(block.tracks, _VALUE), block.tracks, block.values.view(np.int64)
        )

    def close(self, end_ps: int) -> None:
        """Write the signals, and their changes in order of time."""
        signals = [self._signal(number) for number in range(len(self._tables.tracks))]
        changes = _Changes(self._tables, self._overlapping)
        for block in self._sorted(end_ps):
            for time_ps, track, value in changes.of(block):
                self._writer.change(signals[track], time_ps, value)
        # Data of the last write may move after the last instruction has been acknowledged.
        self._writer.close(max(end_ps, changes.last_ps))
        self._spool.close()

    def _signal(self, number: int) -> Any:
        track = self._tables.tracks[number]
        if track.detail == "counters":
            scope, _, name = track.name.rpartition(".")
            return self._writer.register_var(scope or track.name, name, "real", init=0.0)
        if number in self._overlapping:
            return self._writer.register_var(track.name, "active", "integer", init=0)
        return self._writer.register_var(track.name, "state", "string", init=IDLE)

    def _sorted(self, end_ps: int) -> Iterator[tuple[Integers, ...]]:
        """The rows in order of time and kind, a span of time after another; those of one time come together."""
        spans = len(self._spool) // _ROWS_AT_ONCE + 1
        edges = [end_ps * span // spans for span in range(spans)]
        # A trace cut by a window may go on after its end.
        for first, last in zip(edges, [*edges[1:], np.iinfo(np.int64).max], strict=True):
            parts = []
            for block in self._spool.blocks():
                chosen = (block[0] >= first) & (block[0] < last)
                if chosen.any():
                    parts.append([column[chosen] for column in block])
            if parts:
                columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
                order = np.lexsort((columns[1], columns[0]))
                yield tuple(column[order] for column in columns)


class _Changes:
    """Turns begins and ends into the values of signals; of changes at one time the last remains."""

    def __init__(self, tables: Tables, overlapping: set[int]) -> None:
        self._names = tables.names
        self._overlapping = overlapping
        self._active = [0] * len(tables.tracks)
        self.last_ps = 0

    def of(self, block: tuple[Integers, ...]) -> Iterator[tuple[int, int, Any]]:
        """(time, track, value)."""
        times, kinds, tracks, contents = block
        values = contents.view(np.float64).tolist()
        changed: dict[int, Any] = {}
        now_ps = -1
        rows = zip(times.tolist(), kinds.tolist(), tracks.tolist(), contents.tolist(), values, strict=True)
        for time_ps, kind, track, name, value in rows:
            if time_ps != now_ps:
                yield from ((now_ps, signal, last) for signal, last in changed.items())
                changed.clear()
                self.last_ps = now_ps = time_ps
            if kind == _VALUE:
                changed[track] = value
            elif track in self._overlapping:
                self._active[track] += 1 if kind == _BEGIN else -1
                changed[track] = self._active[track]
            else:
                changed[track] = self._names[name] if kind == _BEGIN else IDLE
        yield from ((now_ps, signal, last) for signal, last in changed.items())
