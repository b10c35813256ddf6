"""A run as an HTML fragment for notebooks: self-contained, nothing is fetched, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from soc_sim.observe.columns import Document, columns, rows
from soc_sim.observe.summary import summary


def to_html(document: Document) -> str:
    """What ``_repr_html_`` returns: the summary, and the table of layers to unfold."""
    shown = columns(document)
    body = rows(document)
    aligned = ["left" if column.text else "right" for column in shown]
    titles = (column.title for column in shown)
    lines = [[column.cell(row, body[-1]) for column in shown] for row in body]
    return (
        f"<table>{''.join(_line('td', pair, ('left', 'left')) for pair in summary(document))}</table>"
        f"<details><summary>{len(body) - 1} layers</summary><table>"
        f"<thead>{_line('th', titles, aligned)}</thead>"
        f"<tbody>{''.join(_line('td', line, aligned) for line in lines[:-1])}</tbody>"
        f"<tfoot>{_line('th', lines[-1], aligned)}</tfoot>"
        "</table></details>"
    )


def _line(tag: str, texts: Iterable[str], aligned: Iterable[str]) -> str:
    cells = (
        f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>' for text, side in zip(texts, aligned, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"
