"""Plots of a whole run: roofline, energy by component, the array's time by cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from soc_sim.observe.columns import Document
from soc_sim.observe.figures.causes import label
from soc_sim.observe.figures.roofline import roofline, time_of
from soc_sim.observe.plot.axes import legend_above, with_unit
from soc_sim.observe.wording import percent, si

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from soc_sim.observe.plot.picture import Style


def roof(axes: Axes, style: Style, document: Document) -> None:
    """Performance over intensity: one point a layer, as large as its time, in the colour of what takes most of it."""
    found, layers = roofline(document), document["layers"]
    axes.set_title(f"{document['network']}: roofline")
    axes.set(xscale="log", yscale="log", xlabel="dense MACs per byte of traffic", ylabel="MAC/s")
    with_unit(axes.yaxis, "MAC/s")
    axes.yaxis.label.set_visible(False)
    axes.grid()
    if not found.points:
        return
    xs, ys = (np.array([getattr(point, name) for point in found.points]) for name in ("macs_per_byte", "macs_per_s"))
    times_s = np.array([time_of(layers[point.layer]) for point in found.points])
    main = [_main_cause(layers[point.layer]) for point in found.points]
    axes.scatter(
        xs, ys, s=20 + 2500 * times_s / document["latency_s"], c=[style.of(cause) for cause in main],
        alpha=0.75, edgecolors=style.background, linewidths=0.8, zorder=3,
    )  # fmt: skip
    low, high = xs.min() / 2, xs.max() * 2
    peak, bandwidth, ridge = found.peak_macs_per_s, found.peak_bytes_per_s, found.ridge_macs_per_byte
    if peak:
        high = max(high, 2 * (ridge or 0))
        axes.plot([max(low, ridge or low), high], [peak, peak], color=style.text, linewidth=1.2)
        axes.annotate(f"all PEs: {si(peak, 'MAC/s')}", (high, peak), (0, 4), textcoords="offset points", ha="right")
    if bandwidth:
        end = min(high, ridge or high)
        low = min(low, end / 4)
        axes.plot([low, end], [low * bandwidth, end * bandwidth], color=style.text, linewidth=1.2)
        axes.annotate(
            f"DRAM: {si(bandwidth, 'B/s')}", (low, low * bandwidth), (0, 14), textcoords="offset points",
            rotation=45, rotation_mode="anchor", transform_rotates_text=True,
        )  # fmt: skip
    legend_above(axes, style, {cause: label(cause) for cause in dict.fromkeys(main)})


def energies(axes: Axes, style: Style, document: Document) -> None:
    """Energy of each component that is known, the largest first."""
    known = {name: joules for name, joules in (document.get("energy") or {}).items() if joules}
    _bars(axes, style, known, {name: name.replace("_", " ") for name in known}, "J")
    total = document.get("energy_j")
    axes.set_title(f"{document['network']}: energy" + ("" if total is None else f", {si(total, 'J')}"))


def causes(axes: Axes, style: Style, document: Document) -> None:
    """Where the array's time went."""
    spans = {cause: span_s for cause, span_s in document["array_time_s"].items() if span_s > 0}
    _bars(axes, style, spans, {cause: label(cause) for cause in spans}, "s")
    axes.set_title(f"{document['network']}: time of the array, {si(document['latency_s'], 's')}")


def _bars(axes: Axes, style: Style, values: Mapping[str, float], labels: Mapping[str, str], unit: str) -> None:
    ranked = sorted(values, key=lambda name: values[name])
    total = sum(values.values())
    bars = axes.barh([labels[name] for name in ranked], [values[name] for name in ranked], 0.66,
                     color=[style.of(name) for name in ranked])  # fmt: skip
    words = [f"{si(values[name], unit)} · {percent(values[name], total)} %" for name in ranked]
    axes.bar_label(bars, words, padding=5, color=style.muted, fontsize=8)
    axes.margins(x=0.18)
    axes.xaxis.set_visible(False)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=style.text)


def _main_cause(layer: Mapping[str, object]) -> str:
    spans: dict[str, float] = {"busy": layer["busy_s"], **layer["stall_s"]}  # type: ignore[dict-item]
    return max(spans, key=lambda cause: spans[cause])
