"""``soc-sim study``: what sparse weights gain, over networks, arrays, patterns and levels; a table and a figure."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from soc_sim.cli.configuration import add_overrides
from soc_sim.config.loader import load
from soc_sim.config.study import Study
from soc_sim.errors import InputError, suggestion
from soc_sim.explore.study import Key, Table, in_parts, keys_of, run_entry
from soc_sim.explore.study.figure import draw
from soc_sim.explore.study.page import markdown
from soc_sim.observe.replacing import replacing


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "study",
        help="compares sparse with dense weights over networks and arrays",
        description="Simulates every entry that --out does not hold yet, and writes table and figure there.",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file of kind study, or the name of a shipped one")
    add_overrides(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="keeps entries.csv, table.md, speedup.png"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NETWORK/ARRAY/PATTERN/LEVEL",
        help="these entries alone, again if they are there; parts may be left out, as in resnet50_seeded/16 or "
        "//unstructured",
    )
    parser.add_argument(
        "--part",
        type=_part,
        default=(1, 1),
        metavar="I/N",
        help="begin with part I of N: N processes, each with another I, may fill one folder together",
    )
    parser.add_argument(
        "--table-only", action="store_true", help="simulate nothing: table and figure of the entries that --out holds"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command; an entry that cannot be simulated is named and left out.

    Raises:
        InputError: faults of the configuration, of --only, of options that exclude one another, or of what --out holds.
    """
    if args.table_only and (args.only or args.part != (1, 1)):
        other = "--only" if args.only else "--part"
        raise InputError(f"--table-only: simulates nothing, so {other} has no effect; leave out one of the two")
    settings = [*args.overrides, *([] if args.seed is None else [f"seed={args.seed}"])]
    study = load(args.config, Study, settings)
    keys = list(keys_of(study))
    table = Table(args.out / "entries.csv")
    if args.table_only and not table.rows:
        raise InputError(f"{table.path}: has no entries; run the study without --table-only first")
    chosen = _chosen(keys, args.only) if args.only else [key for key in keys if key not in table]
    failed = []
    for number, key in enumerate([] if args.table_only else in_parts(chosen, *args.part), start=1):
        table.read()
        if key in table and not args.only:
            continue  # another process was quicker
        try:
            entry = run_entry(study, key)
        except InputError as error:
            failed.append(f"{key}: {error}")
            continue
        table.add(entry, study)
        if not args.quiet:
            row = table.rows[key]
            speedups = " ".join(f"{row[f'speedup_{scope}']}" for scope in ("compute", "dram", "host"))
            print(f"{number}/{len(chosen)} {key}: {speedups}", file=sys.stderr, flush=True)
    table.read()
    with replacing(args.out / "table.md") as file:
        file.writelines(f"{line}\n" for line in markdown(study, table))
    draw(args.out / "speedup.png", study, table)
    if args.json:
        print(json.dumps([table.rows[key] for key in keys if key in table], indent=2))
    else:
        print("\n".join(markdown(study, table)))
    if failed:
        raise InputError(*failed)
    return 0


def _part(text: str) -> tuple[int, int]:
    """I and N of "I/N"."""
    part, _, parts = text.partition("/")
    if part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise argparse.ArgumentTypeError(f"'{text}' is no part; allowed: I/N with I from 1 to N, as in 1/2")


def _chosen(keys: list[Key], patterns: list[str]) -> list[Key]:
    """The entries that match one of the patterns, part by part."""
    found = []
    for pattern in patterns:
        parts = pattern.split("/")
        matching = [
            key
            for key in keys
            if len(parts) <= 4
            and all(not part or part == own for part, own in zip(parts, str(key).split("/"), strict=False))
        ]
        if not matching:
            raise InputError(
                f"--only {pattern}: matches no entry; allowed: parts of NETWORK/ARRAY/PATTERN/LEVEL as in {keys[0]}"
                f"{suggestion(pattern, map(str, keys))}"
            )
        found += matching
    return list(dict.fromkeys(found))
