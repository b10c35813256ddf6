"""``soc-sim plot``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from soc_sim.cli import main

pytest.importorskip("matplotlib", reason="the extra plot is not installed")


@pytest.fixture
def stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["run", "resnet50_edge", "--set", "workload.network=ds_cnn", "--json"]) == 0
    (tmp_path / "run.json").write_text(capsys.readouterr().out)
    return tmp_path / "run.json"


def test_a_plot_of_the_document_needs_no_simulation(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = stored.with_name("layers.svg")
    assert main(["plot", str(stored), "--kind", "layers", "--out", str(picture), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"plot": str(picture), "bytes": picture.stat().st_size}
    assert "ds_cnn: time of the array by layer" in picture.read_text()


def test_a_timeline_that_was_not_recorded_is_simulated_again(stored: Path) -> None:
    picture = stored.with_name("timeline.svg")
    arguments = ["plot", str(stored), "--kind", "timeline", "--out", str(picture), "--span", "10 us:60 us", "--dark"]
    assert main(arguments) == 0
    text = picture.read_text()
    assert "core0.dma.weights" in text
    assert ">60 µs<" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kind", "layers", "--out", "a.jpg"), "'.jpg' is no format of plots; allowed: .png, .svg, .pdf"),
        (("--kind", "layers", "--out", "a.png", "--span", "1 us:2 us"), "--span belongs to timeline and bandwidth"),
        (("--kind", "timeline", "--out", "a.png", "--span", "1 us"), "write FROM:TO, as in '1 ms:2.5 ms'"),
        (("--kind", "timeline", "--out", "a.png", "--span", "1:2"), "'1' has no unit"),
        (("--kind", "timeline", "--out", "a.png", "--span", "2 us:1 us"), "does not go forward in time"),
        (("--kind", "layers", "--out", "a.png", "--width", "0"), "--width: 0 is not between 1 and 100 inches"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    arguments: tuple[str, ...], message: str, stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [str(stored.with_name(word)) if word.startswith("a.") else word for word in arguments]
    assert main(["plot", str(stored), *places]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in stored.parent.iterdir()] == ["run.json"]
