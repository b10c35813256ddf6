"""One simulation run: SimPy's environment with integer picoseconds, an event count and a deadlock report."""

from __future__ import annotations

import gc
import heapq
from collections.abc import Callable, Generator, Iterable
from heapq import heappop, heappush
from typing import Any, Final

import simpy
from simpy.events import URGENT

from soc_sim.errors import DeadlockError
from soc_sim.kernel.interruption import Interruption
from soc_sim.kernel.recording import Counter, Detail, Recorder, Requests, Track
from soc_sim.kernel.transfer import Transfer

Event = simpy.Event
"""What a process waits for."""

Process = Generator[Event, Any, None]
"""A generator that yields what it waits for."""

# Bound once: looked up for every event otherwise.
_push: Final = heappush
_pop: Final = heappop
_NORMAL: Final = 1
"""SimPy's ``NORMAL``."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
"""A run makes many objects that live shortly, and hardly a cycle: Python's usual 700 would look for them in vain."""


class Call:
    """Somebody is called back; nobody can wait for it, so it need not be an event."""

    __slots__ = ("callback", "processed")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.processed = False
        """Whether it has been made."""


class _Numbers:
    """Numbers events in the order in which they are planned, for SimPy's part and for the rest."""

    __slots__ = ("drawn",)

    def __init__(self) -> None:
        self.drawn = 0

    def __next__(self) -> object:
        self.drawn += 1
        return self.drawn


class Simulation:
    """Time, events and processes. Equal configurations give equal event sequences."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.now_ps = 0
        """Simulated time."""
        self._environment = environment = simpy.Environment()
        self._queue: list[Any] = environment._queue
        """SimPy's own: a heap of (time, priority, number, event); transfers and calls lie among its events."""
        self._numbers = _Numbers()
        environment._eid = self._numbers  # type: ignore[assignment] # all that SimPy asks of it is the next number
        self._wait_reports: list[Callable[[], str | None]] = []
        self.recorder = recorder

    @property
    def events(self) -> int:
        """Events scheduled so far."""
        return self._numbers.drawn

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

    def call_at(self, time_ps: int, callback: Callable[[], None]) -> Call:
        """Call back at ``time_ps`` (one event)."""
        call = Call(callback)
        self._plan(time_ps, call)
        return call

    def send(self, transfer: Transfer, time_ps: int, receiver: Callable[[Transfer], None]) -> None:
        """Let a transfer reach ``receiver`` at ``time_ps`` (one event: the transfer itself, so once at a time)."""
        transfer.receiver = receiver
        self._plan(time_ps, transfer)

    def _plan(self, time_ps: int, what: Transfer | Call) -> None:
        numbers = self._numbers
        numbers.drawn += 1
        _push(self._queue, (time_ps, _NORMAL, numbers.drawn, what))

    def wait_until(self, time_ps: int) -> simpy.Event:
        """What a process yields to go on at ``time_ps``."""
        return simpy.Timeout(self._environment, time_ps - self.now_ps)

    def move(self, event: simpy.Event | Call, time_ps: int) -> None:
        """Let an event of :meth:`wait_until`, or a call, come at another time; its place in the order stays."""
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
            KeyboardInterrupt: the process got SIGINT; the event under way has been completed.
        """
        if not isinstance(until, int):
            stop = until
        else:
            # As SimPy does: before all that is planned for that time.
            stop = simpy.Event(self._environment)
            stop._ok, stop._value = True, None
            self._environment.schedule(stop, URGENT, until - self.now_ps)
        with Interruption() as interruption:
            stopped = self._until(stop, interruption)
        if not finished():
            raise DeadlockError(*(text for report in self._wait_reports if (text := report())))
        if stop is not None and not stopped:
            raise RuntimeError("nothing is left to do before the event that was to end the run")

    def _until(self, stop: simpy.Event | None, interruption: Interruption) -> bool:
        """Work off the queue up to the event, an interruption, or the last entry; whether the event has been reached.

        What ``simpy.Environment.run`` does, for three kinds of entries; most are none of SimPy's.
        """
        queue, environment = self._queue, self._environment
        if stop is not None and stop.processed:
            return True
        collected = gc.get_threshold()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *collected[1:])
        try:
            while queue and not interruption.asked:
                now_ps, _, _, event = _pop(queue)
                self.now_ps = environment._now = now_ps
                if isinstance(event, Transfer):
                    event.receiver(event)
                elif isinstance(event, Call):
                    event.processed = True
                    event.callback()
                else:
                    callbacks, event.callbacks = event.callbacks, None
                    for callback in callbacks:
                        callback(event)
                    if not event._ok and not hasattr(event, "_defused"):
                        raise event._value
                    if event is stop:
                        return True
        finally:
            gc.set_threshold(*collected)
        return False
