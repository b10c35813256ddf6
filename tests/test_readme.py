"""Every command of the README's tour works, on a small network instead of the large one."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from soc_sim.cli.dispatch import main
from soc_sim.config.shipped import root

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
TOUR = [
    line.partition("#")[0].strip()
    for block in README.split("```\n")
    for line in block.splitlines()
    if line.startswith("soc-sim ")
]
SMALLER = {"resnet50_edge": "resnet8_mcu", "resnet50_edge_sparse": "resnet8_mcu", "lpddr4_3200": "ddr4_2400"}
TAKES_A_MINUTE = ("prune", "scenario")
"""What these commands are given runs in tests of its own."""


def test_the_tour_shows_every_command() -> None:
    shown = {shlex.split(line)[1] for line in TOUR}
    assert {"run", "report", "prune", "scenario", "compile", "verify", "diff", "check", "gemm", "dram", "list"} <= shown


def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the page: later lines read what earlier ones wrote."""
    monkeypatch.chdir(tmp_path)
    example = (root() / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    Path("my_soc.yaml").write_text(example, encoding="utf-8")
    Path("requests.csv").write_text("arrival_ps,address,size_bytes,kind\n0,0,64,R\n", encoding="utf-8")
    for line in TOUR:
        _, *words = shlex.split(line)
        if words[0] in TAKES_A_MINUTE:
            continue
        words = [SMALLER.get(word, word.replace("dram.channels=2", "array.rows=4")) for word in words]
        expected = 1 if words[0] == "diff" else 0  # as diff(1) has it: something differs
        assert main([*words, "--quiet"]) == expected, f"{line}: {capsys.readouterr().err}"
        assert capsys.readouterr().out or "--out" in words or "--trace" in words, line


NETWORKS_OF_THE_STUDY = {
    "alexnet_seeded": "AlexNet",
    "vgg16_seeded": "VGG-16",
    "resnet18_seeded": "ResNet-18",
    "resnet50_seeded": "ResNet-50",
    "mobilenet_v2_seeded": "MobileNetV2",
    "vit_s16_seeded": "ViT-S/16",
    "mnist_conv": "mnist-conv, trained",
    "digits_mlp": "MLP on digits, trained",
}


def test_tables_that_stand_twice_say_the_same() -> None:
    """What pruning trades, and the speedups of the study, are copies of lines that other tests hold."""
    curve = (Path(__file__).parents[1] / "soc_sim/explore/pruning/README.md").read_text(encoding="utf-8")
    shown = README.partition("| zeros | 8 rows")[2].splitlines()[2:9]
    assert len(shown) == 7
    assert set(shown) <= set(curve.splitlines())
    entries = (root() / "studies/sparse_speedup/table.md").read_text(encoding="utf-8")
    for name, label in NETWORKS_OF_THE_STUDY.items():
        line = next(line for line in entries.splitlines() if line.startswith(f"| {name} | 16×16 |"))
        whole = [cell.split(" / ")[2] for cell in line.strip("| ").split(" | ")[2:]]
        assert f"| {label} | {whole[0]} | {whole[1]} | {whole[2]} | {whole[4]} |" in README
