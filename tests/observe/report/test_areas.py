"""What the timeline shows as areas, from the document of conftest.py."""

from __future__ import annotations

from typing import Any

from soc_sim.observe.report.areas import areas


def test_bandwidth_has_a_part_for_each_direction(document: dict[str, Any]) -> None:
    (bandwidth,) = areas(document, {})
    assert (bandwidth["title"], bandwidth["unit"], bandwidth["peak"]) == ("dram bandwidth", "B/s", 1e12)
    assert [(part["track"], part["total"]) for part in bandwidth["parts"]] == [
        ("interconnect.dram.read", 2_000_000),
        ("interconnect.dram.write", 500_000),
    ]


def test_power_is_there_when_the_document_has_it_and_the_largest_comes_first(document: dict[str, Any]) -> None:
    samples = {
        "time_s": [0.0, 5e-6, 1e-5],
        "components_w": {"host": [0.0, 0.0], "array": [1.0, 0.0], "dram": [2.0, 3.0]},
    }
    document["power"] = {"average_w": 3.0, "peak_w": 3.0, "samples": samples}
    power = areas(document, {})[-1]
    assert (power["title"], power["unit"], power["peak"]) == ("power", "W", None)
    assert [(part["title"], part["subject"], part["values"]) for part in power["parts"]] == [
        ("dram", "dram", [2.0, 3.0]),
        ("array", "busy", [1.0, 0.0]),
    ]
    assert power["parts"][0]["edges_s"] == samples["time_s"]


def test_full_height_of_a_buffer_is_its_capacity_where_that_is_known(document: dict[str, Any]) -> None:
    document["cores"] = [{"buffers": {"inputs": {"capacity_bytes": 4096}}}]
    packed = {"counters": [{"track": "core0.inputs.fill"}, {"track": "core7.weights.fill"}]}
    known, unknown = areas(document, packed)[-2:]
    assert (known["title"], known["peak"], known["parts"][0]["subject"]) == ("core0 inputs fill", 4096, "inputs")
    assert (unknown["title"], unknown["peak"]) == ("core7 weights fill", None)


def test_a_result_without_memories_has_none(document: dict[str, Any]) -> None:
    document["dram"] = None
    assert areas(document, {}) == []
