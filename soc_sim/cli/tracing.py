"""What commands that trace a run have in common: their options, and writing the files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from soc_sim.config.trace import Trace
from soc_sim.errors import InputError
from soc_sim.kernel import Recorder
from soc_sim.observe.replacing import replacing
from soc_sim.observe.requests import RequestRecorder
from soc_sim.observe.trace.formats import FORMATS, format_of, writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import selected
from soc_sim.observe.trace.several import Several


def add_trace_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--trace`` and the options that say what it contains."""
    group = parser.add_argument_group("traces")
    group.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help=f"writes what was busy when; the suffix says in which format: {', '.join(FORMATS)}",
    )
    _add_selection(group, "--trace-")
    group.add_argument(
        "--requests",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="writes what arrives at a memory (dram=FILE.csv), or what an initiator asks for, as CSV for 'soc-sim dram'"
        " and for background traffic; may be given several times",
    )


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say which part of a dumped trace is wanted."""
    _add_selection(parser.add_argument_group("what is converted"), "--")


def _add_selection(group: argparse._ArgumentGroup, prefix: str) -> None:
    default = "layers,tiles,transfers,stalls" if prefix == "--trace-" else "all"
    group.add_argument(
        f"{prefix}detail",
        metavar="LIST",
        dest="detail",
        help=f"of layers,tiles,transfers,commands,stalls,counters; default: {default}",
    )
    group.add_argument(
        f"{prefix}components",
        metavar="LIST",
        dest="components",
        help="names or patterns, as in core0,interconnect.*.read; default: all",
    )
    group.add_argument(
        f"{prefix}window", metavar="FROM:TO", dest="window", help="a span of simulated time, as in '1 ms:1.5 ms'"
    )


def selection_settings(args: argparse.Namespace, prefix: str) -> list[str]:
    """The options as settings of a :class:`~soc_sim.config.trace.Trace` at ``prefix`` (``trace.``).

    Raises:
        InputError: the window has no end.
    """
    settings = []
    if args.detail is not None:
        settings.append(f"{prefix}detail=[{args.detail}]")
    if args.components is not None:
        quoted = ", ".join(f"'{pattern.strip()}'" for pattern in args.components.split(","))
        settings.append(f"{prefix}components=[{quoted}]")
    if args.window is not None:
        start, separator, end = args.window.partition(":")
        if not separator:
            raise InputError(f"window: '{args.window}' has no end; write FROM:TO, as in '1 ms:1.5 ms'")
        settings.append(f"{prefix}window={{from: '{start.strip() or '0 s'}', to: '{end.strip()}'}}")
    return settings


def trace_settings(args: argparse.Namespace, prefix: str = "trace.") -> list[str]:
    """The options as settings of the configuration's ``trace`` section, or of what ``prefix`` says.

    Raises:
        InputError: the file has no known format, or an option is wrong or would have no effect.
    """
    if args.trace is not None:
        format_of(args.trace)
    settings = selection_settings(args, prefix)
    if settings and args.trace is None:
        raise InputError("--trace-detail, --trace-components and --trace-window have no effect without --trace FILE")
    return settings


def requested(args: argparse.Namespace) -> dict[str, Path]:
    """Initiator or memory → file, as ``--requests`` says.

    Raises:
        InputError: an option is no pair, or names one twice.
    """
    files: dict[str, Path] = {}
    for option in args.requests:
        name, separator, file = option.partition("=")
        if not separator or not file:
            raise InputError(f"--requests: '{option}' names no file; write NAME=FILE, as in dram=requests.csv")
        if name in files:
            raise InputError(f"--requests: '{name}' is given twice")
        files[name] = Path(file)
    return files


@contextmanager
def tracing(
    trace: Trace | None,
    file: Path | None,
    out: Path | None,
    further: Sequence[Recorder] = (),
    requests: Mapping[str, Path] | None = None,
) -> Iterator[Recorder | None]:
    """A recorder that writes to ``file``, and beside other results in ``out``; None where nothing is to be recorded.

    Without ``file`` the section of the configuration says whether there is a trace in ``out``. ``further`` recorders
    get what they select, whatever the files contain. ``requests``: initiator or memory → file for its requests.

    Raises:
        InputError: a file cannot be written.
    """
    recorders = [*further]
    with ExitStack() as files:
        sinks = [files.enter_context(writing(path)) for path in _paths(trace, file, out)]
        if sinks:
            recorders.append(TraceRecorder(*sinks, selection=selected(trace or Trace())))
        if requests:
            logs = {name: files.enter_context(replacing(path)) for name, path in requests.items()}
            recorders.append(RequestRecorder(logs))
        yield Several(*recorders) if len(recorders) > 1 else recorders[0] if recorders else None


def _paths(trace: Trace | None, file: Path | None, out: Path | None) -> Iterable[Path]:
    if file is not None:
        yield file
    if out is not None:
        suffix = file.suffix if file else f".{trace.format}" if trace and trace.format else None
        if suffix:
            yield out / f"trace{suffix}"
