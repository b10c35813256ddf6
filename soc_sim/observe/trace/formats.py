"""The format of a trace's file, chosen by its suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soc_sim.errors import InputError, suggestion
from soc_sim.observe.replacing import replacing
from soc_sim.observe.trace.chrome import ChromeWriter
from soc_sim.observe.trace.columns import Sink
from soc_sim.observe.trace.csv import CsvWriter
from soc_sim.observe.trace.parquet import ParquetWriter
from soc_sim.observe.trace.perfetto import PerfettoWriter
from soc_sim.observe.trace.vcd import VcdWriter


@dataclass(frozen=True)
class Format:
    """A format that can be written."""

    name: str
    make: Callable[[Any], Sink]
    """Makes the sink that writes into an open file."""
    binary: bool = False


FORMATS = {
    ".json": Format("Chrome trace JSON", ChromeWriter),
    ".pftrace": Format("Perfetto protocol buffers", PerfettoWriter, binary=True),
    ".parquet": Format("Parquet", ParquetWriter, binary=True),
    ".csv": Format("CSV", CsvWriter),
    ".vcd": Format("Value Change Dump", VcdWriter),
}
"""Suffix → format."""


def format_of(path: Path) -> Format:
    """The format that a file's suffix stands for.

    Raises:
        InputError: it stands for none.
    """
    found = FORMATS.get(path.suffix)
    if found is None:
        raise InputError(
            f"{path}: '{path.suffix}' is no format of traces; allowed: {', '.join(FORMATS)}"
            f"{suggestion(path.suffix, list(FORMATS))}"
        )
    return found


@contextmanager
def writing(path: Path) -> Iterator[Sink]:
    """A sink whose file takes the place of ``path`` when the block ends well; else ``path`` stays as it was.

    Raises:
        InputError: the suffix stands for no format, or ``path`` cannot be written.
    """
    chosen = format_of(path)
    with replacing(path, binary=chosen.binary) as file:
        yield chosen.make(file)
