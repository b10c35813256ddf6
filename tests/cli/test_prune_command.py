"""``soc-sim prune``: the model it writes, its budgets, and its faults."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("qonnx")
pytest.importorskip("mlxtend")
pytest.importorskip("sklearn")

import onnx
import onnxruntime
from onnx import numpy_helper

from soc_sim.cli import main
from soc_sim.config.references import package_file
from soc_sim.explore.pruning.data import MNIST

SOURCE = package_file("package://qonnx/data/onnx/mnist-conv/model.onnx")
QUICK = ["--set", "repair.samples=8000", "--set", "pruning.step=0.35", "--set", "repair.rectified_passes=3", "--set", "repair.all_images=false"]  # fmt: skip  # noqa: E501
DIGITS = ["prune", "prune_digits", "--quiet", "--set", "pruning.step=0.3", "--set", "pruning.max_sparsity=0.9"]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    code = main([*arguments, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else None, captured.err


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """mnist-conv at 70 % in a quick way, and the folder of its report."""
    folder = tmp_path_factory.mktemp("prune")
    assert main(["prune", "prune_mnist", "--out", str(folder / "m.onnx"), "--report", str(folder / "r"), "--quiet", *QUICK]) == 0  # fmt: skip  # noqa: E501
    return folder / "m.onnx", folder / "r"


def matrices(path: Path) -> list[np.ndarray]:
    """Output channels × everything else, of mnist-conv's three layers, straight from the file."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    return [values["Parameter5"].reshape(8, -1), values["Parameter87"].reshape(16, -1), values["Parameter193"].reshape(256, 10).T]  # fmt: skip  # noqa: E501


def test_the_model_keeps_its_interface(pruned: tuple[Path, Path]) -> None:
    before, after = onnx.load(SOURCE), onnx.load(pruned[0])
    assert list(after.graph.input) == list(before.graph.input)
    assert list(after.graph.output) == list(before.graph.output)
    assert list(after.opset_import) == list(before.opset_import)
    assert [t.name for t in after.graph.initializer] == [t.name for t in before.graph.initializer]


def test_seven_of_ten_weights_are_zero_in_whole_tile_columns(pruned: tuple[Path, Path]) -> None:
    weights = matrices(pruned[0])
    zeros = sum(int((w == 0).sum()) for w in weights)
    assert zeros / 5960 == pytest.approx(0.7, abs=8 / 5960)  # within one unit
    for w in weights:
        for start in range(0, len(w), 8):
            gone = w[start : start + 8] == 0
            assert (gone.all(axis=0) == gone.any(axis=0)).all()


def test_the_accuracy_holds_on_images_that_took_no_part(pruned: tuple[Path, Path]) -> None:
    """Computed here, from the file: at most two points below the dense model, in this quick run."""
    table = np.loadtxt(package_file(MNIST), delimiter=",", dtype=np.float32)
    chosen = np.random.default_rng(1).permutation(5000)[3000:4000]

    def accuracy(path: Path) -> float:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        answers = [session.run(None, {"Input3": table[i, :-1].reshape(1, 1, 28, 28)})[0].argmax() for i in chosen]
        return float((np.array(answers) == table[chosen, -1]).mean())

    assert accuracy(pruned[0]) >= accuracy(Path(SOURCE)) - 0.02


