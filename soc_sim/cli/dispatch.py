"""Finds the command that was asked for, runs it, and turns errors into messages and exit codes.

A command is a module of this package with ``add_parser(subparsers)``, which adds its own parser, and ``run(args)``,
which returns the exit code. Only the module of the command that was asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, NoReturn

from soc_sim.ahead_of_time import form
from soc_sim.errors import InputError, SocSimError, suggestion

COMMANDS: Final = (
    ("run", "simulates what a configuration describes: the main job"),
    ("scenario", "simulates several streams of requests, with other traffic and events in time"),
    ("check", "validates descriptions and prints every fault"),
    ("show", "prints the fully resolved configuration as YAML"),
    ("list", "lists what ships: SoCs, networks, memories, ..."),
    ("schema", "prints the JSON schema of all files, for editors"),
    ("compile", "prints the compiled program without simulating it"),
    ("verify", "executes the compiled program and checks its numbers"),
    ("prune", "prunes a trained model for an SoC: accuracy, latency, energy"),
    ("study", "compares sparse with dense weights over networks and arrays"),
    ("gemm", "runs one GEMM on a bare array"),
    ("dram", "replays a request trace against one memory"),
    ("report", "writes a page of HTML about one or more results"),
    ("plot", "draws one plot of a result as PNG, SVG or PDF"),
    ("diff", "says which statistics of two results differ, and by how much"),
    ("trace", "converts a dumped trace, or says what it contains"),
)
"""Module → what the command does. One whose module does not exist is not listed."""

PACKAGE: Final = "soc_sim.cli"
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED: Final = 141  # 128 + SIGPIPE


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage, which --help shows."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        hint = suggestion(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""
        self.exit(InputError.exit_code, f"{self.prog}: {message}{hint}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs ``soc-sim``; returns the exit code (0; 2 input, 3 deadlock, 4 verification; 1 other errors)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name no terminal can show is no reason to stop
    try:
        code = _dispatch(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except SocSimError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()  # whoever read the output has gone
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is None:  # a full disk, say
            _discard_stdout()
        print(f"{error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return SocSimError.exit_code
    return code


def _discard_stdout() -> None:
    """What is still buffered must not fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(arguments: list[str]) -> int:
    known = {name: text for name, text in COMMANDS if importlib.util.find_spec(f"{PACKAGE}.{name}")}
    parser = _Parser(
        prog="soc-sim", description="Simulates edge AI SoCs with a flexible systolic array.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"soc_sim {version('soc_sim')}, {form()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    chosen = next((argument for argument in arguments if argument in known), None)
    for name, text in known.items():
        if name != chosen:
            subparsers.add_parser(name, help=text)
            continue
        module = importlib.import_module(f"{PACKAGE}.{name}")
        module.add_parser(subparsers)
        _add_common(subparsers.choices[name])
    args = parser.parse_args(arguments)
    code: int = module.run(args)
    return code


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.allow_abbrev = False
    group = parser.add_argument_group("for every command")
    group.add_argument("--json", action="store_true", help="stdout is one JSON document and nothing else")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random")
