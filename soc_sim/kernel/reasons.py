"""Why waiting for data took as long as it did: every picosecond of a wait gets a component and a reason.

A channel's transfers overlap, so their own durations say little: what counts is the time between one completion and the
next, for that is what moving this transfer sooner would have saved. The log keeps completions; asked about a wait, it
walks back from its end and gives each gap to the last stage of the transfer that ended it, stage by stage:

================================  =====================================================================================
(initiator's work, busy)          the data are there, and the initiator's decompressor is at work on them
(interconnect, latency)           the answer is on its way
(interconnect, transfer)          data pass the interconnect's path, later than the memory delivered them
(memory, transfer)                data move, at the memory's peak rate
(memory, transition)              the memory changed its clock, and let nothing in
(memory, refresh), (memory, row)  the memory refreshed; closed and opened rows
(memory, arbitration:NAME)        the memory, or the way to it, was taken by another initiator
(memory, latency)                 what is left of the service: the unloaded latency, turnarounds, partly used bursts
(initiator, credit)               latency that would have been hidden, had the limit of requests under way allowed it
(initiator, latency)              set-up of a descriptor; nothing had been asked for yet
================================  =====================================================================================

Left out: the order of row, refresh and transfer within one service (their amounts are exact, their places are not), and
who else waited at the same time: of several other initiators the last one served is named.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from soc_sim.kernel.transfer import Transfer


class Reason(NamedTuple):
    """Who made one wait, and why."""

    component: str
    reason: str
    """``transfer, latency, row, refresh, arbitration:<initiator>, credit``; ``busy``: it was still at work; or
    ``transition``: its frequency was being changed; ``wake_up``: it was powered up."""


class CompletionLog:
    """Completions of one initiator, as far back as anybody may still ask."""

    __slots__ = ("_asked_ps", "_completed", "_initiator")

    MOST = 1 << 16
    """Completions kept at most: a reader that never asks must not fill the memory."""

    def __init__(self, initiator: str) -> None:
        self._initiator = initiator
        self._completed: deque[tuple[int, Transfer]] = deque(maxlen=self.MOST)
        self._asked_ps: dict[str, int] = {}

    def subscribe(self, reader: str) -> None:
        """``reader`` will ask, too; completions are kept until all have said that they may be forgotten."""
        self._asked_ps[reader] = 0

    def __len__(self) -> int:
        return len(self._completed)

    def add(self, now_ps: int, transfer: Transfer) -> None:
        """A transfer completes now."""
        self._completed.append((now_ps, transfer))

    def completed_at(self, time_ps: int) -> bool:
        """Whether a transfer was completed at that very time."""
        for done_ps, _ in reversed(self._completed):
            if done_ps <= time_ps:
                return done_ps == time_ps
        return False

    def forget(self, before_ps: int, reader: str) -> None:
        """``reader`` will not ask about the time before ``before_ps``."""
        self._asked_ps[reader] = before_ps
        before_ps = min(self._asked_ps.values())
        completed = self._completed
        while completed and completed[0][0] <= before_ps:
            completed.popleft()

    def explain(self, start_ps: int, end_ps: int) -> dict[Reason, int]:
        """What the time from ``start_ps`` to ``end_ps`` went to; the spans sum to it exactly.

        Args:
            start_ps: Not earlier than what was last forgotten.
            end_ps: When the wait ended; what follows the last completion is the channel's own latency.
        """
        spans: dict[Reason, int] = {}
        late_ps = end_ps
        completed = self._completed
        for index in range(len(completed) - 1, -1, -1):
            if late_ps <= start_ps:
                break
            done_ps, transfer = completed[index]
            earlier_ps = max(start_ps, completed[index - 1][0] if index else start_ps)
            if earlier_ps >= late_ps:
                continue  # it was not the next to complete when the wait ended
            if done_ps < late_ps:
                _add(spans, self._initiator, "latency", late_ps - max(done_ps, start_ps))
                late_ps = max(done_ps, start_ps)
            _add_stages(spans, transfer, self._initiator, earlier_ps, late_ps)
            late_ps = earlier_ps
        _add(spans, self._initiator, "latency", late_ps - start_ps)
        return spans


def _add(spans: dict[Reason, int], component: str, reason: str, span_ps: int) -> None:
    if span_ps > 0:
        key = Reason(component, reason)
        spans[key] = spans.get(key, 0) + span_ps


def _add_stages(spans: dict[Reason, int], transfer: Transfer, initiator: str, start_ps: int, end_ps: int) -> None:
    """Add the stages of a transfer between two times, the last one first; they fill the span."""
    memory, credit_ps = transfer.memory, transfer.credit_ps
    if transfer.arrived_ps is not None:
        early_ps = max(start_ps, min(end_ps, transfer.arrived_ps))
        _add(spans, f"{initiator}.decompression", "busy", end_ps - early_ps)
        end_ps = early_ps
    early_ps = max(start_ps, min(end_ps, transfer.delivered_ps))
    answer_ps, end_ps = end_ps - early_ps, early_ps
    early_ps = max(start_ps, min(end_ps, transfer.served_ps))
    _add(spans, "interconnect", "transfer", end_ps - early_ps)
    end_ps = early_ps
    early_ps = max(start_ps, min(end_ps, transfer.submitted_ps))
    left_ps, end_ps = end_ps - early_ps, early_ps
    for reason, amount_ps in (
        ("transfer", transfer.data_ps),
        ("transition", transfer.held_ps),
        ("refresh", transfer.refresh_ps),
        ("row", transfer.row_ps),
    ):
        span_ps = min(left_ps, amount_ps)
        left_ps -= span_ps
        _add(spans, memory, reason, span_ps)
    if left_ps > 0 and transfer.others_ps > 0:
        span_ps = min(left_ps, transfer.others_ps)
        left_ps -= span_ps
        _add(spans, memory, f"arbitration:{transfer.waited_for}", span_ps)
    # Had it been sent earlier, this much latency would have passed beside other transfers.
    for component, latency_ps in (("interconnect", answer_ps), (memory, left_ps)):
        hidden_ps = min(credit_ps, latency_ps)
        credit_ps -= hidden_ps
        _add(spans, initiator, "credit", hidden_ps)
        _add(spans, component, "latency", latency_ps - hidden_ps)
    _add(spans, initiator, "latency", end_ps - start_ps)
