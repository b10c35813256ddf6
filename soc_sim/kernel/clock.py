"""A clock is a sequence of edges in integer picoseconds, edge(n) = start + ceil(n · 10^12 / f): nothing accumulates.

``start`` and ``n`` begin anew where the frequency changes. Who waits for cycles waits with :meth:`Clock.wait`, so that
a change in the meantime moves the end: cycles that have passed stay passed, the others take the new period.
"""

from __future__ import annotations

from collections.abc import Callable

from soc_sim.kernel.simulation import Call, Event, Simulation
from soc_sim.units import PS_PER_S

_FEW_WAITS = 8
"""So many waits are kept before those that are over are dropped."""


class Clock:
    """Edges of one clock domain."""

    __slots__ = ("_waits", "frequency_hz", "past_cycles", "start_ps", "stops")

    def __init__(self, frequency_hz: int, start_ps: int = 0) -> None:
        self.frequency_hz = frequency_hz
        self.start_ps = start_ps
        self.past_cycles = 0
        """Edges before ``start_ps``, at earlier frequencies."""
        self.stops: list[tuple[int, int]] = []
        """Spans in which there was no edge because the frequency was being changed, ascending."""
        self._waits: list[tuple[Simulation, Event | Call, int]] = []

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

    def cycles_at(self, time_ps: int) -> int:
        """Periods begun since time zero, at all frequencies; ``time_ps`` is not before the last change."""
        return self.past_cycles + self.index_at(time_ps)

    def wait(self, simulation: Simulation, cycles: int) -> Event:
        """An event at the edge ``cycles`` after the first edge at or after now."""
        index = self.index_at(simulation.now_ps) + cycles
        event = simulation.wait_until(self.edge_ps(index))
        self._remember(simulation, event, index)
        return event

    def call_after(self, simulation: Simulation, cycles: int, callback: Callable[[], None]) -> None:
        """Call back at the edge that :meth:`wait` waits for."""
        index = self.index_at(simulation.now_ps) + cycles
        self._remember(simulation, simulation.call_at(self.edge_ps(index), callback), index)

    def _remember(self, simulation: Simulation, what: Event | Call, index: int) -> None:
        """A change of the frequency moves what is to come at edge ``index``."""
        if len(self._waits) >= _FEW_WAITS:
            self._waits = [wait for wait in self._waits if not wait[1].processed]
        self._waits.append((simulation, what, index))

    def set_frequency(self, frequency_hz: int, now_ps: int, stop_ps: int = 0) -> None:
        """Change the frequency: edges are counted anew from the next edge of the old clock, ``stop_ps`` later.

        Waits under way end at the edge they waited for, wherever it now is.
        """
        turn = self.index_at(now_ps)
        turn_ps = self.edge_ps(turn)
        if stop_ps:
            self.stops.append((turn_ps, turn_ps + stop_ps))
        self.past_cycles += turn
        self.start_ps = turn_ps + stop_ps
        self.frequency_hz = frequency_hz
        waits, self._waits = self._waits, []
        for simulation, event, index in waits:
            if not event.processed and (index > turn or turn_ps > now_ps):  # what ends now has ended
                simulation.move(event, self.edge_ps(index - turn))
                self._waits.append((simulation, event, index - turn))

    def stopped_within(self, start_ps: int, end_ps: int) -> list[tuple[int, int]]:
        """The parts of a span in which the clock stood still."""
        found: list[tuple[int, int]] = []
        for begin_ps, until_ps in reversed(self.stops):
            if until_ps <= start_ps:
                break
            if begin_ps < end_ps:
                found.insert(0, (max(start_ps, begin_ps), min(end_ps, until_ps)))
        return found
