"""``soc-sim verify``: its keys, its table, its exit codes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soc_sim.cli import main, verify
from soc_sim.compiler.program import Compute, Program
from soc_sim.facade import compile_run

pytest.importorskip("onnx")


def test_json_has_the_keys_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "resnet8_mcu", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["network", "layers", "outputs", "matches", "macs_executed"]
    assert document["matches"]
    assert document["macs_executed"] == 12_501_632  # of the dense network: MLPerf Tiny's ResNet-8
    assert all({"name", "max_error", "tolerance", "matches"} <= set(layer) for layer in document["layers"])
    assert [output["name"] for output in document["outputs"]] == ["softmax"]


def test_a_file_with_trained_weights_matches(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("qonnx")
    assert main(["verify", "mnist_conv_mcu"]) == 0
    assert "5 of 5 layers match the reference" in capsys.readouterr().out


def test_the_input_can_come_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, input=np.ones((1, 3, 32, 32)))
    assert main(["verify", "resnet8_mcu", "--input", str(path)]) == 0
    np.savez(path, inptu=np.ones(3))
    assert main(["verify", "resnet8_mcu", "--input", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"--input {path}: 'inptu' is no input of resnet8; allowed: input; did you mean 'input'?",
        f"--input {path}: there is no array 'input'",
    ]


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_a_file_that_is_no_archive_is_refused(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.npz"
    if content is not None:
        path.write_bytes(content)
    assert main(["verify", "resnet8_mcu", "--input", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_corrupted_tile_is_exit_code_4_and_names_its_layer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def corrupted(*args: Any) -> Program:
        program = compile_run(*args)
        index = next(i.index for i in program.instructions if isinstance(i, Compute))
        instructions = list(program.instructions)
        instructions[index] = replace(instructions[index], inputs=())
        return replace(program, instructions=tuple(instructions))

    monkeypatch.setattr(verify, "compile_run", corrupted)
    assert main(["verify", "resnet8_mcu", "--json"]) == 4
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert not document["matches"]
    assert document["layers"][0]["max_error"] is None
    assert output.err.startswith(f"layer {document['layers'][0]['name']}: differs by nan; allowed: ")


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "onnx.reference", None)
    assert main(["verify", "resnet8_mcu"]) == 2
    assert "pip install 'soc_sim[onnx]'" in capsys.readouterr().err
