"""``soc-sim check``: validates files of any kind and prints every fault of each."""

from __future__ import annotations

import argparse
import json
from typing import Any

from soc_sim.cli.configuration import add_overrides, read_any
from soc_sim.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "check",
        help="validates descriptions and prints every fault",
        description="Validates files of any kind: 'FILE: ok', or one line per fault; exit code 2 if there is any.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a YAML file, or the name of a shipped one")
    add_overrides(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the verdict on each file; 0 if all are good, else 2."""
    verdicts: dict[str, tuple[str, ...]] = {}
    for file in args.files:
        try:
            read_any(file, args.overrides)
            verdicts[file] = ()
        except InputError as error:
            verdicts[file] = error.faults
    if args.json:
        print(json.dumps([{"file": file, "faults": list(faults)} for file, faults in verdicts.items()], indent=2))
    else:
        for file, faults in verdicts.items():
            print("\n".join(faults) or f"{file}: ok")
    return InputError.exit_code if any(verdicts.values()) else 0
