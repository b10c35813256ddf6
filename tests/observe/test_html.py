"""The fragment that notebooks show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

from soc_sim.observe.columns import columns
from soc_sim.observe.html import to_html
from soc_sim.observe.summary import summary


def parsed(document: dict[str, Any]) -> ET.Element:
    return ET.fromstring(f"<div>{to_html(document)}</div>")  # noqa: S314 # our own text


def test_figures_and_layers_are_those_of_the_terminal(document: dict[str, Any]) -> None:
    figures, layers = parsed(document).iter("table")
    assert [tuple(cell.text or "" for cell in line) for line in figures] == summary(document)
    assert [cell.text for cell in layers.iterfind("thead/tr/th")] == [column.title for column in columns(document)]
    assert [line[0].text for line in layers.iterfind("tbody/tr")] == ["conv1", "softmax"]
    assert [cell.text for cell in layers.iterfind("tfoot/tr/th")][:1] == ["total"]


def test_names_are_escaped(document: dict[str, Any]) -> None:
    name = "<script>alert(1)</script>&\"'"
    document["layers"][0]["name"] = document["network"] = name
    assert "<script" not in to_html(document)
    assert parsed(document).find("details/table/tbody/tr/td").text == name  # type: ignore[union-attr]


def test_nothing_is_fetched(document: dict[str, Any]) -> None:
    assert not re.search(r"https?:|src=|href=|url\(|@import", to_html(document))
