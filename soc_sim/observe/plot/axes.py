"""What the kinds of plots have in common: scales with units, names of layers, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from soc_sim.observe.wording import si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from soc_sim.observe.plot.picture import Style

_MOST_NAMES = 80
_LONGEST_NAME = 22


def with_unit(axis: Axis, unit: str) -> None:
    """Ticks with decimal prefixes: ``20 ms``."""
    axis.set_major_formatter(lambda value, _: si(value, unit) if value else "0")


def layer_names(axes: Axes, layers: Sequence[Mapping[str, Any]]) -> None:
    """The names below bars at 0, 1, …; of many layers numbers instead."""
    axes.set_xlim(-0.6, max(0.6, len(layers) - 0.4))
    if len(layers) > _MOST_NAMES:
        axes.set_xlabel("layer")
        return
    names = [layer["name"] for layer in layers]
    shown = [name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}" for name in names]
    axes.set_xticks(range(len(layers)), shown, rotation=55, ha="right", rotation_mode="anchor", fontsize=7)
    axes.tick_params(axis="x", length=0)


def legend_above(axes: Axes, style: Style, labels: Mapping[str, str]) -> None:
    """A legend of squares, right above the axes; ``labels``: name that has a colour → text."""
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=style.of(name), label=label) for name, label in labels.items()]
    axes.legend(
        handles=patches, loc="lower right", bbox_to_anchor=(1, 1), ncols=min(6, max(1, len(patches))),
        fontsize=8, handlelength=0.9, handleheight=0.9, columnspacing=1.2, handletextpad=0.5, borderaxespad=0.2,
    )  # fmt: skip
