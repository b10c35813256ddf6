"""The page in a browser: what is there, what a click and a key do, and how long it takes to open."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Page

from soc_sim.observe.figures.pack import pack
from soc_sim.observe.report.page import write_report
from soc_sim.observe.report.sources import StoredRun
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.observe.wording import si

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

UP, RIGHT, LEFT, ESCAPE, TAB, ENTER = "\ue013", "\ue014", "\ue012", "\ue00c", "\ue004", "\ue007"
"""Keys, as WebDriver numbers them (W3C, WebDriver, 17.4.2)."""
INK = """
  const canvas = document.querySelector("canvas.slices"), pen = canvas.getContext("2d"), found = new Set();
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 250) found.add([data[at], data[at + 1], data[at + 2]].join());
  }
  return [...found];
"""
"""The colours on the canvas."""
FOCUS = """
  const at = document.activeElement, place = at.closest("section")?.id ?? at.closest("header")?.className ?? "";
  return [place, at.className?.baseVal ?? at.className, getComputedStyle(at).outlineStyle, at.tagName.toLowerCase()];
"""
"""Where the focus is: place, class, outline, tag."""
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
CHARTS = ("time-bar", "layers-chart", "roofline-chart", "energy-chart", "memory-chart", "table-body")


def test_everything_is_there_and_nothing_complains(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, document = Page(chrome, single), runs[0].document
    assert page.errors() == []
    for chart in CHARTS:
        assert page.one(f"#{chart}").size["height"] > 20, chart
    layers = document["layers"]
    assert len(page.all("#table-body tbody tr")) == len(layers)
    assert len(page.all("#roofline-chart circle")) == sum(1 for layer in layers if layer["macs"])
    assert page.text("h1") == "resnet8 on edge_16x16"
    assert si(document["latency_s"], "s").split()[0] in page.text(".tiles")
    assert page.js("return document.querySelectorAll('#causes button').length") == sum(
        span > 0 for span in document["array_time_s"].values()
    )


def test_the_timeline_shows_every_cause_in_its_colour(chrome: Chrome, single: Path) -> None:
    """Computation and the traffic of weights, inputs and outputs leave their hues on the canvas."""
    page = Page(chrome, single)
    page.js("window.soc_sim.showTheme('light')")
    ink = set(page.js(INK))
    assert {"47,109,179", "210,105,30", "26,143,110", "179,71,143"} <= ink


def test_unpacked_slices_are_as_busy_as_the_run(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    """The array's slices of each cause last as long as the result says, to the picosecond."""
    page = Page(chrome, single)
    found = page.js(
        """
        const { timeline } = window.soc_sim;
        const track = timeline.data.tracks.find((track) => track.track === "core0.array"), spans = {};
        track.busy.forEach((busy, row) => {
          const kind = track.kinds[track.kindOf[row]];
          spans[kind] = (spans[kind] ?? 0) + busy * timeline.data.unit_ps;
        });
        return spans;
        """
    )
    document = runs[0].document
    expected = {cause: span for cause, span in document["array_time_ps"].items() if span and cause != "idle"}
    assert found == {"compute" if cause == "busy" else cause: span for cause, span in expected.items()}


