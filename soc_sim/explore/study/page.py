"""What a study says, in Markdown: speedups, where the marks are reached, energy, dataflows, accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from soc_sim.config.study import PatternLevels, Study
from soc_sim.explore.study.entries import Key
from soc_sim.explore.study.table import Table

SCOPES = {"compute": "compute only", "dram": "with DRAM", "host": "with host"}

Row = Mapping[str, str]


def markdown(study: Study, table: Table) -> Iterator[str]:
    """Lines: what is missing, then the parts for each pattern."""
    keys = [
        Key(name, array, pattern.pattern, level)
        for pattern in study.patterns
        for name, array, level in ((n, a, v) for n in _names(study) for a in study.arrays for v in pattern.levels)
    ]
    yield f"{sum(key in table for key in keys)} of {len(keys)} entries."
    yield ""
    if study.labels:
        yield (
            "NAME_seeded: seeded weights that spread as those of trained networks do (`soc_sim/sparsity/realistic.py`)"
            "; the units of the smallest norm are zero, in every layer the same share. The other networks are trained, "
            "pruned by importance over all layers, and repaired."
        )
        yield ""
    for pattern in study.patterns:
        yield f"## Speedup of the whole network, {pattern.pattern}"
        yield ""
        yield "Compute only / with DRAM / with host."
        yield ""
        yield from _by_level(study, table, pattern, _speedups)
        yield f"## Level at which a speedup is reached, {pattern.pattern}"
        yield ""
        yield "Interpolated between neighbouring levels; –: not reached up to the last one; ?: levels are missing."
        yield ""
        yield from _marks(study, table, pattern)
        yield f"## Energy, {pattern.pattern}"
        yield ""
        yield "Of one inference, dense over sparse."
        yield ""
        yield from _by_level(study, table, pattern, _energy)
        yield f"## Layers by dataflow, {pattern.pattern}"
        yield ""
        yield from _by_level(
            study, table, pattern, lambda row: row["dataflows"], dense=lambda row: row["dense_dataflows"]
        )
    if study.trained:
        pattern = study.patterns[0]
        yield f"## Accuracy lost on the validation part, points, {pattern.pattern}"
        yield ""
        yield from _by_level(study, table, pattern, _drop)


def reached(curve: Sequence[tuple[float, float]], mark: float) -> float | None:
    """The level at which a speedup is reached, its reciprocal (time) taken as linear between levels."""
    for (low, slow), (high, fast) in pairwise(curve):
        if slow < mark <= fast:
            return low + (high - low) * (1 / slow - 1 / mark) / (1 / slow - 1 / fast)
    return None


def _names(study: Study) -> list[str]:
    return [*(one.name for one in study.trained), *study.labels]


def _by_level(
    study: Study,
    table: Table,
    pattern: PatternLevels,
    cell: Callable[[Row], str],
    dense: Callable[[Row], str] | None = None,
) -> Iterator[str]:
    """A line for each network and array of which something is known."""
    levels = [f"{level:.0%}" for level in pattern.levels]
    yield "| network | array | " + " | ".join([*(["dense"] if dense else []), *levels]) + " |"
    yield "|---|---|" + "---|" * (len(levels) + (dense is not None))
    for name in _names(study):
        for array in study.arrays:
            rows = [table.rows.get(Key(name, array, pattern.pattern, level)) for level in pattern.levels]
            cells = [cell(row) if row else "–" for row in rows]
            if dense:
                cells.insert(0, next((dense(row) for row in rows if row), ""))
            if any(rows) and any(cells):
                yield f"| {name} | {array}×{array} | " + " | ".join(cells) + " |"
    yield ""


def _speedups(row: Row) -> str:
    return " / ".join(f"{float(row[f'speedup_{scope}']):.2f}" for scope in SCOPES)


def _energy(row: Row) -> str:
    return f"{float(row['dense_energy_j']) / float(row['energy_j']):.2f}" if row["energy_j"] else "unknown"


def _drop(row: Row) -> str:
    return f"{100 * float(row['accuracy_drop']):.1f}" if row["accuracy_drop"] else ""


def _marks(study: Study, table: Table, pattern: PatternLevels) -> Iterator[str]:
    yield "| network | array | " + " | ".join(f"{m:g}×, {text}" for m in study.marks for text in SCOPES.values()) + " |"
    yield "|---|---|" + "---|" * (len(study.marks) * len(SCOPES))
    levels = sorted({0.0, *pattern.levels})
    for name in _names(study):
        for array in study.arrays:
            curves = {scope: table.curve(name, array, pattern.pattern, scope) for scope in SCOPES}
            if len(curves["host"]) > 1:
                cells = [_reached(curves[scope], mark, levels) for mark in study.marks for scope in SCOPES]
                yield f"| {name} | {array}×{array} | " + " | ".join(cells) + " |"
    yield ""


def _reached(curve: Sequence[tuple[float, float]], mark: float, levels: Sequence[float]) -> str:
    """In words; an answer needs the two levels around the mark, or all levels where it is not reached."""
    fast = [level for level, speedup in curve if speedup >= mark]
    there = [level for level, _ in curve]
    if not fast:
        return "–" if levels[-1] in there else "?"
    neighbour = levels[levels.index(fast[0]) - 1] if fast[0] in levels else None
    found = reached(curve, mark)
    return f"{found:.0%}" if found and neighbour in there else "?"
