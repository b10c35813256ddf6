"""What commands that take a configuration have in common: its arguments and how it is read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from soc_sim.config.base import Description
from soc_sim.config.loader import load, load_any
from soc_sim.config.overrides import Override, Setting
from soc_sim.config.run import Run
from soc_sim.network.resolve import network_faults
from soc_sim.system.registry import load_plugins

load_plugins()


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Adds ``--set``, which collects texts in ``args.overrides``."""
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override a value, as in soc.array.rows=32; may be given several times",
    )


def read_run(config: str, overrides: Sequence[str], seed: int | None) -> Run:
    """The run that a command is asked to work on; ``seed`` goes before the one in the configuration.

    Raises:
        ConfigurationError: all faults, one line each; a network that nobody knows is one of them.
    """
    return load(config, Run, [*overrides, *seeded(seed)], [network_faults])


def seeded(seed: int | None) -> list[Override]:
    """What ``--seed`` changes in a configuration."""
    return [] if seed is None else [Setting("seed", seed, "--seed")]


def read_any(config: str, overrides: Sequence[str]) -> Description:
    """As :func:`read_run`, for a file of any kind."""
    return load_any(config, overrides, [network_faults])
