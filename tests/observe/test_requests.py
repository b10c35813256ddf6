"""Recorded requests: all of a run's bytes, replayed on the memory alone and as background traffic."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from soc_sim.cli import main
from soc_sim.kernel import Transfer
from soc_sim.observe.requests import RequestWriter

RUN = ("run", "resnet50_edge", "--set", "workload.network=resnet8", "--quiet", "--json")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(list(arguments)) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def size(path: Path, kind: str) -> int:
    with path.open(newline="") as file:
        return sum(int(row["size_bytes"]) for row in csv.DictReader(file) if row["kind"] == kind)


def test_a_run_replays_on_its_memory_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The same bytes in the same bursts; it ends after the last request arrives, and not after the run."""
    dram, weights = tmp_path / "dram.csv", tmp_path / "weights.csv"
    run = document(capsys, *RUN, "--requests", f"dram={dram}", "--requests", f"core0.dma.weights={weights}")
    assert (size(dram, "R"), size(dram, "W")) == (run["dram"]["read_bytes"], run["dram"]["write_bytes"])
    assert size(weights, "R") == run["interconnect"]["bytes"]["core0.dma.weights"]
    replayed = document(capsys, "dram", "--preset", "lpddr4_3200", "--trace", str(dram), "--json")
    assert replayed["bytes"] == run["dram"]["read_bytes"] + run["dram"]["write_bytes"]
    bursts = sum(run["dram"][f"row_{name}"] for name in ("hits", "misses", "conflicts"))
    assert replayed["read_bursts"] + replayed["write_bursts"] == bursts
    last_s = int(dram.read_text().splitlines()[-1].partition(",")[0]) / 1e12
    assert last_s <= replayed["elapsed_s"] <= run["latency_s"]


def test_a_recorded_initiator_is_background_traffic_elsewhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recorded = tmp_path / "inputs.csv"
    alone = document(capsys, *RUN, "--requests", f"core0.dma.inputs={recorded}")
    beside = document(capsys, *RUN, "--set", f"soc.background=[{{name: camera, trace: '{recorded}'}}]")
    assert beside["interconnect"]["bytes"]["camera"] == alone["interconnect"]["bytes"]["core0.dma.inputs"]
    assert beside["latency_s"] >= alone["latency_s"]


def test_a_transfer_of_lines_is_a_request_for_each() -> None:
    """Contiguous lines are one request."""
    file = io.StringIO()
    writer = RequestWriter(file)
    for pitch_bytes in (100, 32):
        writer.add(7, Transfer("host", "dram", True, 1000, 32, 3, pitch_bytes, 3, 0, lambda _: None))
    assert file.getvalue().splitlines() == [
        "arrival_ps,address,size_bytes,kind",
        *(f"7,{address},32,W" for address in (1000, 1100, 1200)),
        "7,1000,96,W",
    ]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("dran=x.csv", "requests: 'dran' is unknown; allowed: core0.dma.weights"),
        ("dram", "'dram' names no file; write NAME=FILE"),
        ("dram=", "'dram=' names no file; write NAME=FILE"),
    ],
)
def test_faults_leave_no_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*RUN, "--requests", option]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
