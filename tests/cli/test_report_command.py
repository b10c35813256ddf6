"""``soc-sim report``, and the page that ``run --report`` leaves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from soc_sim.cli import main

pytest.importorskip("jinja2", reason="the extra report is not installed")

SMALL = ("resnet50_edge", "--set", "workload.network=ds_cnn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert main(["run", *SMALL, "--out", str(tmp_path / "out"), "--report", "--quiet"]) == 0
    return tmp_path / "out"


@pytest.fixture
def plain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["run", *SMALL, "--json"]) == 0
    (tmp_path / "plain.json").write_text(capsys.readouterr().out)
    return tmp_path / "plain.json"


def timelines(page: Path) -> list[list[str]]:
    """The tracks of each run."""
    text = page.read_text().split('id="data">')[1].split("</script>")[0]
    return [[track["track"] for track in run["timeline"]["tracks"]] for run in json.loads(text)["runs"]]


def test_a_run_leaves_its_report_beside_the_other_files(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "config.resolved.yaml", "summary.json", "layers.csv", "stats.txt", "timeline.json", "report.html",
    }  # fmt: skip
    (tracks,) = timelines(folder / "report.html")
    assert {"layers", "core0.array", "core0.dma.weights", "interconnect.dram.read", "dram", "host"} <= set(tracks)


def test_stored_results_are_compared(folder: Path, plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder.parent / "new" / "page.html"
    assert main(["report", str(folder), str(plain), "--out", str(page), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(page), "bytes": page.stat().st_size}
    recorded, stored = timelines(page)
    assert len(recorded) > 1
    assert stored == ["layers"]


def test_what_was_not_recorded_is_simulated_again_on_request(plain: Path) -> None:
    page = plain.with_name("page.html")
    assert main(["report", str(plain), "--out", str(page), "--record"]) == 0
    (tracks,) = timelines(page)
    assert "core0.array" in tracks


def test_a_result_that_comes_out_otherwise_keeps_its_own_times(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one of another version of the simulator would."""
    document = json.loads(plain.read_text())
    document["latency_ps"] += 1
    plain.write_text(json.dumps(document))
    assert main(["report", str(plain), "--out", str(plain.with_name("page.html")), "--record"]) == 0
    assert "its timeline is left out" in capsys.readouterr().err
    assert timelines(plain.with_name("page.html")) == [["layers"]]


def test_a_missing_library_is_named_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["run", *SMALL, "--out", str(tmp_path / "out"), "--report"]) == 2
    assert capsys.readouterr().err == "reports need the extra report: pip install 'soc_sim[report]'\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", *SMALL, "--report"), "name it with --out DIR"),
        (("report", "nowhere.json", "--out", "page.html"), "nowhere.json: cannot be read: No such file or directory"),
        (("report", "configs", "--out", "page.html"), "configs: has no summary.json"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shown = [str(tmp_path / word) if word == "page.html" else word for word in arguments]
    assert main(shown) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
