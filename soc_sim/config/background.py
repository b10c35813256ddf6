"""Initiators beside the accelerator that the network knows nothing of: a display, a camera, a CPU's cache misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, BytesPerSecond, Description, FileOrName, Hertz, no_multiple

Pattern = Literal["linear", "strided", "random", "frame"]

Share = Annotated[float, Field(ge=0, le=1)]


class Background(Description):
    """Traffic of one initiator, at a rate and in a pattern, or as somebody recorded it.

    A request that is due asks at once, whether earlier ones have been answered or not, up to `max_outstanding`; what is
    due then waits, and is late.
    """

    name: str
    """How the initiator is called; priorities, weights and results name it so."""
    memory: Literal["dram", "weight_memory", "system_sram"] = "dram"
    """Where its data lie."""
    bandwidth_bytes_per_s: BytesPerSecond | None = None
    """Bytes it asks for, on average, for example 1.5 GB/s."""
    pattern: Pattern = "linear"
    """Addresses: one after another; `stride` apart; at random; or line by line of a `frame`, with a pause after it."""
    stride_bytes: Bytes | None = None
    """`strided`: distance of the starts of successive chunks."""
    frame_rate_hz: Hertz | None = None
    """`frame`: frames a second, for example 60 Hz; a frame has as many bytes as the bandwidth gives."""
    blanking: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """`frame`: share of a frame's time, at its end, in which nothing is asked for."""
    footprint_bytes: Bytes = 1 << 20
    """Memory that the addresses are spread over; a `frame` has its own size instead."""
    read_share: Share = 1.0
    """Share of the chunks that are read; the others are written, evenly spread among them."""
    jitter: Share = 0.0
    """A chunk is late by up to this share of the time between two, at random."""
    burst_bytes: Bytes = 64
    """Largest request to the interconnect."""
    chunk_bytes: Bytes = 2048
    """Bytes asked for at once; the unit of simulated service."""
    max_outstanding: PositiveInt = 64
    """Requests that may be under way."""
    trace: Annotated[str, FileOrName(".csv")] | None = None
    """Recorded requests in place of bandwidth and pattern: a CSV file as `soc-sim dram --trace` takes."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Both or neither of rate and recording; what belongs to another pattern."""
        if (self.bandwidth_bytes_per_s is None) == (self.trace is None):
            yield "bandwidth", "give either bandwidth or trace"
        for key, value, pattern in (
            ("stride", self.stride_bytes, "strided"),
            ("frame_rate", self.frame_rate_hz, "frame"),
        ):
            if (value is not None) != (self.pattern == pattern):
                yield key, f"belongs to pattern {pattern}, which needs it; pattern is {self.pattern}"
        if self.blanking and self.pattern != "frame":
            yield "blanking", f"belongs to pattern frame; pattern is {self.pattern}"
        yield from no_multiple("chunk", self.chunk_bytes, "burst", self.burst_bytes)
        if self.chunk_bytes > self.footprint_bytes and self.pattern != "frame":
            yield "footprint", "is less than one chunk"

    @property
    def frame_bytes(self) -> int | None:
        """Bytes of a frame, rounded up to whole bursts; None without frames."""
        if self.frame_rate_hz is None or self.bandwidth_bytes_per_s is None:
            return None
        return -(-self.bandwidth_bytes_per_s // (self.frame_rate_hz * self.burst_bytes)) * self.burst_bytes

    @property
    def extent_bytes(self) -> int:
        """Memory it needs for itself; none where a recording says the addresses."""
        return 0 if self.trace is not None else self.frame_bytes or self.footprint_bytes
