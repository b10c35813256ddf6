"""``soc-sim trace``: converts a dumped trace, or says what it contains."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.cli.tracing import add_selection_options, selection_settings
from soc_sim.config.loader import load
from soc_sim.config.trace import Trace
from soc_sim.errors import InputError
from soc_sim.kernel import DETAILS
from soc_sim.observe.trace.copying import copy
from soc_sim.observe.trace.formats import FORMATS, format_of, writing
from soc_sim.observe.trace.reading import open_trace
from soc_sim.observe.trace.selection import selected
from soc_sim.observe.trace.summary import summarise
from soc_sim.observe.wording import printable, si
from soc_sim.units import PS_PER_S


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "trace",
        help="converts a dumped trace, or says what it contains",
        description="Works on traces that 'soc-sim run --trace FILE' has written as .json, .parquet or .csv.",
    )
    parser.add_argument("action", choices=("convert", "summary"), help="what to do")
    parser.add_argument("file", type=Path, metavar="FILE", help="a trace: .json, .parquet or .csv")
    parser.add_argument(
        "target", nargs="?", type=Path, metavar="TARGET", help=f"convert: the file to write; {', '.join(FORMATS)}"
    )
    add_selection_options(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command; a summary goes to stdout.

    Raises:
        InputError: a file cannot be read or written, or an argument is wrong.
    """
    settings = selection_settings(args, "")
    if args.action == "convert":
        if args.target is None:
            raise InputError("trace convert: the file to write is missing; write trace convert FILE TARGET")
        format_of(args.target)
        selection = selected(load({"detail": list(DETAILS)}, Trace, settings))
        source = open_trace(args.file)
        status = Console(stderr=True, quiet=args.quiet or not sys.stderr.isatty()).status("converting")
        with status, writing(args.target) as sink:
            copy(source, sink, selection=selection)
        if args.json:
            print(json.dumps({"schema": 1, "file": str(args.target), "bytes": args.target.stat().st_size}, indent=2))
        return 0
    if args.target is not None or settings:
        raise InputError("trace summary: takes one file and no selection; convert the part of interest first")
    report = {"schema": 1, "file": str(args.file), **summarise(open_trace(args.file))}
    if args.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print(report)
    return 0


def _print(report: dict[str, Any]) -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    print(f"{printable(report['file'])}: {si(report['latency_s'], 's')}, {report['layers']} layers")
    tracks = _table("track", "detail", "slices", "busy", "busy %", "longest", "from", "to")
    for track in report["tracks"]:
        share = "" if track["busy_share"] is None else f"{100 * track['busy_share']:.1f}"
        times = [track[key] for key in ("longest_ps", "first_ps", "last_ps")]
        shown = ["" if time is None else si(time / PS_PER_S, "s") for time in times]
        busy = si(track["busy_ps"] / PS_PER_S, "s")
        tracks.add_row(printable(track["name"]), track["detail"], str(track["slices"]), busy, share, *shown)
    _show(console, tracks)
    if report["counters"]:
        counters = _table("counter", "unit", "samples", "least", "mean", "most", "last")
        for counter in report["counters"]:
            values = [counter[key] for key in ("least", "mean", "most", "last")]
            shown = ["" if value is None else f"{value:.6g}" for value in values]
            counters.add_row(printable(counter["name"]), counter["unit"], str(counter["samples"]), *shown)
        _show(console, counters)


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for position, title in enumerate(titles):
        table.add_column(title, justify="left" if position < 2 else "right", no_wrap=True)
    return table


def _show(console: Console, table: Table) -> None:
    with console.capture() as capture:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())
