"""One colour for each subject in every picture: causes of stalls, the traffic that belongs to them, components.

What concerns weights has one hue, whether it is the array that waits for them, the channel that loads them, the buffer
that holds them or the memory traffic that they cause; so it is with inputs, outputs, host and controller.

The hues stay apart for colour-blind readers in the order in which charts stack them, and each contrasts with its
background by at least 3:1 (WCAG 2.2, 1.4.11); the test computes both backgrounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Colour:
    """A subject's colour on a light and on a dark background."""

    light: str
    dark: str


BACKGROUND: Final = Colour("#ffffff", "#1a1d21")

PALETTE: Final[dict[str, Colour]] = {
    "busy": Colour("#2f6db3", "#5b9be0"),
    "weights": Colour("#d2691e", "#ee9452"),
    "inputs": Colour("#1a8f6e", "#3fbf98"),
    "metadata": Colour("#7d5fb8", "#a78be0"),
    "outputs": Colour("#b3478f", "#dd78bb"),
    "buffer": Colour("#c23b3b", "#ec6a66"),
    "controller": Colour("#66792f", "#a5bd62"),
    "power": Colour("#a67c00", "#dcb742"),
    "host": Colour("#128aa3", "#3fb8d3"),
    "idle": Colour("#858d97", "#6f7882"),
    "dram": Colour("#4d4f9e", "#8f91e6"),
    "system_sram": Colour("#2a7fa0", "#6bb6d6"),
    "weight_memory": Colour("#8b6bb0", "#b596dd"),
    "interconnect": Colour("#7a6a58", "#b09c84"),
    "leakage": Colour("#6f7680", "#8a929c"),
    "other": Colour("#5f6b7a", "#94a1b2"),
}
"""Subject → colour."""

_SUBJECTS: Final = (
    (r"^(busy|compute|array)|\.array$", "busy"),
    (r"^weight_memory", "weight_memory"),
    (r"^system_sram", "system_sram"),
    (r"metadata|decompression", "metadata"),
    (r"weights", "weights"),
    (r"inputs", "inputs"),
    (r"outputs|store", "outputs"),
    (r"host|operator|vector", "host"),
    (r"controller|dispatch", "controller"),
    (r"^wait_buffer$", "buffer"),
    (r"power|frequency", "power"),
    (r"^idle", "idle"),
    (r"dram", "dram"),
    (r"interconnect|fabric|dma", "interconnect"),
    (r"leakage|clock|standby", "leakage"),
)


def subject(name: str) -> str:
    """The key of :data:`PALETTE` for a cause, a component, or a slice's name; ``other`` for what nobody knows.

    >>> [subject(name) for name in ("wait_weights", "weights_buffer", "read core0.dma.weights", "dram", "busy", "npu")]
    ['weights', 'weights', 'weights', 'dram', 'busy', 'other']
    """
    return next((key for pattern, key in _SUBJECTS if re.search(pattern, name)), "other")
