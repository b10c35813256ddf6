"""The unit that runs what is not a GEMM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Hertz, no_multiple


class Host(Description):
    """A vector unit or CPU that streams tensors from memory, computes, and streams them back."""

    kind: Literal["vector_unit", "cpu"]
    """A name for readers: what counts are the fields below."""
    clock_hz: Hertz
    """Clock of the host, for example 1 GHz."""
    lanes: PositiveInt
    """Operations a cycle."""
    start_cycles: Annotated[int, Field(ge=0)] = 200
    """Start of one operator: dispatch, loop set-up."""
    burst_bytes: Bytes = 64
    """Largest request to the interconnect."""
    max_outstanding: PositiveInt = 16
    """Requests that may be under way."""
    block_bytes: Bytes = 2048
    """Data that is read, computed and written as one step; the three overlap from block to block."""
    pj_per_operation: Annotated[float, Field(ge=0)] | None = None
    """Energy of one operation; None: unknown."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Blocks that are not made of whole bursts."""
        yield from no_multiple("block", self.block_bytes, "burst", self.burst_bytes)
