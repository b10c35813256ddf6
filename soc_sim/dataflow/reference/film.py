"""Pictures of the grid, one a cycle, as text: what each PE holds and what it sends on. For teaching.

::

    sWS, fold 1 of 2, cycle 5: m 0-1, k 0-1, n 0-1
                       ·                 80
              ┌─────────────────┬─────────────────┐
         · →  │        90       │*       35       │ → -8270
              │ →·      ↓·      │ →-8270  ↓80     │
              ├─────────────────┼─────────────────┤

A row of PEs: its word from the left, what each PE holds, the word that leaves by the right edge; below, the words each
PE has put on its right and bottom links. A star marks a PE that multiplies in this cycle. ``·`` is nothing, or padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from soc_sim.dataflow.reference.grid import Grid, Link, Padding
from soc_sim.dataflow.reference.memory import Index

Matrix = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid after one clock cycle; words as text."""

    title: str
    left: tuple[str, ...]
    """What entered each row."""
    top: tuple[str, ...]
    """What entered each column."""
    held: Matrix
    right: Matrix
    """What each PE has put on its right link; so ``down``."""
    down: Matrix
    multiplies: tuple[tuple[bool, ...], ...]


@dataclass(slots=True)
class Film:
    """Collects the frames of a run; handed to ``reference.run``."""

    dataflow: str
    frames: list[Frame] = field(default_factory=list)
    _heading: str = ""
    _indices: str = ""
    _macs: list[list[int]] = field(default_factory=list)

    def fold(self, number: int, of: int, ms: Sequence[Index], ks: Sequence[Index], ns: Sequence[Index]) -> None:
        """A fold begins."""
        self._heading = f"{self.dataflow}, fold {number} of {of}"
        self._indices = ", ".join(f"{name} {_span(part)}" for name, part in (("m", ms), ("k", ks), ("n", ns)))
        self._macs = []

    def cycle(self, grid: Grid, left: Sequence[Link], top: Sequence[Link]) -> None:
        """A cycle has passed."""
        before, self._macs = self._macs, [[pe.macs for pe in row] for row in grid.pes]
        multiplies = tuple(
            tuple(now > (before[i][j] if before else 0) for j, now in enumerate(row))
            for i, row in enumerate(self._macs)
        )
        right, down = (tuple(tuple(map(_text, row)) for row in links) for links in grid.links)
        self.frames.append(
            Frame(
                f"{self._heading}, cycle {grid.cycles}: {self._indices}",
                tuple(map(_text, left)),
                tuple(map(_text, top)),
                tuple(tuple(_text(pe.held) for pe in row) for row in grid.pes),
                right,
                down,
                multiplies,
            )
        )

    def lines(self) -> Iterator[str]:
        """All frames as text, columns of one width."""
        words = [word for frame in self.frames for row in (frame.left, frame.top, *frame.held) for word in row]
        words += [word for frame in self.frames for row in (*frame.right, *frame.down) for word in row]
        width = max(map(len, words), default=1)
        for frame in self.frames:
            yield from _picture(frame, width)
            yield ""


def _picture(frame: Frame, width: int) -> Iterator[str]:
    cell = 2 * width + 5
    margin = " " * (width + 4)

    def rule(left: str, middle: str, right: str) -> str:
        return margin + left + middle.join("─" * cell for _ in frame.top) + right

    yield frame.title
    yield margin + " " + " ".join(word.center(cell) for word in frame.top)
    yield rule("┌", "┬", "┐")
    for i, held in enumerate(frame.held):
        stars = ("*" if multiplies else " " for multiplies in frame.multiplies[i])
        cells = "│".join(star + word.center(cell - 1) for star, word in zip(stars, held, strict=True))
        yield f"{frame.left[i]:>{width}} →  │{cells}│ → {frame.right[i][-1]}"
        links = zip(frame.right[i], frame.down[i], strict=True)
        yield margin + "│" + "│".join(f" →{right:<{width}} ↓{down:<{width}} " for right, down in links) + "│"
        yield rule("├", "┼", "┤") if i + 1 < len(frame.held) else rule("└", "┴", "┘")
    yield margin + " " + " ".join(f"↓ {word}".center(cell) for word in frame.down[-1])


def _text(word: Link) -> str:
    if word is None or isinstance(word, Padding):
        return "·"
    return f"{word:.4g}" if isinstance(word, float) else str(word)


def _span(indices: Sequence[Index]) -> str:
    own = [index for index in indices if not isinstance(index, Padding)]
    if len(own) > 1 and own == list(range(own[0], own[-1] + 1)):
        return f"{own[0]}-{own[-1]}"
    return " ".join(map(str, own)) or "none"
