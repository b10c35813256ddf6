"""How initiators (DMA channels, host) reach the memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.base import Bytes, Description, Hertz, repeated


class Interconnect(Description):
    """A crossbar has a data path per memory and direction; on a bus all share one."""

    kind: Literal["crossbar", "bus"]
    """A data path for each memory and direction, or one for all."""
    clock_hz: Hertz
    """Clock of the data paths, for example 1 GHz."""
    width_bytes: Bytes
    """Bytes a data path moves in a cycle."""
    latency_cycles: Annotated[int, Field(ge=0)] = 4
    """Request and response together, without waiting."""
    arbitration: Literal["round_robin", "fixed_priority"] = "round_robin"
    """Who is next when several initiators wait for a data path."""
    priorities: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """`fixed_priority`: initiators from high to low (`host`, `core0.dma.inputs`); the others share the lowest place."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Priorities that would have no effect, initiators named twice."""
        if self.priorities and self.arbitration != "fixed_priority":
            yield "priorities", f"has no effect with arbitration {self.arbitration}; allowed: fixed_priority"
        yield from repeated("priorities", self.priorities)
