"""``soc-sim show``: the fully resolved configuration, every default and every referenced part in place."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from typing import Any

from soc_sim.cli.configuration import add_overrides, read_any
from soc_sim.config.loader import dump
from soc_sim.config.run import Run
from soc_sim.config.scenario import Scenario


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "show",
        help="prints the fully resolved configuration as YAML",
        description="Prints a configuration with all references, overrides and defaults in place; it runs as it is.",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file, or the name of a shipped one")
    add_overrides(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the description as YAML, or as JSON.

    Raises:
        ConfigurationError: all faults, one line each.
    """
    model = read_any(args.config, args.overrides)
    if args.seed is not None and isinstance(model, Run | Scenario):
        model = model.model_copy(update={"seed": args.seed})
    if args.json:
        print(json.dumps(model.model_dump(mode="json", exclude_none=True), indent=2))
    else:
        print(f"# soc_sim {version('soc_sim')}\n{dump(model)}", end="")
    return 0
