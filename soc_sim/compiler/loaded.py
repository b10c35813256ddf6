"""Which tiles of an operand lie in its buffer while the tiles of a layer follow one another.

The one that was loaded last, so that it is not loaded again at once; or, where they are held, each from its first use
to its last. A tile's space is given back by the last Compute that uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from soc_sim.compiler.program import Load
from soc_sim.compiler.tiles import Step

TileKey = tuple[int, int, int]
"""Numbers of the blocks that a tile of one operand consists of."""


class LoadedTiles:
    """Of one operand, on one core."""

    def __init__(self, keys: Sequence[TileKey], *, held: bool, early: bool) -> None:
        """For steps that use the tiles ``keys``, one each.

        Args:
            keys: The tile that each step uses.
            held: Whether tiles stay until their last use.
            early: Whether a tile is loaded behind the first step that uses the one before, else when it is its turn.
        """
        self.keys, self.held = keys, held
        changes = [at for at, key in enumerate(keys) if not at or keys[at - 1] != key]
        self._ahead = dict(pairwise(changes)) if early else {}
        self._last_use = {key: position for position, key in enumerate(keys)}
        self._there: dict[TileKey, list[Load]] = {}

    def loads(self, position: int, step: Step, load: Callable[[Step], list[Load]]) -> list[Load]:
        """What has brought the tile that a step uses, or now brings it."""
        key = self.keys[position]
        if key not in self._there:
            self._there[key] = load(step)
        if not self.held and position and self.keys[position - 1] != key:
            self._there = {key: self._there[key]}
        return self._there[key]

    def load_ahead(self, position: int, steps: Sequence[Step], load: Callable[[Step], list[Load]]) -> None:
        """Bring the next tile, where it comes before its turn, behind this step."""
        then = self._ahead.get(position)
        if then is not None:
            self._there[self.keys[then]] = load(steps[then])

    def ends(self, position: int) -> bool:
        """Whether the tile of a step is not used again, or only after it has been loaded anew."""
        if self.held:
            return self._last_use[self.keys[position]] == position
        return position + 1 == len(self.keys) or self.keys[position + 1] != self.keys[position]
