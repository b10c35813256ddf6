"""``soc-sim schema``: the JSON schema with which editors complete and check configuration files."""

from __future__ import annotations

import argparse
import json
from typing import Any

from soc_sim.config.schema import json_schema


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    subparsers.add_parser(
        "schema",
        help="prints the JSON schema of all files, for editors",
        description="Prints the JSON schema that covers every kind of configuration file.",
    )


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 — every command takes its arguments
    """Prints the schema."""
    print(json.dumps(json_schema(), indent=2))
    return 0
