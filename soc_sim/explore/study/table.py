"""The rows of a study: kept as CSV from entry to entry, and read as a table in Markdown."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from soc_sim.config.study import Study
from soc_sim.errors import InputError
from soc_sim.explore.study.entries import Entry, Key, keys_of
from soc_sim.observe.replacing import replacing

SCOPES = {"compute": "compute only", "dram": "with DRAM", "host": "with host"}
COLUMNS = (
    "network", "array", "pattern", "level", "sparsity", "accuracy_drop",
    "speedup_compute", "speedup_dram", "speedup_host",
    "dense_compute_cycles", "compute_cycles", "dense_array_s", "array_s", "dense_latency_s", "latency_s",
    "dense_energy_j", "energy_j", "dense_dataflows", "dataflows",
)  # fmt: skip


class Table:
    """The entries of one folder; every new one is written at once, so that an interrupted study goes on later."""

    def __init__(self, path: Path) -> None:
        """Reads ``path``, if it is there.

        Raises:
            InputError: it is no table of a study.
        """
        self.path = path
        self.rows: dict[Key, dict[str, str]] = {}
        if not path.exists():
            return
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(f"{path}: is no table of a study; name another folder, or remove the file")
            for row in reader:
                key = Key(row["network"], int(row["array"]), row["pattern"], float(row["level"]))  # type: ignore[arg-type]
                self.rows[key] = row

    def __contains__(self, key: Key) -> bool:
        return key in self.rows

    def add(self, entry: Entry, study: Study) -> None:
        """Keep one entry, in the order of the study."""
        self.rows[entry.key] = {name: _text(value) for name, value in _row(entry).items()}
        order = {key: position for position, key in enumerate(keys_of(study))}
        with replacing(self.path) as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                self.rows[key] for key in sorted(self.rows, key=lambda key: (order.get(key, len(order)), key))
            )

    def curve(self, network: str, array: int, pattern: str, scope: str) -> list[tuple[float, float]]:
        """(level, speedup) of what is there, rising levels, dense included."""
        points = [
            (key.level, float(row[f"speedup_{scope}"]))
            for key, row in self.rows.items()
            if (key.network, key.array, key.pattern) == (network, array, pattern)
        ]
        return [(0.0, 1.0), *sorted(points)]


def reached(curve: Sequence[tuple[float, float]], mark: float) -> float | None:
    """The level at which a speedup is reached, its reciprocal (time) taken as linear between levels."""
    for (low, slow), (high, fast) in pairwise(curve):
        if slow < mark <= fast:
            return low + (high - low) * (1 / slow - 1 / mark) / (1 / slow - 1 / fast)
    return None


def markdown(study: Study, table: Table) -> Iterator[str]:
    """Lines: speedups by level, then where the marks are reached, then energy and dataflows."""
    names = [*(one.name for one in study.trained), *study.networks]
    for pattern in study.patterns:
        yield f"## Speedup of the whole network, {pattern.pattern}"
        yield ""
        yield "Compute only / with DRAM / with host."
        yield ""
        yield "| network | array | " + " | ".join(f"{level:.0%}" for level in pattern.levels) + " |"
        yield "|---|---|" + "---|" * len(pattern.levels)
        for name in names:
            for array in study.arrays:
                rows = [table.rows.get(Key(name, array, pattern.pattern, level)) for level in pattern.levels]
                cells = [
                    " / ".join(f"{float(row[f'speedup_{s}']):.2f}" for s in SCOPES) if row else "–" for row in rows
                ]
                if any(rows):
                    yield f"| {name} | {array}×{array} | " + " | ".join(cells) + " |"
        yield ""
    pattern = study.patterns[0]
    yield f"## Level at which a speedup is reached, {pattern.pattern}"
    yield ""
    yield "Interpolated between neighbouring levels; –: not reached up to the last one; ?: levels are missing."
    yield ""
    yield "| network | array | " + " | ".join(f"{m:g}×, {text}" for m in study.marks for text in SCOPES.values()) + " |"
    yield "|---|---|" + "---|" * (len(study.marks) * len(SCOPES))
    for name in names:
        for array in study.arrays:
            if len(table.curve(name, array, pattern.pattern, "host")) == 1:
                continue
            cells = []
            for mark in study.marks:
                for scope in SCOPES:
                    curve = table.curve(name, array, pattern.pattern, scope)
                    cells.append(_reached(curve, mark, sorted({0.0, *pattern.levels})))
            yield f"| {name} | {array}×{array} | " + " | ".join(cells) + " |"
    yield ""
    yield f"## Energy and dataflows, {pattern.pattern}"
    yield ""
    yield "| network | array | level | energy, dense over sparse | accuracy lost | flows, dense | flows, sparse |"
    yield "|---|---|---|---|---|---|---|"
    for key, row in table.rows.items():
        if key.pattern == pattern.pattern and key.level in (0.5, 0.7, 0.9):
            gain = f"{float(row['dense_energy_j']) / float(row['energy_j']):.2f}" if row["energy_j"] else "unknown"
            drop = f"{100 * float(row['accuracy_drop']):.1f} points" if row["accuracy_drop"] else ""
            yield (
                f"| {key.network} | {key.array}×{key.array} | {key.level:.0%} | {gain} | {drop} | "
                f"{row['dense_dataflows']} | {row['dataflows']} |"
            )


def _reached(curve: Sequence[tuple[float, float]], mark: float, levels: Sequence[float]) -> str:
    """In words; an answer needs the two levels around the mark, or all levels where it is not reached."""
    fast = [level for level, speedup in curve if speedup >= mark]
    there = [level for level, _ in curve]
    if not fast:
        return "–" if levels[-1] in there else "?"
    neighbour = levels[levels.index(fast[0]) - 1] if fast[0] in levels else None
    found = reached(curve, mark)
    return f"{found:.0%}" if found and neighbour in there else "?"


def _row(entry: Entry) -> dict[str, Any]:
    key, dense, sparse = entry.key, entry.dense, entry.sparse
    return {
        "network": key.network,
        "array": key.array,
        "pattern": key.pattern,
        "level": key.level,
        "sparsity": entry.sparsity,
        "accuracy_drop": entry.accuracy_drop,
        "speedup_compute": dense.compute_cycles / max(1, sparse.compute_cycles),
        "speedup_dram": dense.array_s / sparse.array_s,
        "speedup_host": dense.latency_s / sparse.latency_s,
        "dense_compute_cycles": dense.compute_cycles,
        "compute_cycles": sparse.compute_cycles,
        "dense_array_s": dense.array_s,
        "array_s": sparse.array_s,
        "dense_latency_s": dense.latency_s,
        "latency_s": sparse.latency_s,
        "dense_energy_j": dense.energy_j,
        "energy_j": sparse.energy_j,
        "dense_dataflows": dense.dataflows,
        "dataflows": sparse.dataflows,
    }


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
