"""What components tell about what they do, where somebody wants to know it.

A component asks for its tracks and counters when it is constructed. It gets None where nobody wants them, and then has
nothing to do: a run without a recorder pays one comparison where a slice would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, get_args

from soc_sim.config.trace import Detail as Detail
from soc_sim.kernel.transfer import Transfer

DETAILS: tuple[Detail, ...] = get_args(Detail)


class Track(Protocol):
    """What one part of a component did, in any order."""

    def slice(
        self, name: str, start_ps: int, end_ps: int, layer: int, instruction: int = -1, waited_for: int = -1
    ) -> None:
        """It was busy with ``name`` on behalf of a layer (-1: of none).

        Args:
            name: One of few: what tells two slices of a kind apart are the numbers.
            start_ps: Start; it may lie in the future.
            end_ps: End.
            layer: Index of the layer.
            instruction: Index of the instruction, that of its inference included; -1: none.
            waited_for: The instruction that it had to wait for last; -1: none.
        """


class Counter(Protocol):
    """A quantity that changes in steps."""

    def set(self, time_ps: int, value: float) -> None:
        """It is ``value`` from ``time_ps`` on; times ascend. Of values at one time the last counts."""


class Requests(Protocol):
    """What an initiator asks for, or what arrives at a memory."""

    def add(self, time_ps: int, transfer: Transfer) -> None:
        """A transfer arrives at ``time_ps``; times ascend."""


class Recorder(Protocol):
    """Somebody who wants to know what happened when."""

    def track(self, name: str, detail: Detail) -> Track | None:
        """The track of this name; None: not wanted. Only before :meth:`begin`."""

    def counter(self, name: str, unit: str) -> Counter | None:
        """The counter of this name, which starts at 0; None: not wanted. Only before :meth:`begin`."""

    def requests(self, name: str) -> Requests | None:
        """Where to tell what this initiator asks for, or what arrives at this memory; None: not wanted."""

    def begin(self, layers: Sequence[str]) -> None:
        """All has been asked for, and the run begins; ``layers``: their names by index."""

    def end(self, makespan_ps: int) -> None:
        """The run has ended; nothing will be told any more."""
