"""Plots over time: what each component did, the bandwidth of main memory, power."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from soc_sim.observe.columns import Document
from soc_sim.observe.figures.pack import LAYERS_TRACK
from soc_sim.observe.figures.palette import subject
from soc_sim.observe.figures.unpack import Activity, activities, share_over_time
from soc_sim.observe.plot.axes import legend_above, with_unit
from soc_sim.observe.trace.columns import Numbers
from soc_sim.units import PS_PER_S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from soc_sim.observe.plot.picture import Style

Span = tuple[float, float]
"""From and to, in s."""

_BINS = 900
_ROW = 0.82
_MOST_OF_LEGEND = 6
_SUBJECTS = {"busy": "computing", "weights": "weights", "inputs": "inputs", "outputs": "outputs", "host": "host"}


def tracks(axes: Axes, style: Style, document: Document, packed: Mapping[str, Any], span_s: Span | None) -> None:
    """A row for each track; the height is the share of time in which it was busy, in the colours of what it did."""
    edges_ps = _edges_ps(document, span_s)
    found = activities(packed)
    found.pop(LAYERS_TRACK, None)
    used: set[str] = set()
    for row, activity in enumerate(reversed(found.values())):
        for name, low, high in _stacked(activity, edges_ps):
            _fill(axes, edges_ps, row + _ROW * low, row + _ROW * high, style.of(name))
            used.add(name)
    axes.set_yticks([row + _ROW / 2 for row in range(len(found))], [*reversed(found)])
    axes.set_ylim(-0.2, max(1, len(found)))
    axes.tick_params(axis="y", length=0, labelcolor=style.text)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    _time_axis(axes, edges_ps)
    legend_above(axes, style, {name: text for name, text in _SUBJECTS.items() if name in used})
    axes.set_title(f"{document['network']}: timeline")


def bandwidths(axes: Axes, style: Style, document: Document, packed: Mapping[str, Any], span_s: Span | None) -> None:
    """Bytes a second of main memory: those of each direction, spread over the time in which its data path was busy."""
    edges_ps = _edges_ps(document, span_s, bins=_BINS // 3)
    found, bottom = activities(packed), np.zeros(len(edges_ps) - 1)
    drawn = {}
    for direction, text, key, name in (
        ("read", "read", "read_bytes", "dram"),
        ("write", "written", "write_bytes", "outputs"),
    ):
        activity = found.get(f"interconnect.dram.{direction}")
        if activity is None or not activity.busy_ps.sum():
            continue
        peak = document["dram"][key] / (int(activity.busy_ps.sum()) / PS_PER_S)
        rate = sum(share_over_time(activity, edges_ps).values()) * peak
        _fill(axes, edges_ps, bottom, bottom + rate, style.of(name))
        bottom = bottom + rate
        drawn[name] = text
    if document["dram"].get("peak_bytes_per_s"):
        axes.axhline(document["dram"]["peak_bytes_per_s"], color=style.text, linewidth=1)
    axes.grid(axis="y")
    axes.set_ylim(0)
    with_unit(axes.yaxis, "B/s")
    _time_axis(axes, edges_ps)
    legend_above(axes, style, drawn)
    axes.set_title(f"{document['network']}: DRAM bandwidth")


def powers(axes: Axes, style: Style, document: Document) -> None:
    """Mean power of each component whose energy is known, where the document has it over time."""
    samples = (document.get("power") or {}).get("samples") or {"time_s": [], "components_w": {}}
    components = {name: np.array(values) for name, values in samples["components_w"].items() if any(values)}
    edges_ps, drawn = np.array(samples["time_s"]) * PS_PER_S, {}
    bottom = np.zeros(max(0, len(edges_ps) - 1))
    for name, watts in sorted(components.items(), key=lambda item: -float(item[1].sum())):
        _fill(axes, edges_ps, bottom, bottom + watts, style.of(name))
        bottom = bottom + watts
        drawn[name] = name.replace("_", " ")
    axes.grid(axis="y")
    axes.set_ylim(0)
    with_unit(axes.yaxis, "W")
    _time_axis(axes, edges_ps if len(edges_ps) else _edges_ps(document, None))
    legend_above(axes, style, dict(list(drawn.items())[:_MOST_OF_LEGEND]))
    axes.set_title(f"{document['network']}: power")


def _fill(axes: Axes, edges_ps: Numbers, low: Numbers, high: Numbers, colour: str) -> None:
    """Columns from ``low`` to ``high``; where there are none, files have nothing."""
    xs = np.repeat(edges_ps / PS_PER_S, 2)[1:-1]
    bottom, top = np.repeat(low, 2), np.repeat(high, 2)
    axes.fill_between(xs, bottom, top, where=(top > bottom).tolist(), color=colour, linewidth=0)


def _stacked(activity: Activity, edges_ps: Numbers) -> list[tuple[str, Numbers, Numbers]]:
    """What has a colour → from where to where its share of the row goes; what is more than the row is scaled down."""
    shares: dict[str, Numbers] = {}
    for kind, share in share_over_time(activity, edges_ps).items():
        name = kind if subject(kind) != "other" else activity.track
        shares[subject(name)] = shares.get(subject(name), np.zeros_like(share)) + share
    total = np.maximum(1.0, sum(shares.values(), np.zeros(len(edges_ps) - 1)))
    found, low = [], np.zeros(len(edges_ps) - 1)
    for name, share in shares.items():
        high = low + share / total
        found.append((name, low, high))
        low = high
    return found


def _edges_ps(document: Document, span_s: Span | None, bins: int = _BINS) -> Numbers:
    begin_s, end_s = span_s or (0.0, document["latency_s"])
    return np.linspace(begin_s * PS_PER_S, max(end_s * PS_PER_S, begin_s * PS_PER_S + 1), bins + 1)


def _time_axis(axes: Axes, edges_ps: Numbers) -> None:
    axes.set_xlim(edges_ps[0] / PS_PER_S, edges_ps[-1] / PS_PER_S)
    with_unit(axes.xaxis, "s")
