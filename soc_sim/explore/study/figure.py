"""The figure of a study: speedup over level, a panel for each array and scope."""

from __future__ import annotations

from pathlib import Path

from soc_sim.config.study import Study
from soc_sim.errors import MissingExtraError
from soc_sim.explore.study.page import SCOPES
from soc_sim.explore.study.table import Table
from soc_sim.observe.replacing import replacing


def draw(path: Path, study: Study, table: Table) -> None:
    """A PNG; networks that have no entry are left out.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("the figure needs the extra plot: pip install 'soc_sim[plot]'") from None
    pattern = study.patterns[0].pattern
    rows, cols = len(SCOPES), len(study.arrays)
    figure = Figure(figsize=(3.4 * cols, 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, cols, sharex=True, sharey=True, squeeze=False)
    for line, (scope, text) in zip(panels, SCOPES.items(), strict=True):
        for axes, array in zip(line, study.arrays, strict=True):
            for name in (*(one.name for one in study.trained), *study.labels):
                curve = table.curve(name, array, pattern, scope)
                if len(curve) > 1:
                    axes.plot(*zip(*curve, strict=True), "o-", markersize=2.5, linewidth=1, label=name)
            for mark in study.marks:
                axes.axhline(mark, color="grey", linewidth=0.7, linestyle=":")
            axes.set_title(f"{array}×{array}, {text}", fontsize=9)
            axes.set_yscale("log", base=2)
            axes.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    for axes in panels[-1]:
        axes.set_xlabel(f"zeros, {pattern}", fontsize=8)
    for line in panels:
        line[0].set_ylabel("speedup", fontsize=8)
    lines = {line.get_label(): line for axes in panels.flat for line in axes.get_lines() if line.get_label()[0] != "_"}
    if lines:
        panels[0][0].legend(lines.values(), lines, fontsize=6)
    with replacing(path, binary=True) as file:
        figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
