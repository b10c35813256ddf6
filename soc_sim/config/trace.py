"""What is traced when a run is traced at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.base import Delay, Description, Picoseconds, repeated

Detail = Literal["layers", "tiles", "transfers", "commands", "stalls", "counters"]
"""How fine a track of a trace is.

=============  ========================================================================
``layers``     the layers of the program
``tiles``      instructions: tiles of the array, loads and stores, operators of the host
``transfers``  data on the paths of the interconnect and in the memories
``commands``   commands of a DRAM
``stalls``     what a component waited for
``counters``   fill of buffers, lengths of queues, power
=============  ========================================================================
"""


class TraceWindow(Description):
    """A span of simulated time; slices that overlap it are kept whole."""

    from_ps: Delay = 0
    """Its start."""
    to_ps: Picoseconds
    """Its end, which no longer belongs to it."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A window without time."""
        if self.to_ps <= self.from_ps:
            yield "to", "is not later than from"


class Trace(Description):
    """What a trace contains. Nothing is traced unless a file for it is asked for."""

    format: Literal["json", "pftrace", "parquet", "csv", "vcd"] | None = None
    """Format of the trace beside the other results of `--out`; none: no trace there. `--trace FILE` writes one in any
    case, in the format of its suffix."""
    detail: Annotated[tuple[Detail, ...], Field(strict=False)] = ("layers", "tiles", "transfers", "stalls")
    """Which kinds of tracks: `layers`, `tiles` (instructions), `transfers`, `commands` of a DRAM, `stalls`, `counters`
    (fill of buffers, lengths of queues, power)."""
    components: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = ("*",)
    """Names or patterns (`core0`, `interconnect.*.read`, `core?.array`): the tracks of that name and all below it."""
    window: TraceWindow | None = None
    """None: the whole run."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Details named twice."""
        yield from repeated("detail", self.detail)
