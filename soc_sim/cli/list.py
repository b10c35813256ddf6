"""``soc-sim list``: what ships with the simulator."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from soc_sim.config import shipped
from soc_sim.config.array import Array
from soc_sim.config.loader import load, load_any
from soc_sim.config.memory import Dram, IdealMemory, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.dataflow import DATAFLOWS, SPARSE_DATAFLOWS
from soc_sim.network import operators, zoo
from soc_sim.units import format_quantity

Row = Mapping[str, object]


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "list",
        help="lists what ships: SoCs, networks, memories, ...",
        description="Lists what ships with the simulator; without a category, everything.",
    )
    parser.add_argument("category", nargs="?", choices=tuple(CATEGORIES), help=f"one of {', '.join(CATEGORIES)}")


def run(args: argparse.Namespace) -> int:
    """Prints one table for each category, or a document of category → rows.

    Raises:
        ConfigurationError: a shipped file was changed and is wrong.
    """
    chosen = [args.category] if args.category else list(CATEGORIES)
    listing = {category: CATEGORIES[category]() for category in chosen}
    if args.json:
        print(json.dumps(listing, indent=2, ensure_ascii=False))
        return 0
    console = Console(highlight=False)
    for category, rows in listing.items():
        _print_table(console, category, rows)
    return 0


def _print_table(console: Console, title: str, rows: list[Row]) -> None:
    if not console.is_terminal:
        # Whole values, tab-separated: for other programs.
        print(f"{title}\n" + "\n".join("  " + "\t".join(_text(value) for value in row.values()) for row in rows))
        return
    table = Table(*rows[0], title=title, title_justify="left", box=None)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console.print(table)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _socs() -> list[Row]:
    socs = {path: load(path, Soc) for path in shipped.paths(["soc"]).values()}
    return [
        {
            "name": path.stem,
            "array": f"{soc.cores} × {soc.array.rows}×{soc.array.cols}",
            "clock": format_quantity(soc.array.clock_hz, "hz"),
            "dram": soc.dram.name,
            "description": _first_line(path),
        }
        for path, soc in socs.items()
    ]


def _networks() -> list[Row]:
    entries = [zoo.describe(name) for name in zoo.names()]
    files = shipped.paths(["network"])
    return [
        *({"name": entry.name, "macs": entry.macs, "description": entry.description} for entry in entries),
        *({"name": name, "macs": None, "description": _first_line(path)} for name, path in files.items()),
    ]


def _drams() -> list[Row]:
    rows: list[Row] = []
    for name, path in shipped.paths(["dram", "simple_memory", "ideal_memory"]).items():
        memory = load_any(path)
        if not isinstance(memory, Dram | SimpleMemory | IdealMemory):
            continue
        capacity = format_quantity(memory.capacity_bytes, "bytes")
        rows.append({"name": name, "kind": memory.kind, "capacity": capacity, "description": _first_line(path)})
    return rows


def _arrays() -> list[Row]:
    arrays = {path: load(path, Array) for path in shipped.paths(["array"]).values()}
    return [
        {"name": path.stem, "rows": array.rows, "cols": array.cols, "description": _first_line(path)}
        for path, array in arrays.items()
    ]


def _energy() -> list[Row]:
    return [{"name": name, "description": _first_line(path)} for name, path in shipped.paths(["energy"]).items()]


def _configs() -> list[Row]:
    return [{"name": name, "description": _first_line(path)} for name, path in shipped.paths(["run"]).items()]


def _scenarios() -> list[Row]:
    return [{"name": name, "description": _first_line(path)} for name, path in shipped.paths(["scenario"]).items()]


def _first_line(path: Path) -> str:
    """Every shipped file opens with a comment that says what it is."""
    return path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")


def _dataflows() -> list[Row]:
    return [
        {"name": name, "description": (type(flow).__doc__ or "").splitlines()[0]}
        for name, flow in (*DATAFLOWS.items(), *SPARSE_DATAFLOWS.items())
    ]


def _operators() -> list[Row]:
    return [{"name": name, "family": kind.family} for name, kind in sorted(operators.OPERATORS.items())]


CATEGORIES: Final[dict[str, Callable[[], list[Row]]]] = {
    "socs": _socs,
    "networks": _networks,
    "drams": _drams,
    "arrays": _arrays,
    "dataflows": _dataflows,
    "operators": _operators,
    "energy": _energy,
    "configs": _configs,
    "scenarios": _scenarios,
}
