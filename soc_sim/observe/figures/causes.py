"""The causes of the array's time in words; README.md of ``observe`` defines them."""

from __future__ import annotations

from typing import Final

CAUSES: Final[dict[str, tuple[str, str]]] = {
    "busy": ("computing", "the array computes"),
    "wait_weights": ("waits for weights", "weights, or the first operand of a product of activations, are under way"),
    "wait_inputs": ("waits for inputs", "inputs are under way"),
    "wait_metadata": ("waits for decompression", "the decompression unit cannot keep up"),
    "wait_outputs": ("waits for outputs", "no space for outputs, or data to be read are still being stored"),
    "wait_buffer": ("waits for buffers", "a load has no space, or a buffer's ports are taken"),
    "wait_controller": ("waits for the controller", "the instruction has not been handed over"),
    "wait_host": ("waits for the host", "the host has not computed the data yet"),
    "wait_power": ("waits for power", "the clock is stopped while frequency or power state change"),
    "idle": ("idle", "nothing is left to do"),
}
"""Cause → label and explanation."""


def label(cause: str) -> str:
    """The cause as charts call it; of one that is not known, its name.

    >>> label("busy"), label("wait_new")
    ('computing', 'wait new')
    """
    return CAUSES[cause][0] if cause in CAUSES else cause.replace("_", " ")
