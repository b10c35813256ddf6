"""The trade-off curve and the sensitivity of the layers as files: CSV always, PNG where matplotlib is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soc_sim.explore.pruning.job import Pruned
from soc_sim.observe.replacing import replacing


def write(folder: Path, pruned: Pruned, description: str) -> list[str]:
    """``curve``, ``sensitivity`` (CSV and PNG), ``summary.json`` and ``config.resolved.yaml``; returns warnings.

    Raises:
        InputError: a file cannot be written.
    """
    rows = pruned.document["sensitivity"]
    _csv(folder / "curve.csv", pruned.curve)
    _csv(folder / "sensitivity.csv", rows)
    with replacing(folder / "summary.json") as file:
        json.dump(pruned.document, file, indent=2)
    with replacing(folder / "config.resolved.yaml") as file:
        file.write(description)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return ["no plots: they need the extra plot: pip install 'soc_sim[plot]'"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    sparsity = [row["sparsity"] for row in pruned.curve]
    left.plot(sparsity, [100 * row["accuracy"] for row in pruned.curve], "o-", markersize=3)
    left.set(xlabel="sparsity of all weights", ylabel="accuracy on the validation part (%)")
    right.plot(sparsity, [row["speedup"] for row in pruned.curve], "o-", markersize=3, label="speedup")
    first = pruned.curve[0]["energy_j"]
    if first:
        energy = [first / row["energy_j"] for row in pruned.curve]
        right.plot(sparsity, energy, "s--", markersize=3, label="energy, dense over pruned")
    size = pruned.curve[0]["weight_bytes"]
    right.plot(sparsity, [size / row["weight_bytes"] for row in pruned.curve], "^:", markersize=3, label="weight bytes")
    right.set(xlabel="sparsity of all weights", ylabel="dense over pruned")
    right.legend()
    _png(folder / "curve.png", figure)
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    dense = 100 * pruned.curve[0]["accuracy"]
    for layer in dict.fromkeys(row["layer"] for row in rows):
        own = [row for row in rows if row["layer"] == layer]
        axes.plot(
            [0, *(row["sparsity"] for row in own)],
            [dense, *(100 * row["accuracy"] for row in own)],
            "o-",
            markersize=3,
            label=layer,
        )
    axes.set(xlabel="sparsity of this layer, all others dense", ylabel="accuracy on the validation part (%)")
    axes.legend()
    _png(folder / "sensitivity.png", figure)
    return []


def _csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with replacing(path) as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _png(path: Path, figure: Any) -> None:
    with replacing(path, binary=True) as file:
        figure.savefig(file, format="png", dpi=130, metadata={"Software": None})
