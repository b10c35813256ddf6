"""The main job, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soc_sim.cli import main
from soc_sim.kernel import CAUSES

KEYS = (
    "schema", "version", "config", "seed", "network", "latency_s", "energy_j", "energy", "area_mm2", "macs",
    "macs_executed", "utilisation", "array_time_s", "cores", "dram", "memory", "layers", "simulation", "warnings",
)  # fmt: skip
DRAM_KEYS = (
    "read_bytes", "write_bytes", "bandwidth_bytes_per_s", "row_hits", "row_misses", "row_conflicts", "refreshes",
)  # fmt: skip
LAYER_KEYS = (
    "name", "op", "m", "k", "n", "groups", "dataflow", "sparsity", "start_s", "end_s", "compute_cycles",
    "macs_executed", "dram_read_bytes", "dram_write_bytes", "stall_s", "energy_j",
)  # fmt: skip


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["run", *arguments, "--json"]) == 0
    result: dict[str, object] = json.loads(capsys.readouterr().out)
    return result


def small(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    return document(capsys, "resnet50_edge", "--set", "workload.network=resnet8", *arguments)


def test_the_main_job_reports_every_layer_of_resnet50(capsys: pytest.CaptureFixture[str]) -> None:
    """53 convolutions and one fully connected layer on the array, two poolings on the host; published MACs."""
    result = document(capsys, "configs/resnet50_edge.yaml")
    assert [key for key in KEYS if key not in result] == []
    assert [key for key in DRAM_KEYS if key not in result["dram"]] == []
    layers = result["layers"]
    assert all(key in layer for layer in layers for key in LAYER_KEYS)
    assert sum(layer["op"] == "Conv" for layer in layers) == 53
    assert [layer["op"] for layer in layers if layer["unit"] == "host"] == ["MaxPool", "GlobalAveragePool"]
    assert result["macs"] == result["macs_executed"] == sum(layer["macs_executed"] for layer in layers) == 4089184256
    assert result["memory"]["fits"]


def test_every_sum_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    """In picoseconds to the last one, in seconds to the last bit of a float sum."""
    result = small(capsys)
    assert tuple(result["array_time_ps"]) == CAUSES
    assert sum(result["array_time_ps"].values()) == result["latency_ps"]
    assert sum(result["array_time_s"].values()) == pytest.approx(result["latency_s"], rel=1e-15)
    layers = result["layers"]
    assert sum(sum(layer["array_time_ps"].values()) for layer in layers) == result["latency_ps"]
    for key in ("read_bytes", "write_bytes"):
        assert sum(layer[f"dram_{key}"] for layer in layers) == result["dram"][key]
    assert sum(layer["energy_j"] for layer in layers) == pytest.approx(result["energy_j"], rel=1e-12)
    assert sum(result["energy"].values()) == pytest.approx(result["energy_j"], rel=1e-12)
    assert 0 < result["utilisation"] <= 1


def test_the_embedded_configuration_gives_the_same_result(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    result = small(capsys, "--seed", "5")
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(result["config"]))
    repeated = document(capsys, str(again))
    for outcome in (result, repeated):
        del outcome["simulation"]["wall_s"]
    assert result["seed"] == 5
    assert repeated == result


def test_results_do_not_depend_on_the_hash_seed() -> None:
    outputs = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "soc_sim", "run", "resnet50_edge", "--set", "workload.network=ds_cnn", "--json"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        result = json.loads(done.stdout)
        del result["simulation"]["wall_s"]
        outputs.append(json.dumps(result))
    assert outputs[0] == outputs[1]


def test_cores_report_their_own_time_and_share_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = small(capsys), small(capsys, "--set", "soc.cores=2")
    assert two["macs_executed"] == one["macs_executed"]
    assert two["latency_ps"] < one["latency_ps"]
    assert [sum(core["array_time_ps"].values()) for core in two["cores"]] == [two["latency_ps"]] * 2
    assert sum(two["array_time_ps"].values()) == two["latency_ps"]


def test_inferences_in_a_row_overlap(capsys: pytest.CaptureFixture[str]) -> None:
    """The first is cold and unchanged; later ones start while it ends."""
    one, many = small(capsys), small(capsys, "--set", "workload.inferences=4")
    assert many["latency_ps"] == one["latency_ps"]
    assert 0 < many["steady_latency_s"] <= one["latency_s"]


def test_a_batch_multiplies_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    one, four = small(capsys), small(capsys, "--set", "workload.batch=4")
    assert four["macs"] == 4 * one["macs"]
    assert one["latency_s"] < four["latency_s"] < 4 * one["latency_s"]


def test_what_if_compares_with_a_second_run(capsys: pytest.CaptureFixture[str]) -> None:
    result = small(capsys, "--what-if", "soc.array.clock=500 MHz")
    slower = small(capsys, "--set", "soc.array.clock=500 MHz")
    assert result["what_if"]["latency_s"] == slower["latency_s"]
    assert result["what_if"]["latency_change"] == pytest.approx(slower["latency_s"] / result["latency_s"] - 1)


def test_a_run_leaves_its_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out, trace = tmp_path / "results", tmp_path / "timeline.json"
    result = small(capsys, "--out", str(out), "--trace", str(trace))
    assert {path.name for path in out.iterdir()} == {
        "config.resolved.yaml", "summary.json", "layers.csv", "stats.txt", "trace.json",
    }  # fmt: skip
    summary = json.loads((out / "summary.json").read_text())
    assert summary["latency_ps"] == result["latency_ps"]
    assert document(capsys, str(out / "config.resolved.yaml"))["latency_ps"] == result["latency_ps"]
    assert len((out / "layers.csv").read_text().splitlines()) == 1 + len(result["layers"])
    events = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
    end_us = max(event["ts"] + event["dur"] for event in events)
    assert end_us == pytest.approx(1e6 * result["latency_s"], abs=1e-6)


def test_a_trace_is_selected_by_options_and_kept_in_the_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, trace = tmp_path / "results", tmp_path / "part.csv"
    options = ("--trace-detail", "tiles,counters", "--trace-components", "core0.array, core0.*.fill")
    result = small(capsys, "--trace", str(trace), *options, "--trace-window", "1 us:0.2 ms", "--out", str(out))
    assert result["config"]["trace"] == {
        "detail": ["tiles", "counters"],
        "components": ["core0.array", "core0.*.fill"],
        "window": {"from": "1 us", "to": "200 us"},
    }
    assert trace.read_bytes() == (out / "trace.csv").read_bytes()
    lines = trace.read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in lines} == {
        "core0.array", "core0.weights.fill", "core0.inputs.fill", "core0.outputs.fill",
    }  # fmt: skip


def test_a_section_of_the_configuration_puts_a_trace_beside_other_results(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small(capsys, "--out", str(tmp_path), "--set", "trace={format: csv, detail: [layers]}")
    names = [line.split(",")[2] for line in (tmp_path / "trace.csv").read_text().splitlines()[1:]]
    assert [layer["name"] for layer in json.loads((tmp_path / "summary.json").read_text())["layers"]] == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trace", "x.jsn"], "x.jsn: '.jsn' is no format of traces; allowed: .json, .pftrace, .parquet, .csv, .vcd"),
        (["--trace", "x.csv", "--trace-detail", "tile"], "'tile' is unknown; allowed: layers, tiles"),
        (["--trace", "x.csv", "--trace-components", "cor0"], "no component matches 'cor0'; there are: core0"),
        (["--trace", "x.csv", "--trace-window", "2 ms:1 ms"], "trace.window.to: is not later than from"),
        (["--trace", "x.csv", "--trace-window", "1:2"], "'1' has no unit"),
        (["--trace-detail", "tiles"], "have no effect without --trace FILE"),
    ],
)
def test_faults_of_traces_are_found_before_the_run(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "resnet8_mcu", *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not list(tmp_path.iterdir())


def test_the_table_goes_to_stdout_and_warnings_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "resnet50_edge", "--set", "workload.network=resnet8"]) == 0
    captured = capsys.readouterr()
    assert "stack2.shortcut" in captured.out
    assert "latency" in captured.out
    assert "run on the host" in captured.err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("soc.array.rows=0",), "soc.array.rows"),
        (("workload.network=resnet51",), "did you mean 'resnet50'"),
        (("mapping.dataflow={conv9: dWS}",), "'conv9' is no layer"),
        (("soc.buffers.inputs.capacity=8 B",), "its smallest tile needs"),
        (("soc.buffers.weights.capacity=64 B", "soc.buffers.inputs.capacity=64 B"), "enlarge soc.buffers"),
        (("soc.dram=ideal", "soc.dram.capacity=1 MiB"), "more than its 1048576"),
    ],
)
def test_faults_are_lines_on_stderr_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], settings: tuple[str, ...], message: str
) -> None:
    overrides = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", "resnet50_edge", *overrides, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_a_total_that_is_not_known_is_null_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A flash without a price leaves no total; the other components have theirs."""
    result = document(capsys, "resnet8_mcu", "--set", "soc.weight_memory.read_pj_per_byte=null")
    assert result["energy_j"] is None
    assert {layer["energy_j"] for layer in result["layers"]} == {None}
    for name, joules in result["energy"].items():
        parts = [layer["component_energy_j"][name] for layer in result["layers"]]
        assert set(parts) == {None} if joules is None else sum(parts) == pytest.approx(joules)
    assert [name for name, joules in result["energy"].items() if joules is None] == ["weight_memory"]
    assert any("energy_j is null" in warning and "weight_memory" in warning for warning in result["warnings"])


def test_background_traffic_of_the_soc_is_part_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a line of its own in the summary, energy of its own, and a rate as asked."""
    setting = "soc.background=[{name: display, bandwidth: 2 GB/s, jitter: 0.5}]"
    alone: Any = small(capsys)
    beside: Any = small(capsys, "--set", setting, "--seed", "3")
    assert beside["latency_s"] > alone["latency_s"]
    display = beside["initiators"]["display"]
    assert display["bandwidth_bytes_per_s"] == pytest.approx(2e9, rel=0.05)
    assert sum(entry["count"] for entry in display["latency_histogram"]) == display["transfers"]
    layers_j = sum(layer["energy_j"] for layer in beside["layers"])
    assert layers_j + display["energy_j"] == pytest.approx(beside["energy_j"], rel=1e-9)
    assert main(["run", "resnet50_edge", "--set", "workload.network=resnet8", "--set", setting]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("background")]
    assert line.split()[1] == "display"
    assert "for it, side by side" in line
