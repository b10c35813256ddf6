"""Seeded weights whose spread is that of trained ones, for networks of which only the shapes are known.

w = scale · out · in · t: a scale for the layer, for each output channel and for each input channel, all log-normal, and
Student's t for single weights, whose tails are heavier than a Gaussian's. All spreads are medians over 62 layers (Conv
without groups and MatMul, at least 16 × 16 and 4,096 weights) of three trained networks: detection, recognition and
direction of PP-OCR, as in rapidocr-onnxruntime 1.4.4 (PyPI). ``tests/validation/sparsity`` measures them again, and
compares what pruning leaves of either kind. That large networks for images spread like these is an assumption.

Left out: larger weights at the centre of a kernel (0.08 in those 3 × 3 layers), channels without any weight, and every
other dependence between weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LOG_SCALE = 0.45, 0.85
"""Of layers: mean and spread (median and 1.48 median deviations) of ln(standard deviation / √(2 / fan-in))."""
OUTPUT_SPREAD = 0.29
"""Standard deviation of ln(root mean square) over the output channels of a layer."""
INPUT_SPREAD = 0.20
"""The same over the input channels."""
KURTOSIS = 3.8
"""Of weights, divided by the root mean squares of their two channels; 3 is a Gaussian's."""
FREEDOM = 4 + 6 / (KURTOSIS - 3)
"""Degrees of freedom of Student's t that has this kurtosis."""
_AT_ONCE = 1 << 21
"""Weights drawn together: what is drawn for them stays in the cache."""


def realistic_weights(
    groups: int, m: int, channels: int, kernel: int, seed: int | Sequence[int]
) -> NDArray[np.float32]:
    """W of one layer, groups · m × channels · kernel; deterministic."""
    rng = np.random.default_rng(seed)
    k = channels * kernel
    scale = math.sqrt(2 / k) * math.exp(LOG_SCALE[0] + LOG_SCALE[1] * rng.standard_normal())
    of_output = scale * np.exp(OUTPUT_SPREAD * rng.standard_normal((groups, m, 1)))
    of_input = np.exp(INPUT_SPREAD * rng.standard_normal((groups, 1, channels))).repeat(kernel, axis=2)
    weights = np.empty((groups * m, k), np.float32)
    inputs = of_input.astype(np.float32).reshape(groups, k)
    outputs = of_output.astype(np.float32).reshape(groups * m, 1)
    step = max(1, _AT_ONCE // k)
    for start in range(0, groups * m, step):
        rows = np.arange(start, min(groups * m, start + step))
        shape = len(rows), k
        gamma = rng.standard_gamma(FREEDOM / 2, shape, np.float32)
        # Student's t over its own standard deviation.
        drawn = rng.standard_normal(shape, np.float32) * np.sqrt(np.float32(FREEDOM / 2 - 1) / gamma)
        weights[rows[0] : rows[-1] + 1] = drawn * outputs[rows] * inputs[rows // m]
    return weights
