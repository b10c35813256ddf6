"""``soc-sim plot``: one plot of a stored result as PNG, SVG or PDF."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from soc_sim.cli.recording import recorded
from soc_sim.errors import InputError
from soc_sim.observe.plot.picture import FORMATS, check_installed, check_suffix
from soc_sim.observe.plot.plots import KINDS, OVER_TIME, Plots
from soc_sim.observe.report.sources import read_results
from soc_sim.units import PS_PER_S, to_integer


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "plot",
        help="draws one plot of a result as PNG, SVG or PDF",
        description="Draws one plot of a stored result. A timeline or bandwidth that was not recorded (run --report) "
        "is simulated again, from the configuration in the result.",
    )
    parser.add_argument(
        "result", type=Path, metavar="RESULT", help="a file of `run --json`, or a folder of `run --out`"
    )
    parser.add_argument("--kind", choices=KINDS, required=True, help="what to draw")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"ends in {', '.join(FORMATS)}")
    parser.add_argument("--span", metavar="FROM:TO", help="part of the time, as in '1 ms:2.5 ms' (timeline, bandwidth)")
    parser.add_argument("--width", type=float, metavar="INCHES", help="width of the plot")
    parser.add_argument("--height", type=float, metavar="INCHES", help="height of the plot")
    parser.add_argument("--dark", action="store_true", help="on a dark background")


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        InputError: a result that cannot be read or has no timeline, a span that is none, a file that cannot be written.
    """
    check_suffix(args.out)
    check_installed()
    over_time = args.kind in OVER_TIME
    if args.span and not over_time:
        raise InputError(f"plot: --span belongs to {' and '.join(OVER_TIME)}, not to {args.kind}")
    options: dict[str, Any] = {"dark": args.dark}
    options |= {"span_s": _span_s(args.span)} if args.span else {}
    options |= {
        name: _positive(name, value) for name in ("width", "height") if (value := getattr(args, name)) is not None
    }
    (stored,) = read_results([args.result])
    if over_time:
        stored = recorded(stored, quiet=args.quiet)
    timeline = stored.timeline
    if over_time and timeline is None:
        raise InputError(f"{args.result}: has no timeline to draw")
    plots = Plots(stored.document, lambda: timeline or {})
    getattr(plots, args.kind)(**options).save(args.out)
    if args.json:
        print(json.dumps({"plot": str(args.out), "bytes": args.out.stat().st_size}))
    return 0


def _span_s(text: str) -> tuple[float, float]:
    begin, colon, end = text.partition(":")
    try:
        span_ps = to_integer(begin, "ps"), to_integer(end, "ps")
    except ValueError as error:
        raise InputError(
            f"plot: --span: {error}" if colon else "plot: --span: write FROM:TO, as in '1 ms:2.5 ms'"
        ) from None
    if not 0 <= span_ps[0] < span_ps[1]:
        raise InputError(f"plot: --span: '{text}' does not go forward in time")
    return span_ps[0] / PS_PER_S, span_ps[1] / PS_PER_S


def _positive(name: str, inches: float) -> float:
    if not 1 <= inches <= 100:
        raise InputError(f"plot: --{name}: {inches:g} is not between 1 and 100 inches")
    return inches
