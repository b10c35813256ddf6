"""The table and the summary on stdout, with figures worked out by hand from the document of conftest.py."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from soc_sim.observe.columns import columns, rows
from soc_sim.observe.summary import summary
from soc_sim.observe.tables import print_result, print_warnings


def printed(document: dict[str, Any], width: int | None = None) -> str:
    file = io.StringIO()
    print_result(document, file, width)
    print_warnings(document, file)
    return file.getvalue()


def cells(document: dict[str, Any], row: int) -> dict[str, str]:
    body = rows(document)
    return {column.title: column.cell(body[row], body[-1]) for column in columns(document)}


def test_a_layer_of_the_array(document: dict[str, Any]) -> None:
    """12 000 MACs in 4 µs on 4 PEs at 1 GHz: 12 000 of 16 000."""
    assert cells(document, 0) == {
        "layer": "conv1",
        "op": "Conv",
        "flow": "dWS",
        "M×K×N": "4×30×50 (×2)",
        "MACs": "12 k",
        "time": "4 µs",
        "time %": "40.0",
        "util %": "75.0",
        "busy %": "75.0",
        "weights %": "25.0",
        "inputs %": "0.0",
        "outputs %": "0.0",
        "host %": "0.0",
        "other %": "0.0",
        "bound by": "array 75.0 %",
        "DRAM read MB": "2.000",
        "DRAM write MB": "0.500",
    }


def test_a_layer_of_the_host(document: dict[str, Any]) -> None:
    """5 of its 6 µs the array waits for the host, and 1 µs it is idle."""
    found = cells(document, 1)
    assert [found[title] for title in ("flow", "M×K×N", "MACs", "util %")] == ["host", "", "", ""]
    assert [found[title] for title in ("time %", "busy %", "host %", "other %")] == ["60.0", "0.0", "83.3", "16.7"]
    assert found["bound by"] == "dram row 83.3 %"


def test_the_total(document: dict[str, Any]) -> None:
    """30 % of the MACs that 10 µs allow."""
    found = cells(document, -1)
    assert [found[title] for title in ("layer", "time", "time %", "util %")] == ["total", "10 µs", "100.0", "30.0"]
    assert [found[title] for title in ("busy %", "weights %", "host %", "other %")] == ["30.0", "10.0", "50.0", "10.0"]


def test_causes_of_a_layer_sum_to_its_time(document: dict[str, Any]) -> None:
    """Busy for 2 of 10 µs, and 1 µs for each of the eight other causes, four of which are in the last column."""
    document["layers"][0]["stall_s"] = dict.fromkeys(document["layers"][0]["stall_s"], 1e-6)
    document["layers"][0]["busy_s"] = 2e-6
    found = cells(document, 0)
    causes = ("busy %", "weights %", "inputs %", "outputs %", "host %", "other %")
    assert [found[title] for title in causes] == ["20.0", "10.0", "10.0", "10.0", "10.0", "40.0"]


def test_summary(document: dict[str, Any]) -> None:
    assert summary(document) == [
        ("network", "tiny, 2 layers, 12 kMAC"),
        ("latency", "10 µs"),
        ("throughput", "100,000 inferences/s, 1.2 GMAC/s"),
        ("utilisation", "30.0 % of the MACs that the PEs could execute"),
        ("array time", "wait_host 50.0 %, busy 30.0 %, wait_weights 10.0 %, idle 10.0 %"),
        ("DRAM", "2 MB read, 500 kB written, 250 GB/s (25.0 % of peak)"),
        ("energy", "3 mJ (dram 2 mJ, array 1 mJ)"),
        ("area", "unknown"),
        ("memory", "the network fits: 640 B of 1 kB in dram"),
        ("", "weights 240 B, activations at most 400 B"),
        ("buffers", "filled at most: weights 240 B"),
        ("warning", "softmax runs on the host"),
    ]


def test_open_rows_and_steady_latency_are_shown_where_they_exist(document: dict[str, Any]) -> None:
    document["dram"] |= {"row_hits": 5, "row_misses": 2, "row_conflicts": 1}
    document["steady_latency_s"] = 9e-6
    found = dict(summary(document))
    assert found["DRAM"].endswith("; rows: 5 hits, 2 misses, 1 conflicts")
    assert found["steady"] == "9 µs an inference"


def test_range_power_and_clocks_are_shown_where_they_say_something(document: dict[str, Any]) -> None:
    document["energy_range_j"] = {"total": {"low": 0.001, "high": 0.004}}
    document["power"] = {"average_w": 300, "peak_w": 500, "window_s": 1e-6, "peak_at_s": 0.0}
    phases = [{"clock_hz": 10**9, "time_s": 2.5e-6}, {"clock_hz": 5 * 10**8, "time_s": 7.5e-6}]
    document["domains"] = {
        "array": {"transitions": 1, "idle_state_s": {"power_gated": 4e-6, "clock_gated": 0.0}, "phases": phases},
        "host": {"transitions": 0, "idle_state_s": {}, "phases": phases[:1]},
    }
    found = summary(document)
    assert ("", "by other published figures 1 mJ to 4 mJ") in found
    assert ("power", "300 W on average, at most 500 W over 1 µs") in found
    assert ("clock", "array: 1 GHz for 25.0 %, 500 MHz for 75.0 %") in found
    assert ("idle states", "array: power_gated 40.0 %") in found


def test_a_pipe_gets_all_columns_and_no_styles(document: dict[str, Any]) -> None:
    text = printed(document)
    assert "\x1b" not in text
    header = text.splitlines()[1]
    assert header.split() == " ".join(column.title for column in columns(document)).split()
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 200])
def test_no_line_is_wider_than_asked_and_no_figure_is_cut(document: dict[str, Any], width: int) -> None:
    document["layers"][0]["name"] = "features/stage_one/block_zero/convolution_with_a_long_name/Conv"
    lines = printed(document, width).splitlines()
    assert max(map(len, lines)) <= width
    layer = next(line for line in lines if "features/" in line)
    assert layer.count("…") == 1
    assert "4 µs" in layer


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_with_colours_gets_bars_and_their_legend(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The softmax, at 60 %, waits for the host for 5 of 6 µs."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    print_result(document, file, 100)
    text = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    assert "where it went" in text
    assert next(line for line in text.splitlines() if "softmax" in line).count("█") >= 19
    assert "■ waits for the host" in text
    assert max(map(len, text.splitlines())) <= 100


def test_lines_of_the_summary_end_between_quantities(document: dict[str, Any]) -> None:
    lines = printed(document, 48).splitlines()
    figures = lines[next(row for row, line in enumerate(lines) if line.startswith("network")) :]
    assert len(figures) > len(summary(document)), "some are too long for one line"
    assert not [line for line in figures if re.search(r"\d$", line)]
    assert max(map(len, lines)) <= 48


def test_others_traffic_is_named_by_its_role(document: dict[str, Any]) -> None:
    document["layers"][1]["bound_by"] = {"component": "dram", "reason": "arbitration:core0.dma.weights", "share": 0.5}
    assert cells(document, 1)["bound by"] == "dram ← dma.weights 50.0 %"


def test_wider_terminals_show_more(document: dict[str, Any]) -> None:
    headers = [printed(document, width).splitlines()[1].split() for width in (40, 80, 120, 200)]
    assert [len(header) for header in headers] == sorted({len(header) for header in headers})


def test_names_cannot_steer_the_terminal(document: dict[str, Any]) -> None:
    """Neither escape sequences nor rich's markup in a name do anything."""
    document["layers"][0]["name"] = "[red]\x1b[2Jx"
    document["warnings"] = ["[bold]line\nbreak"]
    text = printed(document)
    assert "\x1b" not in text
    assert r"[red]\x1b[2Jx" in text
    assert r"[bold]line\nbreak" in text


def test_an_encoding_without_the_signs_gets_question_marks(document: dict[str, Any]) -> None:
    binary = io.BytesIO()
    file = io.TextIOWrapper(binary, encoding="ascii")
    print_result(document, file)
    file.flush()
    assert b"4?30?50 (?2)" in binary.getvalue()


def test_a_network_without_macs_has_a_table(document: dict[str, Any]) -> None:
    """A network that only the host runs: no MACs, no utilisation."""
    document |= {"layers": document["layers"][1:], "macs": 0, "macs_executed": 0, "utilisation": 0.0}
    assert cells(document, -1)["util %"] == ""
    assert "total" in printed(document)
