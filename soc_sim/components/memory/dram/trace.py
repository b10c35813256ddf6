"""Request traces: CSV with the header ``arrival_ps,address,size_bytes,kind``."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from soc_sim.components.memory.dram.replay import Request
from soc_sim.errors import InputError

LATEST_PS = 1e15
"""A thousand seconds; a longer trace would be replayed for minutes, and floats no longer hold each picosecond."""

HEADER = ("arrival_ps", "address", "size_bytes", "kind")
MOST_FAULTS = 20
"""Lines of a message: a file of another format has a fault in every line."""


def read_trace(path: Path, capacity_bytes: int) -> list[Request]:
    """The requests of a file, for a memory of ``capacity_bytes``.

    Arrivals may have fractions (rounded to picoseconds) and need not ascend; addresses are decimal or ``0x`` and need
    not be aligned.

    Raises:
        InputError: all faults, one line each (of many the first ones).
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: is no CSV file; allowed: text with the header {','.join(HEADER)}") from None
    header = tuple(cell.strip() for cell in lines[0]) if lines else ()
    if header != HEADER:
        raise InputError(f"{path}:1: the header is '{','.join(header)}'; allowed: {','.join(HEADER)}")
    requests, faults = [], []
    for number, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        wrong = list(_faults(cells, capacity_bytes))
        if wrong:
            faults += [f"{path}:{number}: {text}" for text in wrong]
        else:
            arrival_ps = round(float(cells[0]))
            address, size_bytes = _whole(cells[1].strip()), _whole(cells[2].strip())
            assert address is not None  # noqa: S101 # or there would be a fault
            assert size_bytes is not None  # noqa: S101
            requests.append(Request(arrival_ps, address, size_bytes, cells[3].strip() == "W"))
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [f"{path}: {len(faults) - MOST_FAULTS} more faults"]
    if not requests and not faults:
        faults = [f"{path}: has no requests; allowed: at least one line below the header"]
    if faults:
        raise InputError(*faults)
    return requests


def _faults(cells: Sequence[str], capacity_bytes: int) -> Iterator[str]:
    if len(cells) != len(HEADER):
        yield f"has {len(cells)} values; allowed: {len(HEADER)} ({','.join(HEADER)})"
        return
    arrival, address, size, kind = (cell.strip() for cell in cells)
    try:
        fits = 0 <= float(arrival) <= LATEST_PS
    except ValueError:
        fits = False
    if not fits:
        yield f"arrival_ps: '{arrival}' is out of range; allowed: a number of picoseconds from 0 to {LATEST_PS:g}"
    start, length = _whole(address), _whole(size)
    if start is None or start < 0:
        yield f"address: '{address}' is out of range; allowed: whole numbers from 0 on, decimal or 0x"
    if length is None or length < 1:
        yield f"size_bytes: '{size}' is out of range; allowed: whole numbers from 1 on"
    if start is not None and length is not None and start + length > capacity_bytes:
        yield f"address: {address} and {size} bytes more lie beyond the memory's {capacity_bytes} bytes"
    if kind not in ("R", "W"):
        yield f"kind: '{kind}' is unknown; allowed: R, W"


def _whole(text: str) -> int | None:
    """Decimal, zeros in front allowed; or hexadecimal after 0x."""
    try:
        return int(text, 16 if text[:2] in ("0x", "0X") else 10)
    except ValueError:
        return None
