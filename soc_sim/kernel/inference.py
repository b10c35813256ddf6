"""One execution of a program on the machine: what is complete of it, and how its numbers become the machine's."""

from __future__ import annotations

from collections.abc import Callable, Container

from soc_sim.kernel.issuer import RegionLike
from soc_sim.kernel.scoreboard import Scoreboard


class Inference:
    """Travels with each instruction, so that several programs, and several executions of one, share the units."""

    __slots__ = ("address_of", "first_index", "first_layer", "on_host", "scoreboard", "settled", "submitted_ps")

    def __init__(
        self,
        scoreboard: Scoreboard,
        *,
        submitted_ps: int = 0,
        first_index: int = 0,
        first_layer: int = 0,
        on_host: Container[int] = (),
        settled: Container[int] = (),
        address_of: Callable[[RegionLike], int] | None = None,
    ) -> None:
        self.scoreboard = scoreboard
        """Of its own instructions, by their index in the program."""
        self.submitted_ps = submitted_ps
        """When it was asked for; nobody waits for it before."""
        self.first_index = first_index
        """Added to an instruction's index, gives its number in traces, where each execution has numbers of its own."""
        self.first_layer = first_layer
        """Added to a program's layer, gives the layer among those of all programs on the machine."""
        self.on_host = on_host
        """Indices of the instructions that run on the host."""
        self.settled = settled
        """Indices of the instructions that need not run: an earlier execution has loaded what they load."""
        self.address_of = address_of
        """Where a region of the program lies for this execution; None: where the program says."""
