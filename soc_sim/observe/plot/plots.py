"""The plots of one run, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from soc_sim.observe.columns import Document
from soc_sim.observe.plot import by_layer, over_time, overall
from soc_sim.observe.plot.picture import Picture, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS: Final = ("timeline", "layers", "causes", "roofline", "energy", "power", "bandwidth", "dataflow")
OVER_TIME: Final = ("timeline", "bandwidth")
"""Those that need a timeline."""


class Plots:
    """Pictures of a run; each takes ``width`` and ``height`` in inches, and ``dark`` for a dark background.

    Args:
        document: What ``run --json`` prints.
        timeline: Gives the packed timeline; asked only for pictures over time.
    """

    def __init__(self, document: Document, timeline: Callable[[], Mapping[str, Any]]) -> None:
        self._document = document
        self._timeline = timeline

    def timeline(self, span_s: over_time.Span | None = None, **size: Any) -> Picture:
        """What each component did, from ``span_s[0]`` to ``span_s[1]`` or from start to end."""
        packed = self._timeline()
        size.setdefault("height", 1.2 + 0.32 * len(packed["tracks"]))
        return draw(partial(over_time.tracks, document=self._document, packed=packed, span_s=span_s), **size)

    def bandwidth(self, span_s: over_time.Span | None = None, **size: Any) -> Picture:
        """Bandwidth of main memory over time."""
        packed = self._timeline()
        return draw(partial(over_time.bandwidths, document=self._document, packed=packed, span_s=span_s), **size)

    def layers(self, **size: Any) -> Picture:
        """The array's time of each layer, stacked by cause."""
        return self._drawn(by_layer.times, size)

    def causes(self, **size: Any) -> Picture:
        """Where the array's time went."""
        return self._drawn(overall.causes, {"height": 3.2, **size})

    def roofline(self, **size: Any) -> Picture:
        """What bounds each layer: performance over intensity."""
        return self._drawn(overall.roof, {"width": 8, "height": 5, **size})

    def energy(self, **size: Any) -> Picture:
        """Energy by component."""
        return self._drawn(overall.energies, {"height": 3.2, **size})

    def power(self, **size: Any) -> Picture:
        """Power over time, by component."""
        return self._drawn(over_time.powers, size)

    def dataflow(self, **size: Any) -> Picture:
        """The dataflow chosen for each layer, and the regret of the others."""
        return self._drawn(by_layer.regrets, {"height": 3.0, **size})

    def _drawn(self, paint: Callable[..., None], size: Mapping[str, Any]) -> Picture:
        def on(axes: Axes, style: Any) -> None:
            paint(axes, style, self._document)

        return draw(on, **size)
