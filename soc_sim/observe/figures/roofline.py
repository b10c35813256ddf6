"""The roofline of a run (Williams, Waterman and Patterson, CACM 52(4), 2009): what bounds each layer.

A layer's intensity is its dense MACs over the bytes it moved from and to main memory and the weight memory; its
performance, the MACs executed over the time of the array that belongs to it. Ceilings are what all PEs could execute,
and the peak bandwidth of main memory. Transfers of a layer run ahead of its computation, in the time of the layers
before it, so that a point may lie above the slanted ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soc_sim.observe.columns import Document


@dataclass(frozen=True)
class Point:
    """One layer with MACs."""

    layer: int
    """Its index in the document."""
    macs_per_byte: float
    macs_per_s: float


@dataclass(frozen=True)
class Roofline:
    """Ceilings and points; a ceiling that is not known is None."""

    peak_macs_per_s: float | None
    peak_bytes_per_s: float | None
    points: tuple[Point, ...]

    @property
    def ridge_macs_per_byte(self) -> float | None:
        """The intensity from which on computation is the bound."""
        if not self.peak_macs_per_s or not self.peak_bytes_per_s:
            return None
        return self.peak_macs_per_s / self.peak_bytes_per_s


def roofline(document: Document) -> Roofline:
    """The roofline of a run; layers without MACs, without traffic or without time have no point."""
    points = []
    for index, layer in enumerate(document["layers"]):
        moved_bytes, time_s = traffic_bytes(layer), time_of(layer)
        if layer["macs"] and moved_bytes and time_s:
            executed = layer.get("macs_executed") or 0
            points.append(Point(index, layer["macs"] / moved_bytes, executed / time_s))
    return Roofline(_peak_macs_per_s(document), (document.get("dram") or {}).get("peak_bytes_per_s"), tuple(points))


def time_of(layer: Mapping[str, Any]) -> float:
    """The array's time that belongs to the layer, in s."""
    return float(sum((layer["busy_s"], *layer["stall_s"].values())))


def traffic_bytes(layer: Mapping[str, Any]) -> int:
    """What a layer asked of all memories outside the core."""
    keys = ("dram_read_bytes", "dram_write_bytes", "weight_memory_read_bytes")
    return sum(layer.get(key) or 0 for key in keys)


def _peak_macs_per_s(document: Document) -> float | None:
    """MACs of all PEs: the utilisation is the executed ones over these."""
    if not document["utilisation"] or not document["latency_s"]:
        return None
    return float(document["macs_executed"] / document["utilisation"] / document["latency_s"])
