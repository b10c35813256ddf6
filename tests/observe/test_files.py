"""The files of ``--out``: their names, formats, and that numbers read back equal."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soc_sim.errors import InputError
from soc_sim.observe.files import write_all

STATISTIC = re.compile(r"([A-Za-z_][\w:-]*(?:\.[\w:-]+)*) +(\S+) # (.+) \(([^()]+)\)", re.ASCII)
"""Dotted name, value, description, unit."""


def statistics(path: Path) -> dict[str, tuple[float, str, str]]:
    """Name → value, description, unit."""
    first, *lines, last = path.read_text().splitlines()
    assert first == "---------- Begin Simulation Statistics ----------"
    assert last == "---------- End Simulation Statistics   ----------"
    matches = [STATISTIC.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return {match[1]: (float(match[2]), match[3], match[4]) for match in matches if match}


def test_all_files_are_written(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path / "a" / "b", document, "kind: run\n")
    assert sorted(entry.name for entry in (tmp_path / "a" / "b").iterdir()) == [
        "config.resolved.yaml",
        "layers.csv",
        "stats.txt",
        "summary.json",
    ]
    assert (tmp_path / "a" / "b" / "config.resolved.yaml").read_text() == "kind: run\n"
    assert json.loads((tmp_path / "a" / "b" / "summary.json").read_text()) == document


def test_a_file_in_the_place_of_the_folder_is_an_input_error(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match=r"out: is a file; name a folder for the results$"):
        write_all(tmp_path / "out", document, "")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_document_that_is_no_json_leaves_no_half_summary(tmp_path: Path, document: dict[str, Any]) -> None:
    """NaN stands at the end, when most has been written."""
    document["simulation"]["wall_s"] = math.nan
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_all(tmp_path, document, "")
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.resolved.yaml"]


def test_layers_read_back_equal(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path, document, "")
    with (tmp_path / "layers.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for line, layer in zip(lines, document["layers"], strict=True):
        assert json.loads(line.pop("operators")) == layer["operators"]
        assert {line.pop(f"stall_{cause}_s"): cause for cause in layer["stall_s"]}
        for cause, components in layer["stall_reasons_s"].items():
            assert json.loads(line.pop(f"stall_reasons_{cause}_s")) == components
        assert {key: line.pop(f"bound_by_{key}") for key in layer["bound_by"]} == {
            key: str(value) for key, value in layer["bound_by"].items()
        }
        left = {key: value for key, value in line.items() if not key.startswith("stall_reasons")}
        divided = ("operators", "stall_s", "stall_reasons_s", "bound_by")
        rest = {key: value for key, value in layer.items() if key not in divided}
        assert list(left) == list(rest)
        for key, value in rest.items():
            assert left[key] == ("" if value is None else str(value))
            if isinstance(value, float):
                assert float(left[key]) == value


def test_a_layer_without_some_mapping_adds_no_column(tmp_path: Path, document: dict[str, Any]) -> None:
    """As layers of the host, which have no regret of dataflows."""
    first, second = document["layers"]
    first["regret"], second["regret"] = {"dOS": 1.5}, None
    write_all(tmp_path, document, "")
    with (tmp_path / "layers.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert "regret" not in lines[0]
    assert [line["regret_dOS"] for line in lines] == ["1.5", ""]


def test_stalls_are_columns_that_end_in_their_unit(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path, document, "")
    with (tmp_path / "layers.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert float(first["stall_wait_weights_s"]) == 1e-6
    assert float(second["stall_wait_host_s"]) == 5e-6


def test_statistics_are_name_value_description_and_unit(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path, document, "")
    found = statistics(tmp_path / "stats.txt")
    assert found["latency_s"][::2] == (1e-5, "s")
    assert found["dram.bandwidth_bytes_per_s"] == (2.5e11, "bytes moved over the makespan", "byte/s")
    assert found["energy.dram"] == (0.002, "energy of a component: dram", "J")
    assert found["array_time_s.wait_host"][::2] == (5e-6, "s")
    assert found["layers.0.compute_cycles"][::2] == (3000, "cycle")
    assert found["layers.0.compute_cycles"][1].startswith('layer "conv1": ')
    assert found["memory.fits"][0] == 1


def test_what_is_not_modelled_is_nan(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path, document, "")
    found = statistics(tmp_path / "stats.txt")
    assert math.isnan(found["area_mm2"][0])
    assert math.isnan(found["layers.1.energy_j"][0])


def test_texts_and_configuration_are_no_statistics(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path, document, "")
    names = set(statistics(tmp_path / "stats.txt"))
    assert not names & {"network", "version", "config.kind", "warnings.0", "layers.0.name", "layers.1.dataflow"}


def test_names_of_the_user_keep_to_the_grammar(tmp_path: Path, document: dict[str, Any]) -> None:
    """A layer with a line break and a component with a space still give one well-formed line each."""
    document["layers"][0]["name"] = "a\n# b"
    document["energy"]["my part"] = 1
    write_all(tmp_path, document, "")
    found = statistics(tmp_path / "stats.txt")
    assert found["energy.my_part"][0] == 1
    assert found["layers.0.macs"][:2] == (12000, r'layer "a\n# b": dense multiply-accumulates')


def test_every_value_is_a_number_as_python_writes_it(tmp_path: Path, document: dict[str, Any]) -> None:
    """Values computed with numpy are plain numbers, too; texts that are null in one layer are left out."""
    first, second = document["layers"]
    first["sparsity"], first["weight_format"], second["weight_format"] = np.float64(0.7), "dense", None
    first["regret"], second["regret"] = {"dOS": 1.5}, None
    write_all(tmp_path, document, "")
    found = statistics(tmp_path / "stats.txt")
    assert found["layers.0.sparsity"] == (0.7, 'layer "conv1": share of zeros among the weights', "ratio")
    assert found["layers.0.regret.dOS"][::2] == (1.5, "ratio")
    assert not {"layers.1.weight_format", "layers.1.regret", "weight_memory"} & set(found)
