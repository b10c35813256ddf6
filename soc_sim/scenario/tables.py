"""Prints the document of a scenario as text: a table of streams, one of initiators, and a summary."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.observe.wording import percent, printable, si

Document = Mapping[str, Any]

_UNBOUNDED = 10_000


def print_outcome(document: Document, file: TextIO | None = None, width: int | None = None) -> None:
    """Print a scenario's document (a dict as ``scenario --json`` gives); warnings are left to the caller.

    Args:
        document: The JSON document.
        file: Where to, by default stdout; what its encoding lacks becomes a question mark.
        width: Characters of a line; by default those of the terminal, and without a terminal as many as it takes.
    """
    file = file or sys.stdout
    console = Console(file=file, markup=False, emoji=False, highlight=False)
    console.width = width or (console.width if console.is_terminal else _UNBOUNDED)
    with console.capture() as capture:
        if document["streams"]:
            console.print(_streams(document))
        console.print(_initiators(document))
        console.print(_summary(document))
    encoding = getattr(file, "encoding", None) or "utf-8"
    lines = capture.get().encode(encoding, "replace").decode(encoding).splitlines()
    file.writelines(f"{line.rstrip()}\n" for line in lines)


def _streams(document: Document) -> Table:
    titles = ("stream", "network", "cores", "done", "late", "mean", "p50", "p99", "max", "req/s", "busy %", "J/request")
    rows = []
    for stream in document["streams"]:
        latencies = (_seconds(stream[f"latency_{key}_s"]) for key in ("mean", "p50", "p99", "max"))
        late = str(stream["deadline_misses"]) if stream["deadline_s"] is not None else ""
        energy_j = stream["energy_per_request_j"]
        rows.append(
            (
                printable(stream["name"]),
                printable(stream["network"]),
                ",".join(map(str, stream["cores"])),
                f"{stream['completed']}/{stream['requests']}",
                late,
                *latencies,
                f"{stream['throughput_per_s']:.4g}",
                percent(stream["utilisation"], 1),
                si(energy_j, "J") if stream["completed"] else "",
            )
        )
    return _table(titles, rows, text=3)


def _initiators(document: Document) -> Table:
    titles = ("initiator", "MB", "bandwidth", "mean", "p50", "p99", "waited for")
    rows = []
    for name, one in document["initiators"].items():
        if one["transfers"]:
            latencies = (_seconds(one[f"latency_{key}_s"]) for key in ("mean", "p50", "p99"))
            waits = sorted(one["waited_s"].items(), key=lambda item: -item[1])
            who = ", ".join(f"{reason.removeprefix('arbitration:')} {si(span, 's')}" for reason, span in waits[:3])
            moved = (f"{one['bytes'] / 1e6:.3f}", si(one["bandwidth_bytes_per_s"], "B/s"))
            rows.append((printable(name), *moved, *latencies, printable(who)))
    return _table(titles, rows, text=1, last_is_text=True)


def _summary(document: Document) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    busy = ", ".join(f"core{index} {percent(core['utilisation'], 1)} %" for index, core in enumerate(document["cores"]))
    dram = document["dram"]
    peak = dram["peak_bytes_per_s"]
    table.add_row("time", si(document["elapsed_s"], "s"))
    table.add_row("arrays busy", busy)
    of_peak = f" ({percent(dram['bandwidth_bytes_per_s'], peak)} % of peak)" if peak else ""
    table.add_row("DRAM", f"{si(dram['bandwidth_bytes_per_s'], 'B/s')}{of_peak}")
    idle_j = document["idle_energy_j"]
    idle = "" if idle_j is None else f", of which {si(idle_j, 'J')} leaked while arrays were idle"
    table.add_row("energy", f"{si(document['energy_j'], 'J')}{idle}")
    return table


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, text: int, last_is_text: bool = False) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for place, title in enumerate(titles):
        left = place < text or (last_is_text and place == len(titles) - 1)
        table.add_column(title, justify="left" if left else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else si(value, "s")
