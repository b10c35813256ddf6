"""Input vectors of a layer: rows of what the array multiplies by, drawn from the activations of many images."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from soc_sim.explore.pruning.model import Layer

Array = NDArray[Any]
MOST_BYTES = 256 * 2**20
"""Of the vectors of one layer."""


def columns(layer: Layer, activation: Array, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The chosen columns of im2col, groups × rows × (k + 1), with a constant 1 at their end.

    Args:
        layer: Whose input it is.
        activation: Images × the activation's shape.
        rows: Which output positions, counted over all images.
    """
    if layer.operator.op_type != "Conv":
        chosen = activation.reshape(-1, layer.k)[rows]
        return np.concatenate((chosen, np.ones((len(rows), 1))), axis=1, dtype=np.float32)[None]
    attributes = layer.operator.attributes
    kernel, strides, dilations = (_pair(attributes[name]) for name in ("kernel_shape", "strides", "dilations"))
    top, left, bottom, right = _whole(attributes["pads"])
    padded = np.pad(activation, ((0, 0), (0, 0), (top, bottom), (left, right)))
    extent = tuple((size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True))
    # Images × channels × rows × columns × kernel rows × kernel columns, as a view.
    windows = sliding_window_view(padded, extent, axis=(2, 3))
    windows = windows[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]
    _, channels, height, width = windows.shape[:4]
    image, position = np.divmod(rows, height * width)
    chosen = windows[image, :, position // width, position % width]  # rows × channels × kernel
    split = chosen.reshape(len(rows), layer.groups, channels // layer.groups * math.prod(kernel)).swapaxes(0, 1)
    return np.concatenate((split, np.ones((layer.groups, len(rows), 1))), axis=2, dtype=np.float32)


def outputs(layer: Layer, activation: Array, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The chosen positions of a layer's output, groups × rows × m."""
    if layer.operator.op_type == "Conv":
        activation = np.moveaxis(activation, 1, -1)
    chosen = activation.reshape(-1, layer.groups, layer.m)[rows]
    return np.ascontiguousarray(chosen.swapaxes(0, 1), np.float32)


def positions(layer: Layer, output: Array, most: int, seed: int) -> NDArray[np.int64]:
    """Output positions to look at: all of them, or as many as allowed, the same for the same seed."""
    total = output.size // (layer.groups * layer.m)
    most = max(1, min(most, MOST_BYTES // (4 * (layer.k + 1) * layer.groups)))
    if total <= most:
        return np.arange(total)
    rng = np.random.default_rng((seed, zlib.crc32(layer.name.encode())))
    return np.sort(rng.choice(total, most, replace=False))


def _pair(value: object) -> tuple[int, int]:
    first, second = _whole(value)
    return first, second


def _whole(value: object) -> tuple[int, ...]:
    return tuple(int(entry) for entry in value) if isinstance(value, tuple) else ()
