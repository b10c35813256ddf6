"""How initiators (DMA channels, host) reach the memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Hertz, Picoseconds, repeated


class Regulation(Description):
    """Bytes that an initiator may move in each window of time."""

    initiator: str
    """As in `priorities`."""
    budget_bytes: Bytes
    """Bytes for each window, for example 64 KiB."""
    window_ps: Picoseconds
    """Length of a window, for example 10 us."""


class Interconnect(Description):
    """A crossbar has a data path per memory and direction; on a bus all share one."""

    kind: Literal["crossbar", "bus", "ideal"]
    """A data path for each memory and direction, or one for all; `ideal`: as a crossbar on which data take no time, so
    that `width` is of no account (nor does a move from buffer to buffer take time)."""
    clock_hz: Hertz
    """Clock of the data paths, for example 1 GHz."""
    width_bytes: Bytes
    """Bytes a data path moves in a cycle."""
    latency_cycles: Annotated[int, Field(ge=0)] = 4
    """Request and response together, without waiting."""
    hops: PositiveInt = 1
    """Millimetres of wire, of one hop each, that a byte crosses on average; for its energy alone."""
    arbitration: Literal["round_robin", "fixed_priority", "weighted"] = "round_robin"
    """Who is next when several initiators wait for a memory."""
    priorities: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """`fixed_priority`: initiators from high to low (`host`, `core0.dma.inputs`); the others share the lowest place."""
    weights: dict[str, PositiveInt] = Field(default_factory=dict)
    """`weighted`: initiator → share of the bytes; 1 for those that are not named."""
    regulation: Annotated[tuple[Regulation, ...], Field(strict=False)] = ()
    """Limits for single initiators, whatever the arbitration."""

    @property
    def named_initiators(self) -> Iterator[tuple[str, str]]:
        """(key path from here, name) wherever an initiator is named."""
        yield from ((f"priorities[{place}]", name) for place, name in enumerate(self.priorities))
        yield from ((f"weights[{name}]", name) for name in self.weights)
        yield from ((f"regulation[{place}].initiator", limit.initiator) for place, limit in enumerate(self.regulation))

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Priorities and weights that would have no effect, initiators named twice."""
        for key, policy in (("priorities", "fixed_priority"), ("weights", "weighted")):
            if getattr(self, key) and self.arbitration != policy:
                yield key, f"has no effect with arbitration {self.arbitration}; allowed: {policy}"
        yield from repeated("priorities", self.priorities)
        yield from repeated("regulation", [limit.initiator for limit in self.regulation])
