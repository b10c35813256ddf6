"""What plots draw, read back from the marks in their axes, and the files they make."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from soc_sim.errors import InputError, MissingExtraError
from soc_sim.observe.figures.pack import pack
from soc_sim.observe.figures.palette import BACKGROUND, PALETTE
from soc_sim.observe.plot.picture import FORMATS
from soc_sim.observe.plot.plots import KINDS, OVER_TIME, Plots
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline

colors = pytest.importorskip("matplotlib.colors", reason="the extra plot is not installed")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def plots(document: dict[str, Any]) -> Plots:
    """The array computes for 4 of 10 µs and waits for weights for 1; reads for 2 µs and writes for 1 µs."""
    timeline = Timeline()
    recorder = TraceRecorder(timeline)
    slices = {
        "core0.array": [("compute", 0, 4), ("wait_weights", 4, 5)],
        "interconnect.dram.read": [("core0.dma.weights", 0, 2)],
        "interconnect.dram.write": [("core0.dma.outputs", 1, 2)],
    }
    tracks = {name: recorder.track(name, "tiles") for name in slices}
    recorder.begin(["conv1", "softmax"])
    for name, found in slices.items():
        for kind, start_us, end_us in found:
            tracks[name].slice(kind, start_us * 10**6, end_us * 10**6, 0)  # type: ignore[union-attr]
    recorder.end(10_000_000)
    return Plots(document, lambda: pack(timeline))


def heights(axes: Any, colour: str) -> list[float]:
    """Extents of the bars of a colour."""
    wanted = colors.to_rgba(colour)
    return [patch.get_height() for patch in axes.patches if patch.get_facecolor() == wanted]


def test_layers_are_stacked_by_cause(plots: Plots) -> None:
    axes = plots.layers().axes
    assert heights(axes, PALETTE["busy"].light) == [3e-6, 0]
    assert heights(axes, PALETTE["weights"].light) == pytest.approx([1e-6, 0])
    assert heights(axes, PALETTE["host"].light) == pytest.approx([0, 5e-6])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["conv1", "softmax"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "computing", "waits for weights", "waits for the host", "idle",
    ]  # fmt: skip


def test_energy_and_causes_are_ranked(plots: Plots) -> None:
    assert [patch.get_width() for patch in plots.energy().axes.patches] == [0.001, 0.002]
    assert [patch.get_width() for patch in plots.causes().axes.patches] == [1e-6, 1e-6, 3e-6, 5e-6]
    assert plots.energy().axes.get_title(loc="left").endswith("energy, 3 mJ")


def test_the_roofline_has_a_point_for_each_layer_with_macs(plots: Plots) -> None:
    """12 000 MACs and 2.5 MB in 4 µs, below 4 GMAC/s and 1 TB/s."""
    axes = plots.roofline().axes
    ((x, y),) = axes.collections[0].get_offsets().tolist()
    assert (x, y) == (pytest.approx(0.0048), pytest.approx(3e9))
    flat, slanted = axes.lines
    assert list(flat.get_ydata()) == pytest.approx([4e9, 4e9])
    assert slanted.get_ydata()[-1] == pytest.approx(1e12 * slanted.get_xdata()[-1])


def test_the_timeline_is_as_high_as_tracks_were_busy(plots: Plots) -> None:
    axes = plots.timeline().axes
    assert [text.get_text() for text in axes.get_yticklabels()][-1] == "core0.array"
    computed = next(
        one for one in axes.collections if tuple(one.get_facecolor()[0]) == colors.to_rgba(PALETTE["busy"].light)
    )
    box = computed.get_datalim(axes.transData)  # to a bin of the 900 that are drawn
    assert (box.x0, box.x1) == (0, pytest.approx(4e-6, abs=1e-5 / 900))
    assert box.height == pytest.approx(0.82)


def test_a_span_is_shown_alone(plots: Plots) -> None:
    assert plots.timeline(span_s=(1e-6, 3e-6)).axes.get_xlim() == pytest.approx((1e-6, 3e-6))


def test_bandwidth_is_bytes_over_the_time_their_path_was_busy(plots: Plots) -> None:
    """2 MB are read in 2 µs, 1 TB/s; half a megabyte is written meanwhile in 1 µs, 500 GB/s on top."""
    axes = plots.bandwidth().axes
    read, written = axes.collections
    assert read.get_datalim(axes.transData).y1 == pytest.approx(1e12)
    assert written.get_datalim(axes.transData).y1 == pytest.approx(1.5e12)


def test_power_is_stacked_and_the_largest_is_lowest(document: dict[str, Any]) -> None:
    samples = {
        "time_s": [0.0, 5e-6, 1e-5],
        "components_w": {"host": [0.0, 0.0], "array": [1.0, 0.0], "dram": [2.0, 3.0]},
    }
    document["power"] = {"samples": samples}
    axes = Plots(document, dict).power().axes
    dram, array = (collection.get_datalim(axes.transData) for collection in axes.collections)
    assert (dram.y0, dram.y1, dram.x1) == (0, 3, pytest.approx(1e-5))
    assert (array.y0, array.y1, array.x1) == (2, 3, pytest.approx(5e-6))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["dram", "array"]


def test_the_chosen_dataflow_has_a_dot_and_the_others_their_regret(document: dict[str, Any]) -> None:
    document["layers"][0]["regret"] = {"dOS": 2.0, "dWS": 1.0, "sOS": None}
    axes = Plots(document, dict).dataflow().axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["dOS", "dWS"]
    assert axes.collections[0].get_offsets().tolist() == [[0, 1]]
    assert axes.images[0].get_array()[:, 0].tolist() == [1, 0]  # logarithms of 2 and 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_becomes_a_file_with_its_name(plots: Plots, kind: str, tmp_path: Path) -> None:
    getattr(plots, kind)(width=6).save(tmp_path / "one.svg")
    root = ET.parse(tmp_path / "one.svg").getroot()  # noqa: S314 # our own text
    assert root.tag == f"{SVG}svg"
    assert any((element.text or "").startswith("tiny: ") for element in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_plots_are_equal_files(plots: Plots, suffix: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        plots.causes().save(tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_dark_pictures_have_dark_ground_and_light_hues(plots: Plots) -> None:
    picture = plots.layers(dark=True)
    assert picture.figure.get_facecolor() == colors.to_rgba(BACKGROUND.dark)
    assert heights(picture.axes, PALETTE["busy"].dark) == [3e-6, 0]


def test_notebooks_show_them_and_nothing_global_changes(plots: Plots) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    png, shown = plots.causes(width=5, height=2)._repr_png_()
    assert shown == {"width": 480, "height": 192}
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (960, 384)  # the header's, twice as sharp
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not mpl.pyplot.get_fignums()


def test_another_format_is_refused_before_anything_is_written(plots: Plots, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'\.svgz' is no format of plots; allowed: \.png, .*did you mean '\.svg'"):
        plots.causes().save(tmp_path / "a.svgz")
    assert not list(tmp_path.iterdir())


def test_the_missing_library_is_named(plots: Plots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"soc_sim\[plot\]"):
        plots.causes()


def test_what_a_result_lacks_leaves_a_plot_empty(document: dict[str, Any], tmp_path: Path) -> None:
    for key in ("energy", "energy_j"):
        del document[key]
    document |= {"layers": [], "latency_s": 0.0, "latency_ps": 0, "utilisation": 0.0}
    empty = Plots(document, dict)
    for kind in KINDS:
        if kind not in OVER_TIME:
            getattr(empty, kind)().save(tmp_path / f"{kind}.png")
