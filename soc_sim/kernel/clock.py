"""A clock is a sequence of edges in integer picoseconds, edge(n) = start + ceil(n · 10^12 / f): nothing accumulates."""

from __future__ import annotations

from soc_sim.units import PS_PER_S


class Clock:
    """Edges of one clock domain."""

    __slots__ = ("frequency_hz", "start_ps")

    def __init__(self, frequency_hz: int, start_ps: int = 0) -> None:
        self.frequency_hz = frequency_hz
        self.start_ps = start_ps

    def edge_ps(self, index: int) -> int:
        """Time of edge ``index``."""
        return self.start_ps - (-index * PS_PER_S // self.frequency_hz)

    def index_at(self, time_ps: int) -> int:
        """The first edge at or after ``time_ps``."""
        since = time_ps - self.start_ps
        # ceil(n·P) >= d  <=>  n·P > d − 1  <=>  n > (d − 1)·f / 10^12
        return (since - 1) * self.frequency_hz // PS_PER_S + 1 if since > 0 else 0

    def after_ps(self, time_ps: int, cycles: int) -> int:
        """The edge ``cycles`` after the first edge at or after ``time_ps``."""
        return self.edge_ps(self.index_at(time_ps) + cycles)

    def span_ps(self, cycles: int) -> int:
        """Length of ``cycles`` periods, rounded up: what a rate-limited path is busy for."""
        return -(-cycles * PS_PER_S // self.frequency_hz)

    def cycles_in(self, span_ps: int) -> int:
        """Whole periods that fit into ``span_ps``."""
        return span_ps * self.frequency_hz // PS_PER_S

    def set_frequency(self, frequency_hz: int, now_ps: int) -> None:
        """Change the frequency: edges are counted anew from the next edge of the old clock."""
        self.start_ps = self.after_ps(now_ps, 0)
        self.frequency_hz = frequency_hz
