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
    titles = [column.title for column in columns(document, bars=True)]
    assert [cell.text for cell in layers.iterfind("thead/tr/th")] == titles
    assert [line[0].text for line in layers.iterfind("tbody/tr")] == ["conv1", "softmax"]
    assert [cell.text for cell in layers.iterfind("tfoot/tr/th")][:1] == ["total"]


def test_bars_are_the_shares_of_causes(document: dict[str, Any]) -> None:
    """The convolution computes for 3 of 4 µs, the softmax waits for 5 of 6 µs."""
    conv, softmax, _ = parsed(document).iterfind(".//span")
    widths = [part.attrib["style"].split(";")[0] for part in (*conv, *softmax)]
    assert widths == ["width:75.00%", "width:25.00%", "width:83.33%", "width:16.67%"]
    assert conv.attrib["title"] == "computing 75.0 %, waits for weights 25.0 %"


def test_names_are_escaped(document: dict[str, Any]) -> None:
    name = "<script>alert(1)</script>&\"'"
    document["layers"][0]["name"] = document["network"] = name
    assert "<script" not in to_html(document)
    assert parsed(document).find("details/div/table/tbody/tr/td").text == name  # type: ignore[union-attr]


def test_nothing_is_fetched(document: dict[str, Any]) -> None:
    assert not re.search(r"https?:|src=|href=|url\(|@import", to_html(document))
