"""Plots with a column for each layer: the array's time by cause, and the regret of dataflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soc_sim.observe.columns import Document
from soc_sim.observe.figures.causes import label
from soc_sim.observe.plot.axes import layer_names, legend_above, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from soc_sim.observe.plot.picture import Style

_MOST_REGRET = 4.0


def times(axes: Axes, style: Style, document: Document) -> None:
    """The array's time of each layer, stacked by cause."""
    layers = document["layers"]
    spans = [{"busy": layer["busy_s"], **layer["stall_s"]} for layer in layers]
    shown = [cause for cause, span_s in document["array_time_s"].items() if span_s > 0]
    bottom = np.zeros(len(layers))
    for cause in shown:
        heights = np.array([span.get(cause, 0.0) for span in spans])
        axes.bar(np.arange(len(layers)), heights, 0.86, bottom, color=style.of(cause))
        bottom += heights
    axes.grid(axis="y")
    with_unit(axes.yaxis, "s")
    layer_names(axes, layers)
    seen = (cause for cause in shown if document["array_time_s"][cause] > 5e-4 * document["latency_s"])
    legend_above(axes, style, {cause: label(cause) for cause in seen})
    axes.set_title(f"{document['network']}: time of the array by layer")


def regrets(axes: Axes, style: Style, document: Document) -> None:
    """Least expected latency under each dataflow over that of the chosen one, which has a dot."""
    from matplotlib.colors import LinearSegmentedColormap

    layers = document["layers"]
    known = [layer.get("regret") or {} for layer in layers]
    flows = [flow for flow in dict.fromkeys(flow for regret in known for flow in regret)
             if any(regret.get(flow) is not None for regret in known)]  # fmt: skip
    table = np.array([[np.nan if (value := regret.get(flow)) is None else value for regret in known] for flow in flows])
    shades = LinearSegmentedColormap.from_list("regret", [style.grid, style.of("wait_buffer")])
    axes.set_title(f"{document['network']}: regret of dataflows (● chosen)")
    layer_names(axes, layers)
    if not flows:
        return
    image = axes.imshow(
        np.log2(table), aspect="auto", cmap=shades, vmin=0, vmax=np.log2(_MOST_REGRET), interpolation="nearest"
    )
    chosen = [
        (column, flows.index(layer["dataflow"])) for column, layer in enumerate(layers) if layer["dataflow"] in flows
    ]
    xs, ys = ([place[side] for place in chosen] for side in (0, 1))
    axes.scatter(xs, ys, s=9, color=style.text)
    axes.set_yticks(range(len(flows)), flows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03, extend="max")
    bar.set_ticks(np.log2([1, 2, _MOST_REGRET]).tolist(), labels=["1×", "2×", f"{_MOST_REGRET:g}×"])
    bar.outline.set_visible(False)