def test_a_click_on_a_layer_shows_its_details_everywhere(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, layer = Page(chrome, single), runs[0].document["layers"][6]
    assert not page.one("#detail").is_displayed()
    page.js("document.querySelector('#table').scrollIntoView()")
    page.one('#table-body tr[data-layer="6"] button').click()
    shown = page.text("#detail")
    assert shown.startswith(layer["name"])
    assert f"{layer['m']}×{layer['k']}×{layer['n']}" in shown
    assert si(layer["dram_read_bytes"], "B") in shown
    assert page.js("return document.querySelector('#table-body tr.on').dataset.layer") == "6"
    assert page.js("return document.querySelector('#roofline-chart .dot.on').dataset.layer") == "6"
    page.keys(ESCAPE)
    assert not page.one("#detail").is_displayed()
    assert page.js("return document.activeElement.closest('tr').dataset.layer") == "6", "the focus returns"
    assert page.errors() == []


def test_a_click_in_the_chart_of_layers_selects_the_layer_under_it(
    chrome: Chrome, single: Path, runs: list[StoredRun]
) -> None:
    from selenium.webdriver import ActionChains

    page, layers = Page(chrome, single), runs[0].document["layers"]
    hit = page.one("#layers-chart .hit")
    page.js("arguments[0].scrollIntoView({block: 'center'})", hit)
    width = hit.size["width"]
    ActionChains(chrome).move_to_element_with_offset(hit, round(width * (2.5 / len(layers) - 0.5)), 0).click().perform()
    assert page.text("#detail-title") == layers[2]["name"]
    assert layers[2]["name"] in page.text("#tip")


def test_arrow_keys_go_from_layer_to_layer(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, layers = Page(chrome, single), runs[0].document["layers"]
    page.js("document.querySelector('#layers-chart svg').focus()")
    page.keys(RIGHT, RIGHT, RIGHT, LEFT)
    assert page.text("#detail-title") == layers[1]["name"]
    assert page.js("return document.getElementById('live').textContent").startswith(layers[1]["name"])


def test_all_controls_are_reached_with_the_tabulator(chrome: Chrome, single: Path) -> None:
    """From the top to the table, in the order of reading, with something to see where the focus is."""
    page = Page(chrome, single)
    reached = []
    for _ in range(60):
        page.keys(TAB)
        where = page.js(FOCUS)
        reached.append(where)
        if where[0] == "table" and where[3] == "input":
            break
    places = list(dict.fromkeys(place for place, *_ in reached if place))
    assert places == ["top", "time", "timeline", "layers", "roofline", "energy", "table"]
    assert ("timeline", "slices") in {(place, name) for place, name, *_ in reached}
    assert all(outline != "none" for _, _, outline, tag in reached if tag != "input"), reached


def test_the_timeline_zooms_and_moves_by_key(chrome: Chrome, single: Path) -> None:
    page = Page(chrome, single)
    page.js("document.querySelector('canvas.slices').focus()")
    view = "const { view, data } = window.soc_sim.timeline; return [view.from / data.end, view.to / data.end];"
    page.keys("+", "+")
    assert page.js(view) == pytest.approx([0.375, 0.625])
    page.keys(RIGHT)
    assert page.js(view) == pytest.approx([0.425, 0.675])
    page.keys("0")
    assert page.js(view) == [0, 1]


def test_the_timeline_zooms_and_moves_by_pointer(chrome: Chrome, single: Path) -> None:
    """Dragging moves, dragging with Shift and in the overview chooses a part, a double click zooms in there."""
    from selenium.webdriver import ActionChains, Keys

    page = Page(chrome, single)
    canvas, overview = page.one("canvas.slices"), page.one("canvas.overview")
    page.js("arguments[0].scrollIntoView({block: 'center'})", canvas)
    view = "const { view, data } = window.soc_sim.timeline; return [view.from / data.end, view.to / data.end];"
    wide = canvas.size["width"]

    def drag(element: WebElement, begin: float, end: float, *held: str) -> list[float]:
        """From one to another part of the width."""
        actions = ActionChains(chrome, duration=50).move_to_element_with_offset(element, round((begin - 0.5) * wide), 0)
        for key in held:
            actions = actions.key_down(key)
        actions = actions.click_and_hold().move_by_offset(round((end - begin) * wide), 0).release()
        for key in held:
            actions = actions.key_up(key)
        actions.perform()
        return page.js(view)

    assert drag(canvas, 0.25, 0.75, Keys.SHIFT) == pytest.approx([0.25, 0.75], abs=0.005)
    assert drag(canvas, 0.5, 0.3) == pytest.approx([0.35, 0.85], abs=0.005)
    assert drag(overview, 0.1, 0.2) == pytest.approx([0.1, 0.2], abs=0.005)
    page.keys("0")
    page.one("#timeline-tools button:last-child").click()
    ActionChains(chrome).move_to_element_with_offset(canvas, 0, 0).double_click().perform()
    assert page.js(view) == pytest.approx([0.3, 0.7], abs=0.01)
    assert page.errors() == []


def test_a_click_on_a_slice_selects_its_layer(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    from selenium.webdriver import ActionChains

    page, layers = Page(chrome, single), runs[0].document["layers"]
    canvas = page.one("canvas.slices")
    page.js("arguments[0].scrollIntoView({block: 'center'})", canvas)
    row = page.js("return window.soc_sim.timeline.rows.find((row) => row.track?.track === 'core0.array')")
    above = row["top"] + row["height"] / 2 - canvas.size["height"] / 2
    time = (layers[4]["start_s"] + layers[4]["end_s"]) / 2 / runs[0].document["latency_s"] - 0.5
    ActionChains(chrome).move_to_element_with_offset(canvas, round(time * canvas.size["width"]), round(above)).perform()
    shown = page.text("#tip")
    assert "core0.array" in shown
    ActionChains(chrome).click().perform()
    assert page.text("#detail-title") in shown


def test_what_was_never_busy_is_named_and_has_no_row(chrome: Chrome, single: Path) -> None:
    page = Page(chrome, single)
    idle = page.js(
        "return window.soc_sim.timeline.data.tracks.filter(({ busy }) => !busy.length).map(({ track }) => track)"
    )
    shown = page.js("return window.soc_sim.timeline.rows.filter((row) => row.track).map((row) => row.track.track)")
    assert not set(idle) & set(shown)
    assert set(idle[:6]) <= set(re.findall(r"[\w.]+\w", page.text("#timeline-hint")))


def test_tracks_with_transfers_in_flight_unfold(chrome: Chrome, single: Path) -> None:
    page = Page(chrome, single)
    track = page.one('#timeline-chart button[data-track="core0.dma.inputs"]')
    height = page.one("canvas.slices").size["height"]
    track.click()
    assert page.one("canvas.slices").size["height"] > height
    unfolded = page.one('#timeline-chart button[data-track="core0.dma.inputs"]')
    assert unfolded.get_attribute("aria-expanded") == "true"
    assert page.js("return document.activeElement === arguments[0]", unfolded)


def test_areas_show_bandwidth_and_the_fill_of_buffers(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    """What was read and written in the whole run is what the result says; buffers reach their highest fill."""
    page, document = Page(chrome, single), runs[0].document
    titles = page.js("return window.soc_sim.timeline.data.areas.map((area) => area.title)")
    assert titles[0] == "dram bandwidth"
    assert set(titles[1:]) >= {f"core0 {buffer} fill" for buffer in ("weights", "inputs", "outputs")}
    totals = page.js(
        """
        const { data, view } = window.soc_sim.timeline, pixel_s = (data.end * data.unit_ps * 1e-12) / view.width;
        const [bandwidth] = data.areas, total = (values) => values.reduce((sum, value) => sum + value, 0);
        return bandwidth.parts.map((part) => total(part.cover) * part.rate * pixel_s);
        """
    )
    assert totals == pytest.approx([document["dram"]["read_bytes"], document["dram"]["write_bytes"]], rel=1e-3)
    peaks = page.js(
        """
        const { counters } = window.soc_sim.timeline.data;
        return [...counters].map(([name, { values }]) => [name, Math.max(...values)]);
        """
    )
    assert dict(peaks) == {
        f"core0.{buffer}.fill": peak for buffer, peak in document["memory"]["buffer_peak_bytes"].items()
    }


def test_power_over_time_adds_up_to_the_energy(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, document = Page(chrome, single), runs[0].document
    joules = page.js(
        """
        const { data, view } = window.soc_sim.timeline, pixel_s = (data.end * data.unit_ps * 1e-12) / view.width;
        const power = data.areas.find((area) => area.title === "power");
        return power.parts.reduce((sum, part) => sum + part.cover.reduce((all, watts) => all + watts * pixel_s, 0), 0);
        """
    )
    assert joules == pytest.approx(document["energy_j"], rel=1e-3)


def test_components_unfold_with_their_time(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, components = Page(chrome, single), runs[0].document["component_time_s"]
    page.one("#components summary").click()
    shown = page.text("#components")
    for name, spans in components.items():
        assert name in shown
        assert si(spans.get("busy", 0), "s") in shown


def test_further_cores_unfold(chrome: Chrome, compared: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    page = Page(chrome, compared)
    page.js("document.querySelectorAll('.runs button')[1].click()")
    WebDriverWait(chrome, 10).until(lambda _: page.all('#timeline-chart [data-track="core1.array"]'))
    assert not page.all('#timeline-chart [title^="core1.dma"]')
    page.one('#timeline-chart [data-track="core1.array"]').click()
    assert page.all('#timeline-chart [title^="core1.dma"]')


def test_the_table_sorts_and_filters(chrome: Chrome, single: Path, runs: list[StoredRun]) -> None:
    page, layers = Page(chrome, single), runs[0].document["layers"]
    order = "return [...document.querySelectorAll('#table-body tbody tr')].map((row) => Number(row.dataset.layer))"
    page.js("document.querySelector('#table').scrollIntoView()")
    page.one('#table-body [data-column="DRAM read"]').click()
    read_bytes = [layers[index]["dram_read_bytes"] for index in page.js(order)]
    assert read_bytes == sorted(read_bytes, reverse=True)
    assert page.one('#table-body th[aria-sort="descending"]').text.startswith("DRAM read")
    page.one('#table-body [data-column="DRAM read"]').click()
    read_bytes = [layers[index]["dram_read_bytes"] for index in page.js(order)]
    assert read_bytes == sorted(read_bytes)
    page.one("#filter").send_keys("stack3 conv")
    assert [layers[index]["name"] for index in page.js(order)].count("stack3.0.conv") == 1
    assert page.text("#filtered") == f"{len(page.js(order))} of {len(layers)} layers"


def test_a_cause_is_singled_out_in_all_charts(chrome: Chrome, single: Path) -> None:
    page = Page(chrome, single)
    page.one('#causes [data-cause="wait_inputs"]').click()
    assert page.one('#causes [data-cause="wait_inputs"]').get_attribute("aria-pressed") == "true"
    assert page.all("#layers-chart [data-dim]")
    assert page.all("#time-bar [data-dim]")
    page.keys(ESCAPE)
    assert not page.all("#layers-chart [data-dim]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_system_and_its_text_can_be_read(chrome: Chrome, single: Path, scheme: str) -> None:
    """Text on its background: at least 4.5:1 (WCAG 2.2, 1.4.3)."""
    page = Page(chrome, single, scheme)
    page.js("document.querySelector('#table-body button').click()")
    assert page.js(CONTRAST) == []
    background = page.js("return getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", background)[0]) < 60) == (scheme == "dark")


def test_runs_are_compared_and_can_be_switched(chrome: Chrome, compared: Path, runs: list[StoredRun]) -> None:
    page = Page(chrome, compared)
    assert page.errors() == []
    one, two = (run.document["latency_s"] for run in runs)
    change = f"{abs(100 * (two / one - 1)):.1f} %"
    latency = page.text("#comparison-chart tbody tr")
    assert "two cores" in page.text("#comparison-chart thead")
    assert all(word in latency for word in (si(one, "s"), si(two, "s"), f"−{change}"))
    assert "soc.cores" in page.text("#comparison-chart")
    page.js("document.querySelector('.runs button').focus()")
    page.keys(RIGHT)
    assert si(two, "s").split()[0] in page.text(".of-run:not([hidden]) .tiles")


def test_the_memory_map_shows_what_lies_where_and_for_how_long(
    chrome: Chrome, tmp_path: Path, runs: list[StoredRun]
) -> None:
    """Two activations take turns at one address, above the weights."""
    places = [
        {"tensor": "w", "address": 0, "size_bytes": 3000, "first_layer": None, "last_layer": None},
        {"tensor": "x", "address": 3072, "size_bytes": 1024, "first_layer": None, "last_layer": 0},
        {"tensor": "y", "address": 3072, "size_bytes": 512, "first_layer": 1, "last_layer": 3},
    ]
    used = {"used_bytes": {"dram": 4096}, "capacity_bytes": {"dram": 8192}}
    document = {**runs[0].document, "memory_map": [{"memory": "dram", **place} for place in places]}
    document["memory"] = {**document["memory"], **used}
    write_report(tmp_path / "map.html", [StoredRun("map", document)])
    page = Page(chrome, tmp_path / "map.html")
    assert page.errors() == []
    assert "4.096 kB of 8.192 kB (50.0 %)" in page.text("#memory-chart")
    boxes = {box.get_attribute("data-tensor"): box.rect for box in page.all("#memory-chart .life")}
    assert set(boxes) == {"x", "y"}
    assert boxes["y"]["width"] == pytest.approx(3 * boxes["x"]["width"], abs=2)
    assert boxes["y"]["height"] == pytest.approx(boxes["x"]["height"] / 2, abs=1)
    assert boxes["y"]["x"] == pytest.approx(boxes["x"]["x"] + boxes["x"]["width"], abs=1)
    page.js("arguments[0].scrollIntoView({block: 'center'})", page.one("#memory-chart"))
    page.one('#memory-chart [data-tensor="y"]').click()
    assert page.text("#detail-title") == document["layers"][1]["name"]


def test_five_hundred_layers_open_in_two_seconds(chrome: Chrome, tmp_path: Path, runs: list[StoredRun]) -> None:
    """And 200 000 slices, in processor time; the page stays below 6 MB."""
    document = copy.deepcopy(dict(runs[0].document))
    several = [copy.deepcopy(layer) for layer in document["layers"]]
    document["layers"] = [{**several[index % len(several)], "name": f"block{index}.conv"} for index in range(500)]
    timeline = Timeline()
    recorder = TraceRecorder(timeline)
    tracks = [recorder.track(f"core0.dma.{name}", "tiles") for name in ("weights", "inputs", "outputs")]
    recorder.begin([layer["name"] for layer in document["layers"]])
    for index in range(200_000):
        start_ps = document["latency_ps"] * index // 200_000
        tracks[index % 3].slice("load", start_ps, start_ps + 3000 + 7 * (index % 501), index // 400)  # type: ignore[union-attr]
    recorder.end(document["latency_ps"])
    path = tmp_path / "many.html"
    write_report(path, [StoredRun("many", document, pack(timeline))])
    assert path.stat().st_size < 6e6
    page = Page(chrome, path)
    worked_s = page.worked_s()
    assert len(page.all("#table-body tbody tr")) == 500
    assert page.errors() == []
    assert worked_s < 2
