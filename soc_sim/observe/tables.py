"""Prints the document of a run as text: a table of layers and a summary.

A terminal gets as many columns as it is wide, and bars where it has colours; a file or a pipe gets all columns of
text, without styles.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import TextIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from soc_sim.observe.bars import bar, can_draw, legend
from soc_sim.observe.columns import Column, Document, Row, columns, rows
from soc_sim.observe.summary import WARNING, summary
from soc_sim.observe.wording import percent, printable

_UNBOUNDED = 10_000


def print_result(document: Document, file: TextIO | None = None, width: int | None = None) -> None:
    """Print the table of layers and the summary of a run (a dict as ``run --json`` gives, stored ones too).

    Warnings are not results: :func:`print_warnings` prints them.

    Args:
        document: The JSON document.
        file: Where to, by default stdout; what its encoding lacks becomes a question mark.
        width: Characters of a line; by default those of the terminal, and without a terminal as many as it takes.
    """
    file = file or sys.stdout
    console = Console(file=file, markup=False, emoji=False, highlight=False)
    console.width = width or (console.width if console.is_terminal else _UNBOUNDED)
    with console.capture() as capture:
        console.print(_layers(document, console))
        console.print(_summary(document, console.width))
    encoding = getattr(file, "encoding", None) or "utf-8"
    lines = capture.get().encode(encoding, "replace").decode(encoding).splitlines()
    file.writelines(f"{line.rstrip()}\n" for line in lines)


def print_bottlenecks(document: Document, file: TextIO | None = None) -> None:
    """Print what bounds the run, and what simulations say of easing it (the key ``bottlenecks``)."""
    for entry in document["bottlenecks"]:
        what = f"{entry['component']} {entry['reason']}: {percent(entry['share'], 1)} % of the time"
        if entry["change"] is None:
            print(what, file=file)
            continue
        print(f"{what}; {entry['change']} → latency {entry['latency_change']:+.1%}", file=file)
        gains = ", ".join(f"{printable(name)} {change:+.1%}" for name, change in entry["layers"].items())
        settings = " ".join(f"--what-if {shlex.quote(setting)}" for setting in entry["set"])
        print(f"    {gains}; {settings}", file=file)


def print_warnings(document: Document, file: TextIO | None = None) -> None:
    """Print the warnings of a run, one line each; by default to stderr."""
    for warning in document["warnings"]:
        print(f"warning: {printable(warning)}", file=file or sys.stderr)


def _layers(document: Document, console: Console) -> Table:
    """The table with as many columns as fit, in the order of their ranks; the layer's name and time always stay."""
    body, offered = rows(document), columns(document, bars=can_draw(console))
    if console.width >= _UNBOUNDED:
        return _table(offered, body, console.width)
    unbounded = console.options.update(max_width=_UNBOUNDED)
    ranks = {0}
    table = _table([column for column in offered if column.rank in ranks], body, console.width)
    for rank in sorted({column.rank for column in offered} - ranks):
        wider = _table([column for column in offered if column.rank in ranks | {rank}], body, console.width)
        if Measurement.get(console, unbounded, wider).maximum <= console.width:
            table = wider
            ranks.add(rank)
    return table


def _table(shown: list[Column], body: list[Row], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in shown:
        # Names of layers can be long paths: they are cut before a column of figures goes.
        longest = max(12, width // 4) if column.title == "layer" else None
        table.add_column(column.title, justify="left" if column.text else "right", no_wrap=True, max_width=longest)
    *layers, total = body
    for row in layers:
        table.add_row(*(_cell(column, row, total) for column in shown))
    table.add_section()
    table.add_row(*(_cell(column, total, total) for column in shown), style="bold")
    if any(column.bar for column in shown):
        table.caption = legend(total.array_time_s, width).append("\n")
        table.caption_justify, table.caption_style = "left", ""
    return table


def _cell(column: Column, row: Row, total: Row) -> str | Text:
    return bar(row.array_time_s) if column.bar else column.cell(row, total)


def _summary(document: Document, width: int) -> Table:
    pairs = [(label, printable(text)) for label, text in summary(document) if label != WARNING]
    room = width - max(len(label) for label, _ in pairs) - 2
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in pairs:
        table.add_row(label, "\n".join(lines_of(text, room)))
    return table


def lines_of(text: str, width: int) -> list[str]:
    """Lines that end between the parts of a text (at a comma, a semicolon, a bracket), not within a quantity.

    >>> lines_of("13 mJ (dram 7 mJ, array 4.5 mJ)", 20)
    ['13 mJ (dram 7 mJ,', 'array 4.5 mJ)']
    """
    lines = [""]
    for part in re.split(r"(?<=[,;]) | (?=\()", text):
        joined = f"{lines[-1]} {part}".lstrip()
        if len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines
