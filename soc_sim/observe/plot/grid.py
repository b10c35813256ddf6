"""The grid of the register-level model in every cycle, side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from soc_sim.dataflow.reference.film import Film, Frame
from soc_sim.observe.plot.picture import Picture, Style, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_FRAMES = 120
_ACROSS = 6


def draw_grid(film: Film) -> Picture:
    """All frames of a film, six in a row: what each PE holds, and the words on its right and bottom links.

    PEs that multiply in a cycle are filled.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    rows = max((len(frame.held) for frame in film.frames), default=1)
    cols = max((len(frame.top) for frame in film.frames), default=1)
    across = min(_ACROSS, max(len(film.frames), 1))
    down = math.ceil(len(film.frames) / across)

    def paint(axes: Axes, style: Style) -> None:
        for number, frame in enumerate(film.frames):
            _paint(axes, style, frame, (number % across) * (cols + 2), (number // across) * (rows + 2))
        axes.set_xlim(-1, across * (cols + 2) - 0.5)
        axes.set_ylim(down * (rows + 2) - 0.5, -1.4)
        axes.set_aspect("equal")
        axes.set_axis_off()

    return draw(paint, width=across * (cols + 2) * 0.7, height=down * (rows + 2) * 0.7)


def _paint(axes: Axes, style: Style, frame: Frame, x: int, y: int) -> None:
    from matplotlib.patches import Rectangle

    heading, _, place = frame.title.partition(": ")
    axes.text(x, y - 0.85, f"{heading.partition(', ')[2]}\n{place}", fontsize=5, va="center", color=style.muted)
    for j, word in enumerate(frame.top):
        axes.text(x + j + 0.5, y - 0.25, word, fontsize=5, ha="center", va="center", color=style.muted)
    for i, row in enumerate(frame.held):
        axes.text(x - 0.25, y + i + 0.5, frame.left[i], fontsize=5, ha="center", va="center", color=style.muted)
        for j, word in enumerate(row):
            fill = (style.of("busy"), 0.25) if frame.multiplies[i][j] else "none"
            axes.add_patch(Rectangle((x + j, y + i), 1, 1, facecolor=fill, edgecolor=style.muted, linewidth=0.5))
            axes.text(x + j + 0.5, y + i + 0.4, word, fontsize=6, ha="center", va="center")
            axes.text(x + j + 0.96, y + i + 0.65, frame.right[i][j], fontsize=4, ha="right", va="center")
            axes.text(x + j + 0.5, y + i + 0.88, frame.down[i][j], fontsize=4, ha="center", va="center")
