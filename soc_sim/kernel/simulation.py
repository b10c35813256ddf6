"""One simulation run: SimPy's environment with integer picoseconds, an event count and a deadlock report."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable
from heapq import heappush
from operator import attrgetter
from typing import Any

import simpy
from simpy.events import NORMAL

from soc_sim.errors import DeadlockError
from soc_sim.kernel.recording import Counter, Detail, Recorder, Requests, Track
from soc_sim.kernel.transfer import Transfer

Event = simpy.Event
"""What a process waits for."""

Process = Generator[Event, Any, None]
"""A generator that yields what it waits for."""


class _Call:
    """An event that nobody can wait for: all that SimPy's loop asks of one, and a fraction of a Timeout's price."""

    __slots__ = ("callback", "callbacks")
    _ok = True

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.callbacks: tuple[Callable[[_Call], None], ...] | None = _CALLBACKS


_CALLBACKS = (lambda call: call.callback(),)


class Simulation:
    """Time, events and processes. Equal configurations give equal event sequences."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._environment = environment = simpy.Environment()
        self._queue: list[Any] = environment._queue
        """SimPy's own: a heap of (time, priority, number, event)."""
        self._numbers = environment._eid
        self._wait_reports: list[Callable[[], str | None]] = []
        self.recorder = recorder
        self._drawn = 0

    # What SimPy's own property returns, without the two calls: it is read several times for each transfer.
    now_ps: int = property(attrgetter("_environment._now"))  # type: ignore[assignment]
    """Simulated time."""

    @property
    def events(self) -> int:
        """Events scheduled so far."""
        # SimPy numbers its events with a counter that can only be read by drawing the next number.
        self._drawn += 1
        return next(self._numbers) - self._drawn + 1

    def track(self, name: str, detail: Detail) -> Track | None:
        """A track to tell what is done; None: nobody wants to know."""
        return None if self.recorder is None else self.recorder.track(name, detail)

    def counter(self, name: str, unit: str) -> Counter | None:
        """A counter to tell how much there is of something; None: nobody wants to know."""
        return None if self.recorder is None else self.recorder.counter(name, unit)

    def requests(self, name: str) -> Requests | None:
        """Where to tell what an initiator asks for, or what arrives at a memory; None: nobody wants to know."""
        return None if self.recorder is None else self.recorder.requests(name)

    def event(self) -> simpy.Event:
        """An event that somebody will fire."""
        return simpy.Event(self._environment)

    def call_at(self, time_ps: int, callback: Callable[[], None]) -> None:
        """Call back at ``time_ps`` (one event)."""
        heappush(self._queue, (time_ps, NORMAL, next(self._numbers), _Call(callback)))

    def send(self, transfer: Transfer, time_ps: int, receiver: Callable[[Transfer], None]) -> None:
        """Let a transfer reach ``receiver`` at ``time_ps`` (one event: the transfer itself, so once at a time)."""
        transfer.callbacks = (receiver,)
        heappush(self._queue, (time_ps, NORMAL, next(self._numbers), transfer))

    def when(self, event: simpy.Event, callback: Callable[[], None]) -> None:
        """Call back when an event fires that has not fired yet."""
        event.callbacks.append(lambda _: callback())

    def wait_until(self, time_ps: int) -> simpy.Event:
        """What a process yields to go on at ``time_ps``."""
        return simpy.Timeout(self._environment, time_ps - self.now_ps)

    def move(self, event: simpy.Event, time_ps: int) -> None:
        """Let an event of :meth:`wait_until` fire at another time; among events of that time it keeps its place."""
        # SimPy cannot take back what is scheduled.
        queue = self._queue
        for position, entry in enumerate(queue):
            if entry[3] is event:
                queue[position] = (time_ps, *entry[1:])
                heapq.heapify(queue)
                return

    def first_of(self, events: Iterable[simpy.Event]) -> simpy.Event:
        """An event that fires with the first of these."""
        return simpy.AnyOf(self._environment, events)

    def start(self, process: Process, report_wait: Callable[[], str | None]) -> None:
        """Start a long-lived process; ``report_wait`` says what it waits for (None: it has nothing to do)."""
        self._environment.process(process)
        self.on_deadlock(report_wait)

    def on_deadlock(self, report: Callable[[], str | None]) -> None:
        """What to ask for a line of the report when nothing can go on (None: nothing to say)."""
        self._wait_reports.append(report)

    def run(self, finished: Callable[[], bool], until: int | simpy.Event | None = None) -> None:
        """Run until no event is left, up to a time in ps, or until an event fires.

        Raises:
            DeadlockError: events ran out before ``finished``.
        """
        try:
            self._environment.run(until)
        except RuntimeError:
            # SimPy's answer where the event can no longer fire; what is still waiting says more.
            if finished():
                raise
        if not finished():
            raise DeadlockError(*(text for report in self._wait_reports if (text := report())))
