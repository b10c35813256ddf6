"""``soc-sim diff``: which statistics of two results differ, and by how much."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.errors import InputError
from soc_sim.observe.columns import Document
from soc_sim.observe.comparison import Comparison, Difference, compare
from soc_sim.observe.describing import unit
from soc_sim.observe.report.sources import read_document
from soc_sim.observe.wording import printable

SCHEMA = 1
DIFFERENT = 1
"""Exit code, as that of diff(1)."""


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "diff",
        help="says which statistics of two results differ, and by how much",
        description="Compares two results: folders of 'run --out', or files of '--json'. The time a simulation took "
        "is left out. Exit code: 0 where no statistic differs, 1 where some do, 2 for wrong input.",
    )
    parser.add_argument("a", type=Path, metavar="A", help="a folder of 'run --out', or a JSON file")
    parser.add_argument("b", type=Path, metavar="B", help="another")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="ignores changes up to this share of A (0.01)",
    )
    parser.add_argument("--layers", action="store_true", help="also lists the statistics of single layers")


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: a result cannot be read, or the tolerance is negative.
    """
    faults: list[str] = []
    if not args.tolerance >= 0:
        faults.append(f"--tolerance: {args.tolerance} is out of range; allowed: 0 or more")
    documents: list[Document] = []
    for path in (args.a, args.b):
        try:
            documents.append(read_document(path))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    comparison = compare(documents[0], documents[1], args.tolerance)
    if args.json:
        print(json.dumps(_report(args, comparison), indent=2, ensure_ascii=False))
    else:
        _print(comparison, with_layers=args.layers)
    return DIFFERENT if comparison.statistics else 0


def _report(args: argparse.Namespace, comparison: Comparison) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "a": str(args.a),
        "b": str(args.b),
        "tolerance": args.tolerance,
        "equal": not comparison.statistics,
        "settings": [{"name": one.name, "a": one.a, "b": one.b} for one in comparison.settings],
        "statistics": [one.to_json() for one in comparison.statistics],
        "warnings": {"only_a": list(comparison.warnings[0]), "only_b": list(comparison.warnings[1])},
    }


def _print(comparison: Comparison, *, with_layers: bool) -> None:
    for one in comparison.settings:
        print(f"config.{printable(one.name)}: {_value(one.a)} → {_value(one.b)}")
    of_layers = [one for one in comparison.statistics if one.path[0] == "layers"]
    shown = [one for one in comparison.statistics if with_layers or one.path[0] != "layers"]
    if shown:
        _table(shown)
    for side, texts in zip("AB", comparison.warnings, strict=True):
        for text in texts:
            print(f"warning of {side} only: {printable(text)}")
    if of_layers and not with_layers:
        names = {one.path[1] for one in of_layers}
        print(f"{len(of_layers)} statistics of {len(names)} layers differ, too; --layers lists them")
    if not comparison.statistics:
        print("no statistic differs")


def _table(differences: Sequence[Difference]) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("statistic", "A", "B", "change", "change %", "unit"):
        table.add_column(title, justify="left" if title in ("statistic", "unit") else "right", no_wrap=True)
    for one in differences:
        change = "" if one.change is None else f"{one.change:+.6g}"
        relative = "" if one.relative is None else f"{100 * one.relative:+.2f}"
        measured = unit(one.keys) if one.change is not None else ""
        table.add_row(printable(one.name), _value(one.a), _value(one.b), change, relative, measured)
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    with console.capture() as capture:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _value(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.9g}" if isinstance(value, float) else printable(str(value))
