"""Which input channels a tile has to load: those that some weight of it meets.

A sparse dataflow never reads the rows of X that meet nothing but zeros. Where all rows of a channel are of that kind
(each element of the kernel, each output channel of the tile), the channel need not be loaded. Channels lie side by
side in memory, so a short gap costs more (bursts broken off, further requests, lines that were one) than it saves:
gaps of up to two bursts, of the memory or of the DMA, are loaded with what surrounds them, at the ends of a tile, too.

The cost model does not count on it: choices are made as if whole tiles were loaded.
"""

from __future__ import annotations

import numpy as np

from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.tiles import Extent, Step, Tiles
from soc_sim.compiler.views import View


class LiveChannels:
    """The channels to load for each tile of one layer."""

    def __init__(self, tiles: Tiles, weights: SparseLayer, inputs: View, burst_bytes: int) -> None:
        self.tiles, self.weights = tiles, weights
        side_by_side = inputs.strides[-1] == inputs.element_bytes
        self.least_gap = 2 * burst_bytes // inputs.element_bytes if side_by_side else 0
        # A tile of inputs stays for all blocks of output channels that follow one another.
        tiling = tiles.tiling
        self.stays = tiling.inputs_held or (
            len(tiles.channels) == 1 and (tiling.outer == "n" or len(tiles.pixels) == 1)
        )
        self._known: dict[tuple[int, int, int], tuple[Extent, ...]] = {}

    def of(self, step: Step) -> tuple[Extent, ...]:
        """Runs of input channels, in order; none where no weight meets any."""
        key = step.group, 0 if self.stays else step.m, step.k
        if key not in self._known:
            self._known[key] = self._runs(step)
        return self._known[key]

    def _runs(self, step: Step) -> tuple[Extent, ...]:
        tiles, kernel = self.tiles, self.tiles.nest.kernel
        channels = tiles.channels[step.k]
        rows = slice(None) if self.stays else slice(*tiles.m[step.m])
        part = self.weights.by_channel[slice(*tiles.groups[step.group]), rows]
        part = part[..., channels.start * kernel : channels.stop * kernel]
        live = np.flatnonzero(part.any(axis=(0, 1)).reshape(channels.size, kernel).any(axis=1))
        if not len(live):
            return ()
        breaks = np.flatnonzero(np.diff(live) > self.least_gap + 1)
        starts = live[np.concatenate(([0], breaks + 1))]
        stops = live[np.concatenate((breaks, [len(live) - 1]))] + 1
        starts[0] = starts[0] if starts[0] > self.least_gap else 0
        stops[-1] = stops[-1] if channels.size - stops[-1] > self.least_gap else channels.size
        runs = zip((starts + channels.start).tolist(), (stops + channels.start).tolist(), strict=True)
        return tuple(Extent(start, stop) for start, stop in runs)
