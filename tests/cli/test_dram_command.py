"""``soc-sim dram``: its keys, its numbers and its messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soc_sim.cli.dispatch import main
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram

CONTRACT = {
    "cycles",
    "elapsed_s",
    "bytes",
    "bandwidth_bytes_per_s",
    "peak_bytes_per_s",
    "mean_latency_s",
    "row_hits",
    "row_misses",
    "row_conflicts",
    "activates",
    "refreshes",
    "energy_j",
    "energy",
}
HEADER = "arrival_ps,address,size_bytes,kind"


@pytest.fixture
def trace(tmp_path: Path) -> Any:
    """Writes a trace, by default with its header."""

    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "requests.csv"
        path.write_text("\n".join((header, *lines)) + "\n")
        return path

    return write


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command and reads its JSON."""

    def call(trace: Path, *words: str, preset: str = "ddr4_2400_x64") -> dict[str, Any]:
        assert main(["dram", "--preset", preset, "--trace", str(trace), "--json", *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return call


@pytest.fixture
def faults(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command, which must fail, and reads the lines of its message."""

    def call(trace: Path, *words: str, preset: str = "ddr4_2400_x64") -> list[str]:
        assert main(["dram", "--preset", preset, "--trace", str(trace), *words]) == 2
        return capsys.readouterr().err.splitlines()

    return call


def test_one_read_of_an_idle_memory(report: Any, trace: Any) -> None:
    """Accepted in cycle 0, activate in 1, data end tRCD + CL + BL/2 later."""
    found = report(trace("0,0,64,R"))
    assert found.keys() >= CONTRACT
    timing = load("ddr4_2400_x64", Dram).timing
    cycles = 1 + timing.nRCD + timing.nCL + 4
    assert found["cycles"] == cycles
    assert found["elapsed_s"] == pytest.approx(cycles * timing.tck_ps * 1e-12)
    assert found["mean_latency_s"] == pytest.approx(found["elapsed_s"])
    assert (found["bytes"], found["row_misses"], found["row_hits"], found["activates"]) == (64, 1, 0, 1)
    assert found["bandwidth_bytes_per_s"] == pytest.approx(64 / found["elapsed_s"])
    assert found["peak_bytes_per_s"] == pytest.approx(8 * 2 / timing.tck_ps * 1e12)
    assert sum(found["energy"].values()) == pytest.approx(found["energy_j"])


def test_an_unaligned_request_costs_every_burst_that_it_touches(report: Any, trace: Any) -> None:
    assert report(trace("0,63,66,R"))["read_bursts"] == 3


def test_a_request_waits_for_its_arrival_and_for_the_one_before(report: Any, trace: Any) -> None:
    """The second arrives before the first but must not pass it."""
    late_ps = 833 * 1000
    timing = load("ddr4_2400_x64", Dram).timing
    found = report(trace(f"{late_ps},0,64,R", "0,64,64,R"))
    # The second's read command follows tCCD_L after the first's; accepted one cycle later.
    assert found["cycles"] == 1000 + 1 + timing.nRCD + timing.nCCD_L + timing.nCL + 4


def test_outstanding_requests_are_those_of_the_trace(report: Any, trace: Any) -> None:
    """With one outstanding, each of two reads of 128 bytes takes its whole latency: two bursts."""
    timing = load("ddr4_2400_x64", Dram).timing
    found = report(trace("0,0,128,R", "0,128,128,R"), "--max-outstanding", "1")
    first = 1 + timing.nRCD + timing.nCCD_L + timing.nCL + 4
    assert found["cycles"] == first + 1 + timing.nCCD_L + timing.nCL + 4


def test_a_limit_on_reads_holds_no_writes_back(report: Any, trace: Any) -> None:
    """The write is accepted while a read is outstanding, and its bank is ready before the read's data are back."""
    lines = trace("0,0,64,R", "0,67108864,64,W")
    assert report(lines, "--max-outstanding", "1") == report(lines, "--max-outstanding", "2")


def test_the_mapping_decides_who_shares_a_bank_group(report: Any, trace: Any) -> None:
    """Consecutive bursts lie tCCD_L apart in one bank group, tCCD_S when they alternate."""
    lines = [f"0,{64 * index},64,R" for index in range(128)]
    cycles = {order: report(trace(*lines), "--mapping", order)["cycles"] for order in ("robabgco", "robacobg")}
    timing = load("ddr4_2400_x64", Dram).timing
    fixed = 1 + timing.nRCD + timing.nCL + 4
    assert cycles["robabgco"] == fixed + 127 * timing.nCCD_L
    assert fixed + 127 * timing.nCCD_S <= cycles["robacobg"] <= fixed + 127 * timing.nCCD_S + 2 * timing.nRRD_S


def test_energy_is_unknown_without_currents(report: Any, trace: Any) -> None:
    found = report(trace("0,0,64,W"), preset="lpddr5_6400_x16")
    assert found["energy_j"] is None
    assert found["mean_latency_s"] is None
    assert any("no currents" in text for text in found["warnings"])


def test_the_table_shows_what_the_json_says(capsys: pytest.CaptureFixture[str], trace: Any) -> None:
    assert main(["dram", "--preset", "ddr4_2400_x64", "--trace", str(trace("0,0,64,R"))]) == 0
    assert "row_misses" in capsys.readouterr().out


def test_addresses_may_have_zeros_in_front(report: Any, trace: Any) -> None:
    padded, hexadecimal, plain = (
        report(trace(f"0,{text},64,R", "0,0,64,R")) for text in ("00008192", "0x2000", "8192")
    )
    assert padded == hexadecimal == plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nan,0,64,R", "arrival_ps: 'nan' is out of range; allowed: a number of picoseconds from 0 to 1e+15"),
        ("1e30,0,64,R", "arrival_ps: '1e30' is out of range; allowed: a number of picoseconds from 0 to 1e+15"),
        ("-1,0,64,R", "arrival_ps: '-1' is out of range; allowed: a number of picoseconds from 0 to 1e+15"),
        ("soon,0,64,R", "arrival_ps: 'soon' is out of range; allowed: a number of picoseconds from 0 to 1e+15"),
        ("0,-64,64,R", "address: '-64' is out of range; allowed: whole numbers from 0 on, decimal or 0x"),
        ("0,0,0,R", "size_bytes: '0' is out of range; allowed: whole numbers from 1 on"),
        ("0,0,6.4,R", "size_bytes: '6.4' is out of range; allowed: whole numbers from 1 on"),
        ("0,0,64,X", "kind: 'X' is unknown; allowed: R, W"),
        ("0,0,64", "has 3 values; allowed: 4 (arrival_ps,address,size_bytes,kind)"),
        (
            f"0,{2**33 - 1},2,R",
            f"address: {2**33 - 1} and 2 bytes more lie beyond the memory's {2**33} bytes",
        ),
    ],
)
def test_a_wrong_line_is_named(faults: Any, trace: Any, line: str, message: str) -> None:
    path = trace("0,0,64,R", line)
    assert faults(path) == [f"{path}:3: {message}"]


def test_all_faults_come_at_once(faults: Any, trace: Any) -> None:
    lines = faults(trace("0,0,64,X"), "--max-outstanding", "-1", "--mapping", "roro", preset="ddr4_2400")
    assert len(lines) == 3
    assert any("--max-outstanding: -1" in line for line in lines)
    assert any(line.startswith("--mapping roro: mapping: 'roro' is no order") for line in lines)
    assert any(line.endswith("kind: 'X' is unknown; allowed: R, W") for line in lines)


@pytest.mark.parametrize(
    ("preset", "wrong"),
    [("lpddr4_320", "is not known; allowed: ddr3_1600, "), ("psram", "is no DRAM; allowed: ddr3_1600, ")],
)
def test_a_name_that_is_no_dram_is_answered_with_the_drams(
    preset: str, wrong: str, trace: Callable[..., Path], faults: Callable[..., list[str]]
) -> None:
    """And with nothing else that ships."""
    (line,) = faults(trace("0,0,64,R"), preset=preset)
    assert line.startswith(f"--preset: '{preset}' {wrong}")
    assert "octal_flash" not in line
    assert line.endswith("did you mean 'lpddr4_3200'?") == (preset == "lpddr4_320")


def test_of_many_faults_the_first_are_shown(faults: Any, trace: Any) -> None:
    lines = faults(trace(*["0,0,64,X"] * 30))
    assert len(lines) == 21
    assert lines[-1].endswith("10 more faults")


@pytest.mark.parametrize("header", ["", "time,address,size,kind", "0,0,64,R"])
def test_a_wrong_header_is_named(faults: Any, trace: Any, header: str) -> None:
    path = trace("0,0,64,R", header=header)
    assert faults(path) == [f"{path}:1: the header is '{header}'; allowed: {HEADER}"]


def test_an_empty_trace_is_a_fault(faults: Any, trace: Any) -> None:
    path = trace()
    assert faults(path) == [f"{path}: has no requests; allowed: at least one line below the header"]


def test_a_missing_file_is_a_fault(faults: Any, tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    assert faults(path) == [f"{path}: cannot be read: No such file or directory"]


def test_a_file_that_is_no_text_is_a_fault(faults: Any, tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert faults(path) == [f"{path}: is no CSV file; allowed: text with the header {HEADER}"]
