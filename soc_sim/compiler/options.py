"""What a mapping asks of the choice for every layer."""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.compiler.prices import Prices
from soc_sim.config.run import LayerObjective


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """By what candidates are judged, and which there are."""

    objective: LayerObjective = "latency"
    prices: Prices | None = None
    """Needed for every objective but latency."""
    pj_per_ps: float = 0.0
    """What time costs beside energy where their product is the objective: the network's energy over its time. By that
    exchange a layer's change of either changes the product of the sums alike."""
    memory_price: float = 0.0
    """What time of the busiest memory costs beside a layer's latency, where that is the objective."""
    side_by_side: bool = True
    """Whether groups may lie side by side on the array."""
    by_rows: bool = False
    """Whether, of equals, tiles come first that finish one band of rows after another: the host works on each while
    the array goes on."""
    reorder: bool = False
    """Whether rows of weights with zeros may change places."""
