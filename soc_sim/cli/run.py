"""``soc-sim run``: simulates what a configuration describes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from soc_sim.cli.configuration import add_overrides, read_run
from soc_sim.cli.tracing import add_trace_options, requested, trace_settings, tracing
from soc_sim.config.loader import dump
from soc_sim.errors import InputError
from soc_sim.explore import bottlenecks
from soc_sim.facade import Result, simulate_run
from soc_sim.observe.figures.pack import SHOWN
from soc_sim.observe.files import write_all
from soc_sim.observe.report.page import check_installed
from soc_sim.observe.scalesim import TILES, OperandTimes, write_reports
from soc_sim.observe.tables import print_bottlenecks, print_result, print_warnings
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.observe.wording import si


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="simulates what a configuration describes: the main job",
        description="Simulates one network on one SoC: latency per layer, where the time went, traffic, energy.",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file of kind run, or the name of a shipped one")
    add_overrides(parser)
    add_trace_options(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="writes results and resolved configuration there")
    parser.add_argument(
        "--report", action="store_true", help="also writes report.html there, a page about the run with its timeline"
    )
    parser.add_argument(
        "--scalesim-reports",
        action="store_true",
        help="also writes COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv there",
    )
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="simulates once more with these values changed, and compares",
    )
    parser.add_argument(
        "--bottlenecks",
        action="store_true",
        help="says what bounds the run and simulates what would help: some more runs",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        SocSimError: faults of the input, one line each; or a deadlock.
    """
    if args.out is None and (args.report or args.scalesim_reports):
        option = "--report" if args.report else "--scalesim-reports"
        raise InputError(f"run: {option} writes into a folder; name it with --out DIR")
    if args.report:
        check_installed()
    settings = [*args.overrides, *trace_settings(args)]
    configuration = read_run(args.config, settings, args.seed)
    changed = read_run(args.config, [*settings, *args.what_if], args.seed) if args.what_if else None
    with Console(stderr=True, quiet=args.quiet or not sys.stderr.isatty()).status("simulating"):
        timeline = Timeline() if args.report else None
        operands = OperandTimes() if args.scalesim_reports else None
        further = [TraceRecorder(timeline, selection=SHOWN)] if timeline is not None else []
        further += [TraceRecorder(operands, selection=TILES)] if operands is not None else []
        with tracing(configuration.trace, args.trace, args.out, further, requested(args)) as recorder:
            result = simulate_run(configuration, recorder=recorder)
        if changed is not None:
            result.document["what_if"] = _comparison(args.what_if, result, simulate_run(changed))
        if args.bottlenecks:
            result.document["bottlenecks"] = bottlenecks(
                configuration, result.document, lambda eased: simulate_run(eased).document
            )
    if args.out:
        write_all(args.out, result.document, dump(configuration), timeline)
        if operands is not None:
            write_reports(args.out, result.document, configuration.soc.array, operands)
    if args.json:
        print(result.to_json())
        return 0
    print_result(result.document)
    print_warnings(result.document)
    if changed is not None:
        what_if = result.document["what_if"]
        print(f"what if {', '.join(args.what_if)}: {si(what_if['latency_s'], 's')}, {what_if['latency_change']:+.1%}")
    if args.bottlenecks:
        print_bottlenecks(result.document)
    return 0


def _comparison(settings: list[str], result: Result, other: Result) -> dict[str, Any]:
    """What a change brings: the second run's figures, and the change of latency relative to the first."""
    return {
        "set": settings,
        "latency_s": other.latency_s,
        "latency_change": other.latency_ps / result.latency_ps - 1,
        "energy_j": other.energy_j,
        "array_time_s": other.array_time_s,
    }