def test_the_array_computes_what_the_model_defines(
    pruned: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", f"workload.network={pruned[0]}", "--set", "workload.sparsity={from_weights: true}"]
    code, found, _ = run(["verify", "mnist_conv_mcu", *settings], capsys)
    assert code == 0
    assert found["matches"]
    summary = json.loads((pruned[1] / "summary.json").read_text())
    code, result, _ = run(["run", "mnist_conv_mcu", *settings], capsys)
    assert result["latency_s"] == pytest.approx(summary["result"]["latency_s"])


def test_a_report_holds_curve_and_sensitivity(pruned: tuple[Path, Path]) -> None:
    names = {"curve.csv", "curve.png", "sensitivity.csv", "sensitivity.png", "summary.json", "config.resolved.yaml"}
    assert {path.name for path in pruned[1].iterdir()} == names
    rows = list(csv.DictReader((pruned[1] / "curve.csv").read_text().splitlines()))
    assert [float(row["sparsity"]) for row in rows] == pytest.approx([0, 0.35, 0.7], abs=0.01)
    layers = {row["layer"] for row in csv.DictReader((pruned[1] / "sensitivity.csv").read_text().splitlines())}
    assert layers == {"Convolution28", "Convolution110", "Times212"}


def test_a_budget_of_accuracy_is_kept_on_the_validation_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "d.onnx"
    code, found, _ = run([*DIGITS, "--out", str(out), "--max-accuracy-drop", "0.02"], capsys)
    assert code == 0
    assert found["result"]["accuracy_drop"] <= 0.02
    assert found["images"] == {"calibration": 1000, "validation": 300, "evaluation": 497}
    assert out.exists()
    # The level above was too much.
    worse = [row for row in found["curve"] if row["sparsity"] > found["result"]["sparsity"]]
    assert not worse or worse[0]["accuracy_drop"] > 0.02


def test_a_target_speedup_is_reached_and_int8_stays_near(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*DIGITS, "--out", str(tmp_path / "d.onnx"), "--target-speedup", "1.3", "--max-accuracy-drop", "0.3"]
    code, found, _ = run([*arguments, "--set", "quantise=after"], capsys)
    assert code == 0
    assert found["result"]["speedup"] >= 1.3
    int8 = onnx.load(found["int8"]["model"])
    assert any(tensor.data_type == onnx.TensorProto.INT8 for tensor in int8.graph.initializer)
    assert found["int8"]["evaluation_accuracy"] >= found["result"]["evaluation_accuracy"] - 0.02


def test_what_is_out_of_reach_is_said_and_nothing_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "d.onnx"
    out.write_text("precious")
    code, found, error = run([*DIGITS, "--out", str(out), "--target-speedup", "50"], capsys)
    assert code == 2
    assert not found["reached"]
    assert "target is out of reach (speedup 50" in error
    assert "best reached: sparsity 0." in error
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "m.txt"], "--out m.txt: is no name of an ONNX file"),
        (["--target-sparsity", "1.5"], "--target-sparsity 1.5: target.sparsity: 1.5 is out of range; allowed: a number, more than 0 and less than 1"),  # noqa: E501
        (["--max-accuracy-drop", "1.5"], "--max-accuracy-drop 1.5: target.max_accuracy_drop"),
        (["--set", "data.calibration=1"], "data.calibration: 1 images; allowed: 32 or more"),
        (["--set", "data.evaluation=5000"], "images are asked for and 'mnist' has 5000"),
        (["--set", "data.source=digits", "--set", "data.calibration=100", "--set", "data.validation=100", "--set", "data.evaluation=100"], "an image of 'digits' has 64 values"),  # noqa: E501
        (["--set", "data.source=nothing.npz"], "nothing.npz"),
        (["--set", "network=package://onnx/backend/test/data/light/light_squeezenet.onnx"], "there is nothing to prune"),  # noqa: E501
        (["--set", "network=resnet8"], "network: 'resnet8' is no trained model; allowed: digits_mlp, the path"),
        (["--set", "network=digits_mpl"], "did you mean 'digits_mlp'?"),
        (["--set", "pruning.layers=[{name: Convolution2, max_sparsity: 0.1}]"], "did you mean 'Convolution28'?"),
        (["--set", "pruning.pattern=tile_colums"], "did you mean 'tile_columns'?"),
    ],
)  # fmt: skip
def test_faults_are_said_in_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "m.onnx")]
    code, found, error = run(["prune", "prune_mnist", "--quiet", *out, *arguments], capsys)
    assert code == 2
    assert found is None
    assert message in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(90, np.int64), "has 100 images and 90 labels"),
        (np.full(100, 10), "has the label 10 and model 10 outputs"),
    ],
)
def test_labels_must_fit(labels: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "images.npz"
    np.savez(file, images=np.zeros((100, 28, 28), np.float32), labels=labels)
    parts = [f"data.{name}=33" for name in ("calibration", "validation", "evaluation")]
    settings = [part for text in (f"data.source={file}", *parts) for part in ("--set", text)]
    code, _, error = run(["prune", "prune_mnist", "--quiet", "--out", str(tmp_path / "m.onnx"), *settings], capsys)
    assert code == 2
    assert message in error
