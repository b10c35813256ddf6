"""Takes what components tell, leaves out what is not wanted, and hands blocks of columns to sinks.

A slice costs 0.3 µs and a row in a buffer of fixed size; what is not selected costs nothing, because its component gets
no track. Slices that last no time are dropped: no viewer shows them, and they would nest in their neighbours.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from soc_sim.kernel import Detail
from soc_sim.observe.trace.columns import SLICE_FIELDS, Samples, Sink, Slices, Tables, TrackInfo
from soc_sim.observe.trace.selection import EVERYTHING, Selection, Window

BLOCK_ROWS = 1 << 16
"""Slices (samples) that are handed on together."""


class TraceRecorder:
    """A :class:`soc_sim.kernel.Recorder`; pass it to ``soc_sim.system.run``."""

    def __init__(self, *sinks: Sink, selection: Selection = EVERYTHING) -> None:
        self.tables = Tables()
        self._sinks = sinks
        self._selection = selection
        self._offered: list[str] = []
        self._numbers = _Interned(self.tables.names)
        self._slices = array("q")
        self._sample_tracks = array("q")
        self._sample_times = array("q")
        self._sample_values = array("d")
        self._counters: list[_Counter] = []

    def track(self, name: str, detail: Detail) -> _Track | None:
        """The track of this name; None where it is not selected."""
        number = self._number(TrackInfo(name, detail))
        if number is None:
            return None
        window = self._selection.window
        if window is None:
            return _Track(number, self._numbers, self._slices, self._flush_slices)
        return _WindowedTrack(number, self._numbers, self._slices, self._flush_slices, window)

    def counter(self, name: str, unit: str) -> _Counter | None:
        """The counter of this name; None where it is not selected."""
        number = self._number(TrackInfo(name, "counters", unit))
        if number is None:
            return None
        counter = _Counter(number, self._sample, self._selection.window)
        self._counters.append(counter)
        return counter

    def requests(self, name: str) -> None:
        """Requests are not part of a trace."""

    def _number(self, track: TrackInfo) -> int | None:
        self._offered.append(track.name)
        if not self._selection.wants(track.name, track.detail):
            return None
        self.tables.tracks.append(track)
        return len(self.tables.tracks) - 1

    def begin(self, layers: Sequence[str]) -> None:
        """Open the sinks.

        Raises:
            InputError: a pattern of the selection matches no component.
        """
        self._selection.check(self._offered)
        self.tables.layers = tuple(layers)
        for sink in self._sinks:
            sink.open(self.tables)

    def end(self, makespan_ps: int) -> None:
        """Hand on what is left, and close the sinks."""
        for counter in self._counters:
            counter.flush()
        self._cut(makespan_ps)
        self._flush_slices()
        self._flush_samples()
        for sink in self._sinks:
            sink.close(makespan_ps)

    def _cut(self, end_ps: int) -> None:
        """What background traffic was still to move when the run ended did not happen."""
        rows = np.array(self._slices, np.int64).reshape(-1, SLICE_FIELDS)
        if len(rows) and rows[:, _TIMES].max() > end_ps:
            rows[:, _TIMES] = np.minimum(rows[:, _TIMES], end_ps)
            rows = rows[rows[:, _TIMES.start] < rows[:, _TIMES.stop - 1]]
            # The tracks write into this very array.
            self._slices[:] = array("q", rows.tobytes())

    def _sample(self, track: int, time_ps: int, value: float) -> None:
        self._sample_tracks.append(track)
        self._sample_times.append(time_ps)
        self._sample_values.append(value)
        if len(self._sample_tracks) >= BLOCK_ROWS:
            self._flush_samples()

    def _flush_slices(self) -> None:
        if self._slices:
            block = Slices.of_rows(np.array(self._slices, np.int64).reshape(-1, SLICE_FIELDS))
            del self._slices[:]
            for sink in self._sinks:
                sink.slices(block)

    def _flush_samples(self) -> None:
        columns = (self._sample_tracks, self._sample_times, self._sample_values)
        if columns[0]:
            tracks, times_ps, values = (np.array(column) for column in columns)
            for column in columns:
                del column[:]
            for sink in self._sinks:
                sink.samples(Samples(tracks, times_ps, values))


_TIMES = slice(3, 5)
"""Columns of a slice's start and end."""


class _Interned(dict[str, int]):
    """Text → its number, in order of first use."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        self._texts.append(text)
        return number


class _Track:
    """Writes rows of one track into the recorder's buffer."""

    __slots__ = ("_buffer", "_flush", "_names", "_number")

    def __init__(self, number: int, names: _Interned, buffer: array[int], flush: Callable[[], None]) -> None:
        self._number = number
        self._names = names
        self._buffer = buffer
        self._flush = flush

    def slice(
        self, name: str, start_ps: int, end_ps: int, layer: int, instruction: int = -1, waited_for: int = -1
    ) -> None:
        if end_ps > start_ps:
            buffer = self._buffer
            buffer.extend((self._number, self._names[name], layer, start_ps, end_ps, instruction, waited_for))
            if len(buffer) >= BLOCK_ROWS * SLICE_FIELDS:
                self._flush()


class _WindowedTrack(_Track):
    """Keeps slices that overlap a span of time, whole."""

    __slots__ = ("_window",)

    def __init__(
        self, number: int, names: _Interned, buffer: array[int], flush: Callable[[], None], window: Window
    ) -> None:
        super().__init__(number, names, buffer, flush)
        self._window = window

    def slice(
        self, name: str, start_ps: int, end_ps: int, layer: int, instruction: int = -1, waited_for: int = -1
    ) -> None:
        if start_ps < self._window.to_ps and end_ps > self._window.from_ps:
            super().slice(name, start_ps, end_ps, layer, instruction, waited_for)


class _Counter:
    """Passes on the last value at each time, where it differs from the one before."""

    __slots__ = ("_number", "_passed", "_sample", "_time_ps", "_value", "_window")

    def __init__(self, number: int, sample: Callable[[int, int, float], None], window: Window | None) -> None:
        self._number = number
        self._sample = sample
        self._window = window
        self._passed: float | None = None
        self._time_ps = 0
        self._value = 0.0

    def set(self, time_ps: int, value: float) -> None:
        if time_ps != self._time_ps:
            self.flush()
            self._time_ps = time_ps
        self._value = value

    def flush(self) -> None:
        """Pass on the last value."""
        if self._value != self._passed:
            time_ps = self._time_ps
            if self._window is not None:
                if time_ps >= self._window.to_ps:
                    return
                time_ps = max(time_ps, self._window.from_ps)
            self._passed = self._value
            self._sample(self._number, time_ps, self._value)
