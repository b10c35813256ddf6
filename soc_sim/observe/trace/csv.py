"""Writes a trace as CSV: the columns of the Parquet file, in order of recording.

RFC 4180 in UTF-8, but lines end in LF, and a carriage return in a name becomes a space. What a row does not have is
empty: a row with a ``value`` is a sample of a counter, and its ``name`` the unit. Tracks that were never busy do not
appear.
"""

from __future__ import annotations

import csv
from typing import Final, TextIO

from soc_sim.observe.trace.columns import Samples, Slices, Tables

COLUMNS: Final = (
    "detail",
    "track",
    "name",
    "layer",
    "start_ps",
    "duration_ps",
    "instruction",
    "waited_for",
    "value",
)


class CsvWriter:
    """A sink that writes lines."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")

    def open(self, tables: Tables) -> None:
        """Write the header."""
        self._tables = tables
        self._writer.writerow(COLUMNS)

    def slices(self, block: Slices) -> None:
        """Write a line for each slice."""
        tracks = [(track.detail, track.name) for track in self._tables.tracks]
        names = [_line(name) for name in self._tables.names]
        # A number of -1, or of a layer without name, ends up at what is missing.
        layers = {**dict(enumerate(map(_line, self._tables.layers))), -1: ""}
        columns = (
            block.tracks,
            block.names,
            block.layers,
            block.starts_ps,
            block.ends_ps - block.starts_ps,
            block.instructions,
            block.waited_for,
        )
        self._writer.writerows(
            (
                *tracks[track],
                names[name],
                layers.get(layer, ""),
                start_ps,
                duration_ps,
                instruction if instruction >= 0 else "",
                waited_for if waited_for >= 0 else "",
                "",
            )
            for track, name, layer, start_ps, duration_ps, instruction, waited_for in zip(
                *(column.tolist() for column in columns), strict=True
            )
        )

    def samples(self, block: Samples) -> None:
        """Write a line for each sample; a value has all its digits."""
        tracks = self._tables.tracks
        columns = (block.tracks, block.times_ps, block.values)
        self._writer.writerows(
            ("counters", tracks[track].name, tracks[track].unit, "", time_ps, "", "", "", repr(value))
            for track, time_ps, value in zip(*(column.tolist() for column in columns), strict=True)
        )

    def close(self, end_ps: int) -> None:
        """All has been written."""


def _line(name: str) -> str:
    return name.replace("\r", " ")
