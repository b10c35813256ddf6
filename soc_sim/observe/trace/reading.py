"""Reads dumped traces back, block by block: Parquet, CSV, and Chrome JSON as this package writes it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from soc_sim.errors import InputError, MissingExtraError
from soc_sim.observe.trace.columns import Block, Samples, Slices, TrackInfo
from soc_sim.observe.trace.csv import COLUMNS
from soc_sim.observe.trace.head import Head
from soc_sim.observe.trace.parquet import HEAD, arrow

_LINES = 1 << 16


class Interned(dict[str, int]):
    """Text → its number, in order of first use."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class Source(Protocol):
    """A trace that has been dumped."""

    head: Head
    names: Interned
    """Names of slices by number; they grow while blocks are read."""

    def blocks(self) -> Iterator[Block]:
        """Slices and samples, in the order in which they were written; tracks and layers are numbers in the head."""


def open_trace(path: Path) -> Source:
    """A dumped trace.

    Raises:
        InputError: it cannot be read, or is no trace.
    """
    readers: dict[str, Callable[[Path], Source]] = {".parquet": ParquetSource, ".csv": CsvSource, ".json": ChromeSource}
    if path.suffix not in readers:
        raise InputError(
            f"{path}: traces cannot be read from '{path.suffix}', which viewers read; allowed: {', '.join(readers)}"
        )
    try:
        return readers[path.suffix](path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or 'it is no Parquet file'}") from None
    except MissingExtraError:
        raise
    except (KeyError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no trace that soc-sim has written: {error}") from None


class ParquetSource:
    """A file of :class:`~soc_sim.observe.trace.parquet.ParquetWriter`."""

    def __init__(self, path: Path) -> None:
        self._file = arrow().parquet.ParquetFile(path)
        metadata = self._file.schema_arrow.metadata or {}
        stored = (self._file.metadata.metadata or {}) | metadata
        if HEAD not in stored:
            raise ValueError("its metadata have no head")
        self.head = Head.from_json(stored[HEAD].decode())
        self.names = Interned()
        self._tracks = {track.name: number for number, track in enumerate(self.head.tracks)}
        self._layers = {name: number for number, name in enumerate(self.head.layers)}

    def blocks(self) -> Iterator[Block]:
        """A row group is a block."""
        for number in range(self._file.num_row_groups):
            table = self._file.read_row_group(number).combine_chunks()
            tracks = _numbers(table["track"], self._tracks)
            starts_ps = table["start_ps"].to_numpy()
            if table["value"].null_count == 0:
                yield Samples(tracks, starts_ps, table["value"].to_numpy())
                continue
            yield Slices(
                tracks,
                _numbers(table["name"], self.names),
                _numbers(table["layer"], self._layers),
                starts_ps,
                starts_ps + table["duration_ps"].to_numpy(),
                table["instruction"].fill_null(-1).to_numpy(),
                table["waited_for"].fill_null(-1).to_numpy(),
            )


def _numbers(column: Any, known: dict[str, int]) -> Any:
    """The numbers of a column of texts; -1 for none."""
    encoded = column.dictionary_encode().combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not hasattr(encoded, "dictionary"):
        encoded = encoded.dictionary_encode()
    numbers = np.array([*(known[text] for text in encoded.dictionary.to_pylist()), -1], np.int64)
    return numbers[encoded.indices.fill_null(-1).to_numpy()]


@dataclass(frozen=True)
class Row:
    """A slice, or a sample, as text formats have it; ``track`` and ``layer`` are names."""

    detail: str
    track: str
    name: str
    layer: str
    start_ps: int
    duration_ps: int
    instruction: int
    waited_for: int
    value: float | None


class RowSource:
    """A file of lines that are read twice: first for the names, then for the blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = Interned()
        tracks: dict[str, TrackInfo] = {}
        layers: dict[str, None] = {}
        end_ps = 0
        for row in self._rows():
            if row.track not in tracks:
                unit = row.name if row.value is not None else ""
                tracks[row.track] = TrackInfo(row.track, row.detail, unit)  # type: ignore[arg-type]
            if row.layer:
                layers.setdefault(row.layer)
            end_ps = max(end_ps, row.start_ps + row.duration_ps)
        self.head = Head(tuple(tracks.values()), tuple(layers), end_ps)

    def _rows(self) -> Iterator[Row]:
        raise NotImplementedError

    def blocks(self) -> Iterator[Block]:
        """Some lines are a block; slices and samples alternate as in the file."""
        tracks = {track.name: number for number, track in enumerate(self.head.tracks)}
        layers = {name: number for number, name in enumerate(self.head.layers)} | {"": -1}
        rows = self._rows()
        while part := list(islice(rows, _LINES)):
            slices = [
                (
                    tracks[row.track],
                    self.names[row.name],
                    layers[row.layer],
                    row.start_ps,
                    row.start_ps + row.duration_ps,
                    row.instruction,
                    row.waited_for,
                )
                for row in part
                if row.value is None
            ]
            if slices:
                yield Slices.of_rows(np.array(slices, np.int64))
            samples = [(tracks[row.track], row.start_ps, row.value) for row in part if row.value is not None]
            if samples:
                columns = zip(*samples, strict=True)
                yield Samples(*(np.array(list(column), kind) for column, kind in zip(columns, "qqd", strict=True)))


class CsvSource(RowSource):
    """A file of :class:`~soc_sim.observe.trace.csv.CsvWriter`."""

    def _rows(self) -> Iterator[Row]:
        with self._path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            header = tuple(next(lines, ()))
            if header != COLUMNS:
                raise ValueError(f"the header is '{','.join(header)}'; allowed: {','.join(COLUMNS)}")
            for cells in lines:
                if len(cells) != len(COLUMNS):
                    raise ValueError(f"line {lines.line_num} has {len(cells)} values; allowed: {len(COLUMNS)}")
                detail, track, name, layer, start_ps, duration_ps, instruction, waited_for, value = cells
                yield Row(
                    detail,
                    track,
                    name,
                    layer,
                    int(start_ps),
                    int(duration_ps or 0),
                    int(instruction or -1),
                    int(waited_for or -1),
                    float(value) if value else None,
                )


class ChromeSource(RowSource):
    """A file of :class:`~soc_sim.observe.trace.chrome.ChromeWriter`, which writes an event a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        events = self._events()
        described = [event["args"] for event in events if event.get("name") == "thread_name"]
        idle = [TrackInfo(track["track"], track["detail"]) for track in described]
        busy = {track.name for track in self.head.tracks}
        missing = {track.name: track for track in idle if track.name not in busy}
        end_ps = self._about()["latency_ps"]
        self.head = Head((*self.head.tracks, *missing.values()), self.head.layers, end_ps)

    def _lines(self) -> Iterable[str]:
        with self._path.open(encoding="utf-8") as file:
            yield from file

    def _events(self) -> Iterator[dict[str, Any]]:
        lines = iter(self._lines())
        if not next(lines, "").startswith('{"displayTimeUnit":"ns","traceEvents":['):
            raise ValueError("its first line is another")
        for line in lines:
            if line.startswith("]"):
                return
            # The digits of a time are more than a float has.
            yield json.loads(line.rstrip(",\n"), parse_float=str)

    def _about(self) -> dict[str, Any]:
        last = ""
        for line in self._lines():
            last = line
        about: dict[str, Any] = json.loads("{" + last.removeprefix("],"))["otherData"]
        return about

    def _rows(self) -> Iterator[Row]:
        threads: dict[int, dict[str, str]] = {}
        for event in self._events():
            match event["ph"]:
                case "M" if event["name"] == "thread_name":
                    threads[event["tid"]] = event["args"]
                case "X":
                    about, track = event["args"], threads[event["tid"]]
                    yield Row(
                        track["detail"],
                        track["track"],
                        event["name"],
                        about.get("layer", ""),
                        _picoseconds(event["ts"]),
                        _picoseconds(event["dur"]),
                        about.get("instruction", -1),
                        about.get("waited_for", -1),
                        None,
                    )
                case "C":
                    unit, value = next(iter(event["args"].items()))
                    time_ps = _picoseconds(event["ts"])
                    yield Row("counters", event["name"], unit, "", time_ps, 0, -1, -1, float(value))


def _picoseconds(microseconds: str) -> int:
    whole, _, rest = microseconds.partition(".")
    return int(whole + rest)
