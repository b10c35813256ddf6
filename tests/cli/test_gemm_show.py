"""``soc-sim gemm --show``: every cycle of the grid, as text and as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soc_sim.cli import main

GEMM = ["gemm", "--rows", "2", "--cols", "2", "--dataflow", "dWS"]
SIZES = ["-m", "2", "-k", "2", "-n", "3"]


@pytest.fixture
def operands(tmp_path: Path) -> list[str]:
    """W = [[1, 2], [3, 4]], X = [[5, 6, 7], [8, 9, 10]]."""
    np.save(tmp_path / "w.npy", np.array([[1, 2], [3, 4]]))
    np.save(tmp_path / "x.npy", np.array([[5, 6, 7], [8, 9, 10]]))
    return ["--weights", str(tmp_path / "w.npy"), "--inputs", str(tmp_path / "x.npy")]


def test_each_cycle_is_a_picture(operands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """2c + r + N − 2 = 7 of them; weights stay, sums leave by the right edge one after another."""
    assert main([*GEMM, *operands, "--reference", "--show"]) == 0
    printed = capsys.readouterr().out
    pictures = [part for part in printed.split("\n\n") if part.startswith("dWS, fold 1 of 1, cycle")]
    assert len(pictures) == 2 * 2 + 2 + 3 - 2
    held = [line for line in pictures[2].splitlines() if line.count("│") == 3 and "→  │" in line]
    assert [line.replace("│", " ").replace("*", " ").split()[2:4] for line in held] == [["1", "2"], ["3", "4"]]
    rows = [[line for line in picture.splitlines() if "→  │" in line] for picture in pictures]
    left = [[lines[row].rsplit("→", 1)[1].strip() for lines in rows] for row in (0, 1)]
    assert [word for word in left[0] if word != "·"] == ["21", "24", "27"]
    assert [word for word in left[1] if word != "·"] == ["47", "54", "61"]


@pytest.mark.parametrize("flow", ["dOS", "dWS", "dIS", "sOS", "sWS", "sIS", "csOS"])
def test_there_are_as_many_pictures_as_cycles(flow: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*GEMM[:-1], flow, "-m", "3", "-k", "5", "-n", "3", "--sparsity", "0.5", "--reference", "--show"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    cycles = next(line.split()[1] for line in printed.splitlines() if line.startswith("cycles"))
    assert printed.count(f"{flow}, fold ") == int(cycles)


def test_files_are_text_or_pictures(operands: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A PNG of matplotlib, and the text as it is printed."""
    pytest.importorskip("matplotlib")
    assert main([*GEMM, *operands, "--reference", "--json", "--show", str(tmp_path / "grid.png")]) == 0
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    assert main([*GEMM, *operands, "--reference", "--show", str(tmp_path / "grid.txt")]) == 0
    capsys.readouterr()
    assert main([*GEMM, *operands, "--reference", "--show"]) == 0
    assert capsys.readouterr().out.startswith((tmp_path / "grid.txt").read_text().rstrip("\n"))


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--show"], "together with --reference"),
        (["--reference", "--json", "--show"], "prints text beside the JSON document"),
        (["--reference", "--show", "grid.bmp"], "'.bmp' is no format of pictures; allowed: .txt, .png"),
        (["--reference", "--show", "nowhere/grid.png"], "cannot be written"),
        (["--reference", "--show", "--set", "tile_overlap=prefetch"], "folds that share the grid are not shown"),
        (["--reference", "--show", "--rows", "32", "--cols", "32"], "a grid of 32 × 32 PEs; allowed: 256 PEs"),
        (["--reference", "--show", "-n", "9999"], "cycles; allowed: 2000"),
    ],
)
def test_what_cannot_be_shown(words: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GEMM, *SIZES, *words]) == 2
    error = capsys.readouterr().err
    assert fault in error
    assert error.count("\n") == 1
