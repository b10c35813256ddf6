"""Bars of the array's time by cause, in the colours of the report: in a terminal, and in notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from rich.console import Console
from rich.style import Style
from rich.text import Text

from soc_sim.observe.figures.causes import label
from soc_sim.observe.figures.palette import PALETTE, subject
from soc_sim.observe.wording import percent

CELLS = 20
"""Characters of a bar; each shows two steps."""
_LEAST = 5e-4
"""Share of a cause that a legend names."""

Spans = Mapping[str, float]
"""Cause → s."""


def can_draw(console: Console) -> bool:
    """Whether the terminal has colours enough to tell causes apart."""
    return console.is_terminal and not console.no_color and console.color_system in ("256", "truecolor", "windows")


def bar(spans_s: Spans) -> Text:
    """A bar for a terminal; empty where there is no time."""
    total = sum(spans_s.values())
    if not total:
        return Text()
    ends, end = [], 0.0
    for cause, span in spans_s.items():
        end += span / total
        ends.append((end, _colour(cause)))
    # The colour in the middle of each half of a character.
    halves = [
        next((colour for end, colour in ends if end > (step + 0.5) / (2 * CELLS)), ends[-1][1])
        for step in range(2 * CELLS)
    ]
    text = Text()
    for left, right in zip(halves[::2], halves[1::2], strict=True):
        text.append(
            "█" if left == right else "▌", Style(color=left, bgcolor=None if left == right else right, bold=False)
        )
    return text


def legend(spans_s: Spans, width: int) -> Text:
    """The colours of the causes that take some time, in words; lines of at most ``width`` characters."""
    total = sum(spans_s.values())
    text, used = Text(), 0
    for cause, span in spans_s.items():
        if span <= _LEAST * total:
            continue
        words = f"{label(cause)}  "
        if used and used + len(words) > width:
            text.append("\n")
            used = 0
        text.append("■ ", Style(color=_colour(cause), dim=False)).append(words, Style(dim=False))
        used += 2 + len(words)
    return text


def html_bar(spans_s: Spans) -> str:
    """A bar of 120 pixels for a notebook, with its figures in words."""
    total = sum(spans_s.values())
    shown = [(cause, span) for cause, span in spans_s.items() if span > 0] if total else []
    words = ", ".join(f"{label(cause)} {percent(span, total)} %" for cause, span in shown)
    parts = "".join(
        f'<i style="width:{100 * span / total:.2f}%;background:{PALETTE[subject(cause)].light}"></i>'
        for cause, span in shown
    )
    return f'<span class="soc-sim-bar" title="{escape(words)}">{parts}</span>'


def _colour(cause: str) -> str:
    return PALETTE[subject(cause)].dark
