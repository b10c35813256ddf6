"""Which statistics differ: changes by hand, layers by name, what is left out; the command and its exit codes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from soc_sim.cli import main
from soc_sim.observe.comparison import compare


@pytest.fixture
def other(document: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(document)


def changed(document: dict[str, Any], other: dict[str, Any], tolerance: float = 0.0) -> dict[str, tuple[Any, Any]]:
    return {one.name: (one.a, one.b) for one in compare(document, other, tolerance).statistics}


def test_equal_results_differ_in_nothing(document: dict[str, Any], other: dict[str, Any]) -> None:
    other["simulation"]["wall_s"] = 99.0
    assert compare(document, other) == compare(document, document)
    assert not changed(document, other)


def test_a_change_has_its_size_its_share_and_its_unit(document: dict[str, Any], other: dict[str, Any]) -> None:
    other["dram"]["read_bytes"] = 3_000_000
    (difference,) = compare(document, other).statistics
    assert difference.to_json() == {
        "name": "dram.read_bytes",
        "a": 2_000_000,
        "b": 3_000_000,
        "change": 1_000_000,
        "relative": 0.5,
        "unit": "byte",
        "description": "read from the memory",
    }


def test_from_zero_there_is_no_share(document: dict[str, Any], other: dict[str, Any]) -> None:
    document["zeros_injected"], other["zeros_injected"] = 0, 5
    (difference,) = compare(document, other).statistics
    assert (difference.change, difference.relative) == (5, None)


def test_layers_are_compared_by_name(document: dict[str, Any], other: dict[str, Any]) -> None:
    """In another order nothing differs, and a layer of the same name twice is the second of that name."""
    other["layers"].reverse()
    assert not changed(document, other)
    for side, cycles in ((document, 1), (other, 2)):
        side["layers"].append({"name": "conv1", "compute_cycles": cycles})
    document["layers"] = document["layers"][::-1][1:] + document["layers"][::-1][:1]
    other["layers"] = other["layers"][:2][::-1] + other["layers"][2:]
    assert "layers[conv1 (2)].compute_cycles" in changed(document, other)


def test_what_only_one_has_is_listed(document: dict[str, Any], other: dict[str, Any]) -> None:
    del other["dram"]["read_bytes"]
    other["weight_memory"] = {"read_bytes": 7}
    found = changed(document, other)
    assert found["dram.read_bytes"] == (2_000_000, None)
    assert found["weight_memory.read_bytes"] == (None, 7)


def test_texts_and_unknown_values_differ_without_a_change(document: dict[str, Any], other: dict[str, Any]) -> None:
    other["layers"][0]["dataflow"], other["area_mm2"] = "dIS", 2.5
    differences = {one.name: one for one in compare(document, other).statistics}
    assert differences["layers[conv1].dataflow"].change is None
    assert differences["area_mm2"].change is None


def test_small_changes_can_be_ignored(document: dict[str, Any], other: dict[str, Any]) -> None:
    other["dram"]["read_bytes"] = 2_020_000
    assert changed(document, other, 0.009)
    assert not changed(document, other, 0.01)


def test_settings_and_warnings_are_apart(document: dict[str, Any], other: dict[str, Any]) -> None:
    document["config"], other["config"] = {"soc": {"rows": 8}}, {"soc": {"rows": 16}}
    other["warnings"] = [*document["warnings"], "hot"]
    comparison = compare(document, other)
    assert [(one.name, one.a, one.b) for one in comparison.settings] == [("soc.rows", 8, 16)]
    assert comparison.warnings == ((), ("hot",))
    assert not comparison.statistics


def stored(folder: Path, name: str, document: dict[str, Any]) -> str:
    """A folder as of ``run --out``, or a file."""
    path = folder / name if name.endswith(".json") else folder / name / "summary.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    return str(folder / name)


def test_the_exit_code_says_whether_anything_differs(
    document: dict[str, Any], other: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other["dram"]["read_bytes"] += 1
    other["layers"][0]["compute_cycles"] = 7
    a, b, c = (stored(tmp_path, *one) for one in (("a", document), ("b.json", other), ("c.json", document)))
    assert main(["diff", a, c]) == 0
    assert capsys.readouterr().out == "no statistic differs\n"
    assert main(["diff", a, b, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in report["statistics"]] == ["dram.read_bytes", "layers[conv1].compute_cycles"]
    assert report["equal"] is False
    assert main(["diff", a, b]) == 1
    text = capsys.readouterr().out
    assert "dram.read_bytes" in text
    assert "1 statistics of 1 layers differ, too; --layers lists them" in text
    assert main(["diff", a, b, "--layers"]) == 1
    assert "layers[conv1].compute_cycles" in capsys.readouterr().out


def test_results_of_other_commands_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for cycles in (10, 12):
        paths.append(stored(tmp_path, f"{cycles}.json", {"schema": 1, "cycles": cycles, "config": {"rows": 4}}))
    assert main(["diff", *paths]) == 1
    assert "+20.00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, (), "none: cannot be read: No such file or directory"),
        ("[]", (), "is no result"),
        ("{", (), "is no JSON"),
        ("{}", ("--tolerance", "-1"), "--tolerance: -1.0 is out of range; allowed: 0 or more"),
        ("{}", ("--tolerance", "nan"), "--tolerance: nan is out of range; allowed: 0 or more"),
    ],
)
def test_wrong_input_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, arguments: tuple[str, ...], message: str
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "none"
    good.write_text("{}")
    if content is not None:
        bad.write_text(content)
    assert main(["diff", str(good), str(bad), *arguments]) == 2
    assert message in capsys.readouterr().err
