"""Where a component's time went: every picosecond has one cause and belongs to one layer.

Causes and how ties are broken are those of the project's stall accounting:

===================  ==========================================================================================
``busy``             it works
``wait_weights``     weights (or the first operand of a product of activations) are still under way
``wait_inputs``      inputs are still under way
``wait_metadata``    sparse formats' metadata are still under way
``wait_outputs``     the outputs buffer is full, or the data to be read next are still being stored
``wait_buffer``      a load waits for space in its buffer, or a buffer's ports are taken
``wait_controller``  the instruction has not been handed over yet
``wait_host``        the host has not produced the data yet
``wait_power``       its clock stands still while its frequency changes, or it wakes up
``idle``             nothing is left to do
===================  ==========================================================================================

A wait is split again by who made it last, and why (``reasons``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from soc_sim.kernel.reasons import Reason

Cause = Literal[
    "busy",
    "wait_weights",
    "wait_inputs",
    "wait_metadata",
    "wait_outputs",
    "wait_buffer",
    "wait_controller",
    "wait_host",
    "wait_power",
    "idle",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


class Ledger:
    """Integer picoseconds by layer and cause; entries are consecutive, so they sum to the time covered."""

    __slots__ = ("_last", "covered_ps", "reasons_ps", "spans_ps")

    def __init__(self) -> None:
        self.spans_ps: dict[tuple[int, Cause], int] = {}
        self.reasons_ps: dict[tuple[int, Cause, Reason], int] = {}
        """Waits again, by reason; for each layer and cause they sum to the span."""
        self.covered_ps = 0
        """All time up to here is accounted for."""
        self._last: tuple[int, Cause] | None = None

    def record(self, until_ps: int, cause: Cause, layer: int) -> None:
        """The time from the last entry up to ``until_ps`` (if that is later) had this cause."""
        span_ps = until_ps - self.covered_ps
        if span_ps > 0:
            key = (layer, cause)
            self.spans_ps[key] = self.spans_ps.get(key, 0) + span_ps
            self.covered_ps = until_ps
            self._last = key

    def close(self, end_ps: int, layer: int) -> None:
        """Account for all time up to the end of the run and for none after it: what follows the last entry is idle."""
        if self._last is not None and self.covered_ps > end_ps:
            # A tile that is still at work is entered to its end.
            self.spans_ps[self._last] -= self.covered_ps - end_ps
            self.covered_ps = end_ps
        self.record(end_ps, "idle", layer)

    def record_wait(self, until_ps: int, cause: Cause, layer: int, reasons: Mapping[Reason, int]) -> None:
        """As :meth:`record`, with the spans of the reasons, which sum to the time from the last entry.

        Raises:
            ValueError: they do not.
        """
        span_ps = until_ps - self.covered_ps
        if span_ps <= 0:
            return
        if sum(reasons.values()) != span_ps:
            raise ValueError(f"{cause} of {span_ps} ps has reasons for {sum(reasons.values())} ps: {dict(reasons)}")
        self.record(until_ps, cause, layer)
        for reason, part_ps in reasons.items():
            key = (layer, cause, reason)
            self.reasons_ps[key] = self.reasons_ps.get(key, 0) + part_ps
