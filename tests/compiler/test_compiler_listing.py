"""Programs as text and as JSON, and the command that prints them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from systems import make_soc

from soc_sim.cli import main
from soc_sim.compiler import compile, listing  # noqa: A004
from soc_sim.network.zoo import load


def test_the_listing_has_one_line_for_each_instruction() -> None:
    program = compile(load("resnet8"), make_soc())
    text = list(listing.lines(program))
    numbered = [line.split()[0] for line in text if line.startswith("  @")]
    assert numbered == [f"@{index}" for index in range(len(program.instructions))]
    assert sum(line.startswith("layer ") for line in text) == len(program.layers)


def test_the_json_form_is_plain_data_with_every_instruction() -> None:
    program = compile(load("resnet8"), make_soc())
    document = json.loads(json.dumps(listing.to_dict(program)))
    assert len(document["instructions"]) == len(program.instructions)
    assert {i["kind"] for i in document["instructions"]} == {"load", "compute", "store", "vectorop"}
    assert sum(i["counts"]["macs"] for i in document["instructions"] if i["kind"] == "compute") == document["macs"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text("soc: mcu_8x8\nworkload: {network: resnet8}\n")
    return path


def test_compile_prints_a_row_for_each_layer(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(config)]) == 0
    out, err = capsys.readouterr()
    for layer in ("stem.conv", "stack3.shortcut", "softmax"):
        assert any(line.split()[:1] == [layer] for line in out.splitlines())
    assert "12501632" in out
    assert err == "warning: 2 operators run on the host: AveragePool ×1, Softmax ×1\n"


def test_compile_json_states_the_choice_and_counts_the_instructions(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(config), "--json", "--set", "mapping.dataflow=dWS"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {layer["dataflow"] for layer in document["layers"]} == {"dWS", None}
    assert document["macs"] == 12_501_632
    assert document["instructions"] > 100


@pytest.mark.parametrize("suffix", ["txt", "json"])
def test_compile_writes_the_whole_program(config: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = config.with_name(f"program.{suffix}")
    assert main(["compile", str(config), "--out", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    count = text.count("\n  @") if suffix == "txt" else len(json.loads(text)["instructions"])
    assert f"{count} instructions" in capsys.readouterr().out


def test_a_layer_that_does_not_exist_is_a_message(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(config), "--set", "mapping={dataflow: {stem.cnv: dOS}}"]) == 2
    assert capsys.readouterr().err == (
        "mapping.dataflow: 'stem.cnv' is no layer that runs on the array of resnet8; did you mean 'stem.conv'?\n"
    )
