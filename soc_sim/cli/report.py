"""``soc-sim report``: a page of HTML from stored results."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from soc_sim.cli.recording import recorded
from soc_sim.observe.report.page import check_installed, write_report
from soc_sim.observe.report.sources import read_results


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
    check_installed()
    runs = read_results(args.results)
    if args.record:
        runs = [recorded(stored, quiet=args.quiet) for stored in runs]
    write_report(args.out, runs)
    if args.json:
        print(json.dumps({"report": str(args.out), "bytes": args.out.stat().st_size}))
    elif not args.quiet:
        print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {len(runs)} {'run' if len(runs) == 1 else 'runs'}")
    return 0
