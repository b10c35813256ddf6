"""What is written into the page without a browser: self-contained, escaped, with the figures of the document."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from soc_sim.errors import MissingExtraError
from soc_sim.observe.report.content import data_of, differences, stages, tiles
from soc_sim.observe.report.page import PAGE, SCRIPTS, render, write_report
from soc_sim.observe.report.sources import StoredRun

pytest.importorskip("jinja2", reason="the extra report is not installed")


class Texts(HTMLParser):
    """Tags with their attributes, and the text of each element of some kinds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data


def page_of(*documents: dict[str, Any]) -> str:
    return render([StoredRun(f"run{number}", document) for number, document in enumerate(documents)])


def embedded(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_nothing_is_fetched(document: dict[str, Any]) -> None:
    """No address but names of XML vocabularies; and the page's own policy forbids the rest."""
    page = page_of(document)
    assert set(re.findall(r"https?://[^\s\"')]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|<link (?!rel=\"icon\" href=\"data:)|\ssrc=", page)
    policies = [attributes for tag, attributes in Texts(page).tags if attributes.get("http-equiv")]
    assert policies[0]["content"].startswith("default-src 'none';")  # type: ignore[union-attr]


def test_names_are_escaped_everywhere(document: dict[str, Any]) -> None:
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"
    document["layers"][0]["name"] = document["network"] = name
    document["warnings"] = [name]
    document["config"] = {"kind": name, "soc": {"name": name}}
    page = page_of(document, document)
    assert "<script>alert" not in page
    assert "<img" not in page
    found = Texts(page)
    assert sum(tag == "script" for tag, _ in found.tags) == 2
    assert name in found.texts["li"]
    data = embedded(page)
    assert data["runs"][0]["document"]["network"] == data["runs"][0]["document"]["layers"][0]["name"] == name


def test_headline_figures_are_worked_out_by_hand(document: dict[str, Any]) -> None:
    """12 000 MACs and 3 mJ in 10 µs: 2.4 GOP/s, 300 W, 8e-6 TOPS/W."""
    found = {tile["label"]: (f"{tile['value']} {tile['unit']}".strip(), tile["more"]) for tile in tiles(document)}
    assert found == {
        "Latency": ("10 µs", "one inference, cold"),
        "Throughput": ("100,000 /s", "2.4 GOP/s executed"),
        "Utilisation": ("30.0 %", "of the MACs the PEs could execute"),
        "Energy": ("3 mJ", "300 W on average, 8e-06 TOPS/W"),
        "DRAM traffic": ("2.5 MB", "250 GB/s, 25.0 % of peak"),
    }
    page = Texts(page_of(document))
    assert "10" in page.texts["span"]
    assert any("softmax runs on the host" in text for text in page.texts["li"])


def test_peak_power_stands_beside_the_mean(document: dict[str, Any]) -> None:
    document["power"] = {"peak_w": 450.0, "window_s": 2e-6}
    energy = next(tile for tile in tiles(document) if tile["label"] == "Energy")
    assert energy["more"] == "300 W on average, at most 450 W over 2 µs, 8e-06 TOPS/W"


def test_a_pipeline_has_its_pace_and_its_stages(document: dict[str, Any]) -> None:
    """As measured over several inferences; of one alone, what is expected."""
    first = {"core": 0, "first_layer": "a", "last_layer": "c", "expected_latency_s": 3e-6}
    last = {"core": 1, "first_layer": "d", "last_layer": "d", "expected_latency_s": 4e-6}
    unknown = {"occupancy": None, "utilisation": None}
    assert not stages(document)
    assert "Pipeline of layers" not in page_of(document)
    document["pipeline"] = {
        "interval_s": 5e-6,
        "throughput_per_s": 2e5,
        "expected_interval_s": 4e-6,
        "stages": [{**first, "occupancy": 0.5, "utilisation": 0.25}, {**last, **unknown}],
    }
    interval = next(tile for tile in tiles(document) if tile["label"] == "Interval")
    assert (interval["value"], interval["unit"], interval["more"]) == ("5", "µs", "200,000 a second, 2 stages")
    cells = Texts(page_of(document)).texts["td"]
    assert cells == ["0", "a – c", "3 µs", "50.0 %", "25.0 %", "1", "d", "4 µs", "", ""]
    document["pipeline"] |= {"interval_s": None, "throughput_per_s": None}
    interval = next(tile for tile in tiles(document) if tile["label"] == "Interval")
    assert (interval["value"], interval["more"]) == ("4", "expected, 2 stages")


def test_what_is_not_known_is_said(document: dict[str, Any]) -> None:
    document |= {"energy_j": None, "energy": {"array": 1e-3, "dram": None}, "dram": None, "area_mm2": 1.5}
    found = {tile["label"]: (tile["value"], tile["more"]) for tile in tiles(document)}
    assert found["Energy"] == ("unknown", "1 mJ of it known")
    assert found["Area"][0] == "1.5"
    assert "DRAM traffic" not in found


def test_a_run_without_time_is_a_page(document: dict[str, Any]) -> None:
    document |= {"latency_s": 0.0, "latency_ps": 0, "layers": [], "utilisation": 0.0, "macs": 0, "macs_executed": 0}
    assert "Throughput" not in {tile["label"] for tile in tiles(document)}
    assert "0 layers" in page_of(document)


def test_keys_that_old_or_new_results_lack_may_be_missing(document: dict[str, Any]) -> None:
    for key in ("memory", "weight_memory", "dram", "energy", "energy_j", "area_mm2", "version"):
        document.pop(key, None)
    for layer in document["layers"]:
        for key in ("regret", "operators", "stall_reasons_s", "bound_by", "energy_j"):
            layer.pop(key, None)
    assert embedded(page_of(document))["runs"][0]["roofline"]["peak_bytes_per_s"] is None


def test_settings_that_differ_are_listed(document: dict[str, Any]) -> None:
    other = {**document, "config": {"kind": "run", "soc": {"cores": 2, "fast": True}}}
    third = {**document, "config": {"kind": "run", "soc": {"cores": 4}}}
    assert differences([document, other, third]) == [
        ("soc.cores", [None, "2", "4"]),
        ("soc.fast", [None, "true", None]),
    ]


def test_without_a_recorded_timeline_the_layers_are_shown(document: dict[str, Any]) -> None:
    (run,) = data_of([StoredRun("run", document)])["runs"]
    assert [track["track"] for track in run["timeline"]["tracks"]] == ["layers"]
    assert "--record" in run["timeline_hint"]


def test_everything_that_is_drawn_has_a_colour(document: dict[str, Any]) -> None:
    document["energy"]["something new"] = 1.0
    subjects = data_of([StoredRun("run", document)])["subjects"]
    assert subjects["something new"] == "other"
    assert set(document["array_time_s"]) | set(document["energy"]) <= set(subjects)


def test_scripts_are_all_used_and_icons_are_well_formed() -> None:
    assert {path.stem for path in PAGE.glob("*.js")} == set(SCRIPTS)
    icons = re.findall(r"<svg.*?</svg>", (PAGE / "page.html.j2").read_text())
    assert all(ET.fromstring(icon) is not None for icon in icons)  # noqa: S314 # our own text


def test_the_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, document: dict[str, Any]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"soc_sim\[report\]"):
        write_report(tmp_path / "r.html", [StoredRun("run", document)])
    assert not list(tmp_path.iterdir())
