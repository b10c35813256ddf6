"""The table of the README: every line simulated again, and accuracies repaired again for some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("qonnx")
pytest.importorskip("mlxtend")

from pruning_tables import SOCS, lines, unpacked

from soc_sim.config.loader import load
from soc_sim.config.prune import Prune
from soc_sim.explore.pruning import data, report
from soc_sim.explore.pruning import model as trained
from soc_sim.explore.pruning.measure import measure
from soc_sim.explore.pruning.repair import Reference, repaired
from soc_sim.explore.pruning.sensitivity import accuracy_of

README = Path(report.__file__).parent / "README.md"


def table() -> dict[tuple[int, str], tuple[float, float, float]]:
    """(Rows, zeros in per cent) → accuracy in per cent, speedup, energy."""
    found = {}
    for line in README.read_text().splitlines():
        cells = [cell.strip().removesuffix(" %") for cell in line.strip("| ").split("|")]
        if len(cells) == 7 and cells[0].isdecimal():
            numbers = [float(cell) for cell in cells[1:]]
            found[8, cells[0]] = numbers[0], numbers[1], numbers[2]
            found[16, cells[0]] = numbers[3], numbers[4], numbers[5]
    return found


@pytest.mark.parametrize("rows", SOCS)
def test_every_line_is_what_the_simulator_says(rows: int) -> None:
    """Latency and energy of the weights that each level keeps, which ``curves.csv`` holds; levels from its bits."""
    job = load("prune_mnist", Prune, [f"soc={SOCS[rows]}"])
    model, _ = trained.load(job.network)
    shapes = {layer.name: (layer.groups, layer.m, layer.k) for layer in model.layers}
    dense, seen = measure(job, model, None), 0
    for line in lines():
        if int(line["rows"]) != rows:
            continue
        masks = unpacked(line["layers"], shapes)
        zeros = 1 - sum(int(mask.sum()) for mask in masks.values()) / sum(mask.size for mask in masks.values())
        accuracy, speedup, energy = table()[rows, f"{100 * zeros:.0f}"]
        assert accuracy == pytest.approx(100 * float(line["accuracy"]), abs=0.051)
        now = measure(job, model, masks if zeros else None)
        assert dense.latency_ps / now.latency_ps == pytest.approx(speedup, rel=0.02)
        assert dense.energy_j is not None
        assert now.energy_j is not None
        assert dense.energy_j / now.energy_j == pytest.approx(energy, rel=0.02)
        for mask in masks.values():  # whole tile columns
            for start in range(0, mask.shape[1], rows):
                block = mask[:, start : start + rows]
                assert (block.all(axis=1) == block.any(axis=1)).all()
        seen += 1
    assert seen == len(table()) / 2 == 11


@pytest.mark.parametrize(("rows", "zeros"), [(8, 0.5), (8, 0.7), (16, 0.8)])
def test_accuracies_are_reached_again(rows: int, zeros: float) -> None:
    """On the validation part, repaired from fewer samples than for the table: within a point."""
    job = load("prune_mnist", Prune)
    parts, (model, _) = data.load(job.data), trained.load(job.network)
    shapes = {layer.name: (layer.groups, layer.m, layer.k) for layer in model.layers}
    line = next(line for line in lines() if (int(line["rows"]), round(float(line["sparsity"]), 2)) == (rows, zeros))
    repair = job.repair.model_copy(update={"samples": 10_000, "rectified_passes": 5})
    reference = Reference.of(model, parts.calibration.images, repair.samples, job.seed)
    found = repaired(reference, unpacked(line["layers"], shapes), repair)
    (answers,) = found.run(parts.validation.images)
    assert 100 * accuracy_of(answers, parts.validation) == pytest.approx(table()[rows, f"{100 * zeros:.0f}"][0], abs=1)
    assert np.isfinite(answers).all()
