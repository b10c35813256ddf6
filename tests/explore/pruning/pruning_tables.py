"""The tables of ``soc_sim/explore/pruning/README.md``: what is lost and gained from level to level, and by each score.

Run as a program: ``curves`` prints the first table and writes ``curves.csv``, from which a test simulates every line
again; ``scores`` prints the others. A few minutes each.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from soc_sim.config.loader import load
from soc_sim.config.prune import Prune
from soc_sim.explore.pruning.job import search_of
from soc_sim.explore.pruning.repair import Masks
from soc_sim.explore.pruning.search import Level, Search

CURVES = Path(__file__).with_name("curves.csv")
SOCS = {8: "mcu_8x8_psram", 16: "edge_16x16"}
COLUMNS = ("rows", "sparsity", "accuracy", "layers")
ALL_LEVELS = ["target={max_accuracy_drop: 1.0}", "pruning.max_sparsity=0.95"]
SCORES = ("norm", "second_order")
SAVINGS = ("none", "latency", "energy")
DROPS = (0.005, 0.01, 0.02, 0.05)


def curve(settings: list[str], config: str = "prune_mnist") -> Search:
    """All levels of a job."""
    search = search_of(load(config, Prune, [*settings, *ALL_LEVELS]))
    search.run()
    return search


def packed(masks: Masks) -> str:
    """Layer=hexadecimal digits of its bits, in C order; layers with a space between."""
    return " ".join(f"{name}={np.packbits(mask).tobytes().hex()}" for name, mask in masks.items())


def unpacked(text: str, shapes: Mapping[str, tuple[int, ...]]) -> Masks:
    """The masks, layer → groups × m × k."""
    found = {}
    for part in text.split():
        name, digits = part.split("=")
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8), count=int(np.prod(shapes[name])))
        found[name] = bits.reshape(shapes[name]).astype(bool)
    return found


def curves() -> None:
    """Writes the file and prints the table."""
    rows, found = [], {}
    for height, soc in SOCS.items():
        search = found[height] = curve([f"soc={soc}"])
        for level in search.levels:
            row = height, level.sparsity, level.accuracy
            rows.append((*(f"{value:.5g}" for value in row), packed(level.masks)))
    with CURVES.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    print("| zeros | accuracy, 8 rows | speedup | energy | accuracy, 16 rows | speedup | energy |")
    print("|---|---|---|---|---|---|---|")
    for pair in zip(*(search.levels for search in found.values()), strict=True):
        cells = [
            f"{level.accuracy:.1%} | {search.speedup(level):.2f} | {_energy(search, level):.2f}".replace("%", " %")
            for level, search in zip(pair, found.values(), strict=True)
        ]
        print(f"| {pair[0].sparsity:.0%} | ".replace("%", " %") + " | ".join(cells) + " |")


def scores() -> None:
    """Prints, for both networks, the best of all levels that lose no more accuracy, by score and saving."""
    for config, seeds in (("prune_mnist", (1,)), ("prune_digits", (1, 2, 3))):
        columns = [(score, saving) for score in SCORES for saving in SAVINGS]
        found = {
            (score, saving): [
                curve(
                    ["soc=edge_16x16", f"pruning.score={score}", f"pruning.saving={saving}", f"data.seed={seed}"],
                    config,
                )
                for seed in seeds
            ]
            for score, saving in columns
        }
        for what in ("latency", "energy"):
            print(f"\n{config}, {what}, dense over pruned, {len(seeds)} seeds\n")
            print("| accuracy lost, at most | " + " | ".join(map(_named, columns)) + " |")
            print("|---|" + "---|" * len(columns))
            for drop in DROPS:
                gains = [
                    np.exp(np.mean([np.log(best(one, drop, what)) for one in found[column]])) for column in columns
                ]
                print(f"| {100 * drop:g} points | " + " | ".join(f"{gain:.2f}" for gain in gains) + " |")


def best(search: Search, drop: float, what: str) -> float:
    """The largest gain among the levels that lose no more accuracy on the validation part."""
    gain = search.speedup if what == "latency" else lambda level: _energy(search, level)
    return max(gain(level) for level in search.levels if search.drop(level) <= drop + 1e-9)


def _energy(search: Search, level: Level) -> float:
    dense, pruned = search.levels[0].measurement.energy_j, level.measurement.energy_j
    return float("nan") if dense is None or pruned is None else dense / pruned


def _named(column: tuple[str, str]) -> str:
    score, saving = column
    return score.replace("_", " ") + ("" if saving == "none" else f", {saving}")


def lines() -> Iterator[dict[str, str]]:
    """Of the file."""
    with CURVES.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


if __name__ == "__main__":
    {"curves": curves, "scores": scores}[sys.argv[1]]()
