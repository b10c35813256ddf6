"""``soc-sim scenario``: files, scripts, and what is said where they are wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import soc_sim
from soc_sim.cli.dispatch import main

SCENARIO = """kind: scenario
soc: mcu_8x8
until: 2 ms
streams:
  - {name: spotter, network: ds_cnn, period: 1 ms, deadline: 800 us}
background:
  - {name: cpu, bandwidth: 100 MB/s, chunk: 512 B}
"""
SCRIPT = """import soc_sim
scenario = soc_sim.Scenario(soc_sim.load_soc("mcu_8x8"))
scenario.stream(soc_sim.load_network("ds_cnn"), name="spotter", period_s=1e-3)
print("hello")
outcome = scenario.run(until_s=1e-3)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


def test_json_is_one_document(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", str(file), "--json", "--seed", "7", "--out", str(file.with_suffix(".json"))]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "scenario"
    assert document["seed"] == document["config"]["seed"] == 7
    (stream,) = document["streams"]
    assert (stream["name"], stream["completed"], stream["deadline_misses"]) == ("spotter", 2, 0)
    assert document["initiators"]["cpu"]["bytes"] == pytest.approx(100e6 * 2e-3, rel=0.01)
    assert json.loads(file.with_suffix(".json").read_text()) == document


def test_a_table_for_people(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", str(file), "--set", "streams[spotter].deadline=10 us"]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.strip().startswith("spotter")).split()
    assert row[:5] == ["spotter", "ds_cnn", "0", "2/2", "2"]
    assert any(line.strip().startswith("cpu") for line in lines)


def test_a_script_leaves_its_outcome_and_prints_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    assert main(["scenario", str(path), "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["streams"][0]["completed"] == 1
    assert output.err == "hello\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", ": leaves no 'outcome'; let it end with: outcome = scenario.run(until_s=…)"),
        ("x = 1\ny = x / 0\n", ":2: ZeroDivisionError: division by zero"),
        ("x = 1\ny = (\n", ":2: SyntaxError: '(' was never closed"),
    ],
)
def test_a_script_that_fails_gives_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "script.py"
    path.write_text(text)
    assert main(["scenario", str(path)]) == 2
    assert capsys.readouterr().err == f"{path}{message}\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("network: ds_cnn", "network: ds_cn", "5: streams[0].network: 'ds_cn' is not a network of the zoo"),
        ("period: 1 ms", "period: 1", "5: streams[0].period: 1 has no unit; write it as in '13.75 ns'"),
        ("period: 1 ms, ", "", "5: streams[0].period: is missing with arrivals periodic"),
        ("deadline", "dedline", "5: streams[0].dedline: unknown key"),
        ("until: 2 ms\n", "", "1: until: is missing"),
        ("name: cpu", "name: host", "background[0].name: 'host' is an initiator of the SoC already"),
        (
            "until: 2 ms",
            "until: 2 ms\nfrequency_changes: [{at: 1 ms, domain: arry, clock: 100 MHz}]",
            "4: frequency_changes[0].domain: 'arry' is no clock domain",
        ),
    ],
)
def test_faults_name_file_and_line(
    old: str, new: str, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SCENARIO.replace(old, new))
    assert main(["scenario", str(file)]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(str(file)) or str(file.name) in first
    assert message in first
    assert main(["check", str(file)]) == 2


def test_check_show_and_list_know_scenarios(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", str(file), "two_tenants"]) == 0
    capsys.readouterr()
    assert main(["show", str(file), "--seed", "3"]) == 0
    shown = tmp_path / "shown.yaml"
    shown.write_text(capsys.readouterr().out)
    assert "seed: 3" in shown.read_text()
    assert main(["check", str(shown)]) == 0
    capsys.readouterr()
    assert main(["list", "scenarios", "--json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)["scenarios"]]
    assert names == ["camera_and_display", "spotter_and_vision", "two_tenants"]


def test_settings_do_not_reach_into_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    assert main(["scenario", str(path), "--set", "until=1 ms"]) == 2
    assert "--set and --seed belong to YAML files" in capsys.readouterr().err
    assert main(["scenario", str(tmp_path / "none.py")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_trace_shows_every_answer_and_the_arrays_time(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Inferences by stream, each from its request to its answer; tiles sum to the core's busy time."""
    trace = tmp_path / "trace.csv"
    details = "layers,tiles,counters"
    assert main(["scenario", str(file), "--trace", str(trace), "--trace-detail", details, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    with trace.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for stream in document["streams"]:
        answers = [row for row in rows if row["track"] == f"streams.{stream['name']}"]
        assert len(answers) == stream["completed"] > 0
        mean_s = sum(int(row["duration_ps"]) for row in answers) / len(answers) * 1e-12
        assert mean_s == pytest.approx(stream["latency_mean_s"])
        assert {row["name"] for row in answers} <= {"inference", "late inference"}
        late = sum(row["name"] == "late inference" for row in answers)
        assert late == stream["deadline_misses"]
    power_w = [float(row["value"]) for row in rows if row["track"] == "power.array"]
    assert max(power_w) == pytest.approx(max(document["power"]["samples"]["components_w"]["array"]))
    tiles_ps = sum(int(row["duration_ps"]) for row in rows if row["track"] == "core0.array")
    busy_ps = document["cores"][0]["array_time_ps"]["busy"]
    # A tile under way at the end of the scenario is told whole.
    longest_ps = max(int(row["duration_ps"]) for row in rows if row["track"] == "core0.array")
    assert busy_ps <= tiles_ps <= busy_ps + longest_ps
    names = {row["layer"] for row in rows if row["track"] == "core0.array"}
    assert {name.partition(": ")[0] for name in names} == {stream["name"] for stream in document["streams"]}


def test_python_writes_a_trace_of_a_scenario(tmp_path: Path) -> None:
    scenario = soc_sim.Scenario(soc_sim.load_soc("mcu_8x8"))
    scenario.stream(soc_sim.load_network("ds_cnn"), name="spotter", period_s=0.1)
    scenario.run(until_s=0.15, trace=tmp_path / "t.csv")
    assert sum("streams.spotter" in line for line in (tmp_path / "t.csv").read_text().splitlines()) == 2


def test_a_script_writes_its_own_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "s.py"
    script.write_text("outcome = None\n")
    assert main(["scenario", str(script), "--trace", str(tmp_path / "t.csv")]) == 2
    assert "a script writes its own trace: scenario.run(until_s=…, trace=FILE)" in capsys.readouterr().err


def test_a_trace_ends_with_the_scenario(file: Path, tmp_path: Path) -> None:
    """Background traffic has asked for more than the memory could move by then; what it has promised is cut off."""
    trace = tmp_path / "trace.json"
    arguments = ["--set", "background[cpu].bandwidth=1.6 GB/s", "--set", "until=100 us", "--trace", str(trace)]
    assert main(["scenario", str(file), "--quiet", *arguments]) == 0
    slices = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
    assert 99 < max(event["ts"] + event["dur"] for event in slices) <= 100 + 1e-6
