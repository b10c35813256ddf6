"""Records what was busy when, in columns: 28 bytes a slice, and nothing at all where no recorder is attached.

A *track* is what the component calls it ("core0.dma.weights"). Slices of one track may overlap, as transfers in flight
do; :meth:`Timeline.lanes` spreads them over lanes, within which they neither overlap nor nest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soc_sim.observe.lanes import assign_lanes
from soc_sim.system.record import RunRecord

Column = npt.NDArray[np.int64]

LAYERS_TRACK = "layers"


@dataclass(frozen=True)
class Lane:
    """Slices of one track in order of time, none of which starts before its predecessor has ended."""

    track: str
    number: int
    """0 for the first lane of the track."""
    starts_ps: Column
    ends_ps: Column
    names: Column
    """Indices into :attr:`Timeline.slice_names`."""
    layers: Column
    """Indices into :attr:`Timeline.layer_names`."""

    @property
    def title(self) -> str:
        """The track, numbered from the second lane on: ``core0.dma.weights #2``."""
        return self.track if self.number == 0 else f"{self.track} #{self.number + 1}"


class _Interned(dict[str, int]):
    """Text → its number, in order of first use."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class Timeline:
    """A :class:`soc_sim.kernel.SliceRecorder` that keeps every slice; pass it to ``soc_sim.system.run``.

    Slices that last no time are dropped: no viewer shows them, and they would nest in their neighbours. Their track
    remains, so that a unit that was never busy is seen to be idle.
    """

    def __init__(self) -> None:
        self.layer_names: tuple[str, ...] = ()
        """Known once :meth:`add_layers` has been called."""
        self._track_numbers = _Interned()
        self._name_numbers = _Interned()
        self._tracks = array("i")
        self._names = array("i")
        self._layers = array("i")
        self._starts_ps = array("q")
        self._ends_ps = array("q")

    def __len__(self) -> int:
        return len(self._starts_ps)

    @property
    def slice_names(self) -> list[str]:
        """The different names of slices."""
        return list(self._name_numbers)

    def slice(self, track: str, name: str, start_ps: int, end_ps: int, layer: int) -> None:
        """Record that ``track`` was busy with ``name`` from ``start_ps`` to ``end_ps``, on behalf of a layer."""
        track_number = self._track_numbers[track]
        if end_ps > start_ps:
            self._tracks.append(track_number)
            self._names.append(self._name_numbers[name])
            self._layers.append(layer)
            self._starts_ps.append(start_ps)
            self._ends_ps.append(end_ps)

    def add_layers(self, record: RunRecord) -> None:
        """Add the track of the layers, which ends with the run, and the layers' names; once, after the run.

        Arrays and host have a track from then on, even if they were never busy.
        """
        for track in (*(f"core{core}.array" for core in range(len(record.cores))), "host"):
            self._track_numbers[track]
        self.layer_names = tuple(layer.name for layer in record.program.layers)
        for index, (name, layer) in enumerate(zip(self.layer_names, record.layers, strict=True)):
            self.slice(LAYERS_TRACK, name, layer.start_ps, layer.end_ps, index)

    def lanes(self) -> Iterator[Lane]:
        """All lanes of all tracks, tracks in alphabetical order."""
        tracks, names, layers = (np.array(column, np.int64) for column in (self._tracks, self._names, self._layers))
        starts_ps, ends_ps = np.array(self._starts_ps, np.int64), np.array(self._ends_ps, np.int64)
        # lexsort is stable: slices that start together keep the order in which they were recorded.
        order = np.lexsort((starts_ps, tracks))
        for track, number in sorted(self._track_numbers.items()):
            first, last = np.searchsorted(tracks, [number, number + 1], sorter=order)
            rows = order[first:last]
            lane_of = assign_lanes(starts_ps[rows], ends_ps[rows])
            for lane in range(int(lane_of.max(initial=0)) + 1):
                chosen = rows[lane_of == lane]
                yield Lane(track, lane, starts_ps[chosen], ends_ps[chosen], names[chosen], layers[chosen])
