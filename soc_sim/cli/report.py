"""``soc-sim report``: a page of HTML from stored results."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from soc_sim.config.loader import load
from soc_sim.config.run import Run
from soc_sim.facade import simulate_run
from soc_sim.observe.figures.pack import pack
from soc_sim.observe.report.page import write_report
from soc_sim.observe.report.sources import StoredRun, read_results
from soc_sim.observe.trace.selection import DEFAULT


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="writes a page of HTML about one or more results",
        description="Writes one page of HTML that needs no network: where the time went, timeline, layers, roofline, "
        "energy, memory, configuration; of several results also a comparison with the first.",
    )
    parser.add_argument(
        "results", nargs="+", type=Path, metavar="RESULT", help="a file of `run --json`, or a folder of `run --out`"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page to write")
    parser.add_argument(
        "--record",
        action="store_true",
        help="simulates again what has no recorded timeline, from the configuration in the result",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        InputError: a result that cannot be read, or the page cannot be written.
    """
    runs = read_results(args.results)
    if args.record:
        with Console(stderr=True, quiet=args.quiet or not sys.stderr.isatty()).status("simulating"):
            runs = [_recorded(stored) for stored in runs]
    write_report(args.out, runs)
    if args.json:
        print(json.dumps({"report": str(args.out), "bytes": args.out.stat().st_size}))
    elif not args.quiet:
        print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {len(runs)} {'run' if len(runs) == 1 else 'runs'}")
    return 0


def _recorded(stored: StoredRun) -> StoredRun:
    """The run with a timeline; one that this version simulates otherwise keeps what it has, and a warning says so."""
    if stored.timeline is not None:
        return stored
    result = simulate_run(load(stored.document["config"], Run))
    if result.latency_ps != stored.document["latency_ps"]:
        print(
            f"warning: {stored.label}: takes {result.latency_ps} ps here and {stored.document['latency_ps']} ps in the "
            "result, which another version made; its timeline is left out",
            file=sys.stderr,
        )
        return stored
    return StoredRun(stored.label, stored.document, pack(result.timeline(DEFAULT)))
