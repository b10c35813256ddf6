"""A run as an HTML fragment for notebooks: self-contained, nothing is fetched, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from soc_sim.observe.bars import html_bar
from soc_sim.observe.columns import Column, Document, Row, columns, rows
from soc_sim.observe.summary import summary

_STYLE: Final = """
.soc-sim { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; line-height: 1.45; }
.soc-sim tr, .soc-sim tr:nth-child(even) { background: none; }
.soc-sim th, .soc-sim td { padding: 2px 10px; text-align: right; vertical-align: middle; white-space: nowrap; }
.soc-sim .text { text-align: left; }
.soc-sim tbody tr { border-top: 1px solid rgba(128, 128, 128, .18); }
.soc-sim tfoot tr { border-top: 1px solid rgba(128, 128, 128, .6); }
.soc-sim-figures td { white-space: normal; max-width: 72em; }
.soc-sim-figures td:first-child { white-space: nowrap; opacity: .66; padding-left: 0; }
.soc-sim-bar { display: inline-flex; width: 120px; height: 9px; border-radius: 2px; overflow: hidden; }
.soc-sim-bar { background: rgba(128, 128, 128, .2); }
.soc-sim-layers { overflow-x: auto; max-height: 480px; }
"""


def to_html(document: Document) -> str:
    """What ``_repr_html_`` returns: the summary, and the table of layers to unfold."""
    shown = columns(document, bars=True)
    *layers, total = rows(document)
    figures = "".join(_line("td", pair, (True, True)) for pair in summary(document))
    text = [column.text for column in shown]
    body = "".join(_markup("td", (_cell(column, row, total) for column in shown), text) for row in layers)
    return (
        f"<style>{_STYLE}</style>"
        f'<table class="soc-sim soc-sim-figures">{figures}</table>'
        f'<details><summary>{len(layers)} layers</summary><div class="soc-sim-layers"><table class="soc-sim">'
        f"<thead>{_line('th', (column.title for column in shown), text)}</thead>"
        f"<tbody>{body}</tbody>"
        f"<tfoot>{_markup('th', (_cell(column, total, total) for column in shown), text)}</tfoot>"
        "</table></div></details>"
    )


def _cell(column: Column, row: Row, total: Row) -> str:
    return html_bar(row.array_time_s) if column.bar else escape(column.cell(row, total))


def _line(tag: str, texts: Iterable[str], as_text: Iterable[bool]) -> str:
    return _markup(tag, (escape(text) for text in texts), as_text)


def _markup(tag: str, cells: Iterable[str], as_text: Iterable[bool]) -> str:
    """A row; ``cells`` are HTML, and what is text, not a figure, stands left."""
    found = zip(cells, as_text, strict=True)
    return f"<tr>{''.join(f'<{tag}{_TEXT if text else _FIGURE}>{cell}</{tag}>' for cell, text in found)}</tr>"


_TEXT: Final = ' class="text"'
_FIGURE: Final = ""
