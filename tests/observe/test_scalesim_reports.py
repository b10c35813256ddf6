"""SCALE-Sim's report columns: one layer worked out by hand, and sums that must be those of the run."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from soc_sim.cli import main

TOPOLOGY = "Layer, M, N, K,\na, 40, 20, 30,\n"
"""In our orientation m = 20 filters, k = 30, n = 40."""


def reports(
    capsys: pytest.CaptureFixture[str], folder: Path, *settings: str
) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """Name → rows by column, as SCALE-Sim's users read them; and the run's document."""
    words = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", "resnet50_edge", *words, "--out", str(folder), "--scalesim-reports", "--quiet"]) == 0
    capsys.readouterr()
    found = {}
    for name in ("COMPUTE", "BANDWIDTH", "DETAILED_ACCESS"):
        with (folder / f"{name}_REPORT.csv").open(newline="") as file:
            found[name] = list(csv.DictReader(file, skipinitialspace=True))
    return found, json.loads((folder / "summary.json").read_text())


def test_one_layer_by_hand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """dOS on 16×16, folds of 16×16, 16×8, 4×16 and 4×8, each K + 2r + c - 2 cycles; 256 KiB hold all of it."""
    (tmp_path / "net.csv").write_text(TOPOLOGY)
    settings = (f"workload.network={tmp_path / 'net.csv'}", "mapping.dataflow=dOS", "soc.dram=ideal")
    found, document = reports(capsys, tmp_path / "out", *settings)
    (layer,) = document["layers"]
    assert (layer["m"], layer["k"], layer["n"]) == (20, 30, 40)
    folds = [(16, 16), (16, 16), (16, 8), (4, 16), (4, 16), (4, 8)]
    cycles = sum(30 + 2 * r + c - 2 for r, c in folds)
    (compute,) = found["COMPUTE"]
    assert layer["compute_cycles"] == cycles
    assert int(compute["Total Cycles"]) - int(compute["Stall Cycles"]) == cycles
    assert float(compute["Compute Util %"]) == pytest.approx(100 * 20 * 30 * 40 / (cycles * 256))
    total = int(compute["Total Cycles"])
    assert float(compute["Overall Util %"]) == pytest.approx(100 * 20 * 30 * 40 / (total * 256), rel=0.01)
    mapped = sum(r * c for r, c in folds) / (256 * len(folds))
    assert float(compute["Mapping Efficiency %"]) == pytest.approx(100 * mapped)
    (access,) = found["DETAILED_ACCESS"]
    # W is read once for each of three column blocks, X once for each of two row blocks, O is written once.
    assert int(access["SRAM Filter Reads"]) == 3 * 20 * 30
    assert int(access["SRAM IFMAP Reads"]) == 2 * 30 * 40
    assert int(access["SRAM OFMAP Writes"]) == 20 * 40
    assert int(access["DRAM OFMAP Writes"]) == 20 * 40
    (bandwidth,) = found["BANDWIDTH"]
    assert float(bandwidth["Avg FILTER SRAM BW"]) == pytest.approx(3 * 20 * 30 / total, rel=0.01)
    assert float(bandwidth["Avg OFMAP DRAM BW"]) == pytest.approx(
        20 * 40 / (int(access["DRAM OFMAP Stop Cycle"]) - int(access["DRAM OFMAP Start Cycle"])), rel=0.2
    )


def test_sums_are_those_of_the_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every layer of the array has a row with its index; its cycles and its words of memory sum to the run's."""
    found, document = reports(capsys, tmp_path, "workload.network=resnet8")
    on_array = [index for index, layer in enumerate(document["layers"]) if layer["dataflow"]]
    for rows in found.values():
        assert [int(row["LayerID"]) for row in rows] == on_array
    spans_ps = [sum(document["layers"][index]["array_time_ps"].values()) for index in on_array]
    assert [int(row["Total Cycles"]) for row in found["COMPUTE"]] == [round(span / 1000) for span in spans_ps]
    moved = sum(
        int(row[f"DRAM {operand}"])
        for row in found["DETAILED_ACCESS"]
        for operand in ("IFMAP Reads", "Filter Reads", "OFMAP Writes")
    )
    host_bytes = document["interconnect"]["bytes"]["host"]
    assert moved + host_bytes == document["dram"]["read_bytes"] + document["dram"]["write_bytes"]
    for row in found["DETAILED_ACCESS"]:
        for place in ("SRAM", "DRAM"):
            for operand in ("IFMAP", "Filter", "OFMAP"):
                start, stop = (row[f"{place} {operand} {edge} Cycle"] for edge in ("Start", "Stop"))
                # An operand that stays on chip has no transfers.
                assert int(start) < int(stop) if start else row[f"{place} {operand} Reads"] == "0"


def test_reports_need_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "resnet8_mcu", "--scalesim-reports"]) == 2
    assert "--scalesim-reports writes into a folder; name it with --out DIR" in capsys.readouterr().err
