"""Networks from real ONNX files, from the file to the latency of every layer."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import soc_sim
from soc_sim import compiler, system
from soc_sim.compiler.functional import verify
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.network.operators import count_macs
from soc_sim.network.resolve import load_network
from soc_sim.network.seeded import random_inputs
from soc_sim.testing.checks import check_record

pytest.importorskip("onnx")

LIGHT = (
    "resnet50", "vgg19", "squeezenet", "densenet121", "inception_v1", "inception_v2", "shufflenet", "bvlc_alexnet",
    "zfnet512",
)  # fmt: skip


def simulate(model: str) -> system.RunRecord:
    soc = load("edge_16x16", Soc)
    record = system.run(soc, compiler.compile(load_network(model), soc))
    check_record(record)
    return record


@pytest.mark.parametrize("name", LIGHT)
def test_graphs_of_the_onnx_package_run(name: str) -> None:
    record = simulate(f"package://onnx/backend/test/data/light/light_{name}.onnx")
    assert all(layer.end_ps > layer.start_ps for layer in record.layers)


def test_a_trained_digit_classifier_runs() -> None:
    pytest.importorskip("qonnx")
    assert simulate("package://qonnx/data/onnx/mnist-conv/model.onnx").program.macs == 786_560


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("ch_PP-OCRv4_det_infer", (1, 3, 64, 96)),
        ("ch_PP-OCRv4_rec_infer", (1, 3, 48, 64)),
        ("ch_ppocr_mobile_v2.0_cls_infer", (1, 3, 48, 64)),
    ],
)
def test_text_recognition_computes_what_its_files_define(model: str, shape: tuple[int, ...]) -> None:
    """PP-OCR: detection, recognition and direction, from a package that is installed without its dependencies."""
    if importlib.util.find_spec("rapidocr_onnxruntime") is None:
        pytest.skip("rapidocr-onnxruntime is not installed")
    network = soc_sim.load_network(f"package://rapidocr_onnxruntime/models/{model}.onnx", input_shapes={"x": shape})
    soc = load("edge_16x16", Soc)
    program = compiler.compile(network, soc)
    found = verify(network, soc, program, random_inputs(network, 1))
    assert [layer for layer in found.layers if not layer.matches] == []
    assert found.matches
    assert found.macs_executed == program.macs == count_macs(network)


@pytest.fixture(scope="session")
def basic_pitch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone: installed, it would bring a whole machine-learning framework."""
    folder = tmp_path_factory.mktemp("basic_pitch")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        "basic-pitch==0.4.0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # our own pip
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        pytest.skip(f"basic-pitch 0.4.0 cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        member = next(name for name in wheel.namelist() if name.endswith("nmp.onnx"))
        return Path(wheel.extract(member, folder))


def test_a_pitch_tracker_runs(basic_pitch: Path) -> None:
    """32 convolutions on the array; harmonic stacking and logarithms on the host."""
    record = simulate(str(basic_pitch))
    assert sum(layer.op == "Conv" for layer in record.program.layers) == 32
