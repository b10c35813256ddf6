"""``soc-sim scenario``: several streams of requests on one SoC, from a description or a script."""

from __future__ import annotations

import argparse
import contextlib
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from soc_sim.cli.configuration import add_overrides, seeded
from soc_sim.cli.tracing import add_trace_options, requested, trace_settings, tracing
from soc_sim.config.loader import load
from soc_sim.config.scenario import Scenario
from soc_sim.config.trace import Trace
from soc_sim.errors import InputError, SocSimError
from soc_sim.network.resolve import network_faults
from soc_sim.observe.tables import print_warnings
from soc_sim.scenario import Outcome
from soc_sim.scenario.scenario import run_description
from soc_sim.scenario.tables import print_outcome


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "scenario",
        help="simulates several streams of requests, with other traffic and events in time",
        description="Simulates several streams of requests on one SoC: latencies, deadlines, interference, energy.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a YAML file of kind scenario, the name of a shipped one, or a Python script that leaves an 'outcome'",
    )
    add_overrides(parser)
    add_trace_options(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="writes the document there, too")


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        SocSimError: faults of the input, one line each; or a deadlock.
    """
    wanted = trace_settings(args, "")
    with Console(stderr=True, quiet=args.quiet or not sys.stderr.isatty()).status("simulating"):
        if args.file.endswith(".py"):
            if args.trace or args.requests:
                raise InputError(f"{args.file}: a script writes its own trace: scenario.run(until_s=…, trace=FILE)")
            outcome = _of_script(Path(args.file), args.overrides, args.seed)
        else:
            description = load(args.file, Scenario, [*args.overrides, *seeded(args.seed)], [network_faults])
            with tracing(load({}, Trace, wanted), args.trace, None, (), requested(args)) as recorder:
                outcome = run_description(description, recorder=recorder)
    if args.out:
        outcome.write_json(args.out)
    if args.json:
        print(outcome.to_json())
        return 0
    print_outcome(outcome.document)
    print_warnings(outcome.document)
    return 0


def _of_script(path: Path, overrides: Sequence[str], seed: int | None) -> Outcome:
    """Runs the script; what it prints goes to stderr."""
    if overrides or seed is not None:
        raise InputError(f"{path}: --set and --seed belong to YAML files; a script says these itself")
    if not path.is_file():
        raise InputError(f"no such file: '{path}'")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            left = runpy.run_path(str(path), run_name="__main__")
    except SocSimError:
        raise
    except Exception as error:  # noqa: BLE001 # whatever a user's script raises
        raise InputError(_fault(path, error)) from None
    outcome = left.get("outcome")
    if not isinstance(outcome, Outcome):
        raise InputError(f"{path}: leaves no 'outcome'; let it end with: outcome = scenario.run(until_s=…)")
    return outcome


def _fault(path: Path, error: Exception) -> str:
    """One line: where in the script, and what."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{path}{f':{line}' if line else ''}: {type(error).__name__}: {text}"
