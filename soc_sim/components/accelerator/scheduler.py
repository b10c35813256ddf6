"""Whose layer is handed out next when several inferences share cores.

Modelled: one order for all cores that work together, decided step by step. A step is what must not be interrupted: all
instructions between two points of the program at which no buffer holds anything, as a rule a layer; where the policy
never interrupts, the whole program. Decided when a core's controller asks, so loads of the next step may run ahead.
Left out: time to decide, and to save a state (there is none: at the end of a step all results lie in memory).

========================  ============================================================
``fifo``                  in order of submission, each inference to its end
``fixed_priority``        the highest priority first; of equals, the earliest submitted
``edf``                   the earliest deadline first; those without one come last
========================  ============================================================
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from soc_sim.compiler.program import Instruction
from soc_sim.config.core import Policy
from soc_sim.kernel import Inference, Simulation
from soc_sim.kernel.simulation import Event

Route = tuple[tuple[Instruction, str], ...]
"""Instructions, and the name of the queue each goes to."""


@dataclass(frozen=True, slots=True)
class Step:
    """Instructions that are handed out without interruption."""

    routes: Mapping[int, Route]
    """Core → its instructions; the first core of a program also feeds the host."""
    indices: range
    """Their indices in the program."""


@dataclass(slots=True, eq=False)
class Request:
    """An inference that has been asked for."""

    number: int
    """In order of submission."""
    submitted_ps: int
    deadline_ps: int | None
    """Absolute."""
    priority: int
    """The larger, the more urgent."""
    steps: Sequence[Step]
    begin: Callable[[], Inference | None]
    """Gives the inference memory and starts it; None while no memory is free."""
    inference: Inference | None = None
    next_step: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of an inference whose turn it is."""

    inference: Inference
    step: Step


def _fifo(request: Request) -> tuple[int, ...]:
    return (request.number,)


def _fixed_priority(request: Request) -> tuple[int, ...]:
    return (-request.priority, request.number)


def _edf(request: Request) -> tuple[int, ...]:
    deadline_ps = request.deadline_ps
    return (int(deadline_ps is None), deadline_ps or 0, request.number)


_ORDERS: Mapping[Policy, Callable[[Request], tuple[int, ...]]] = {
    "fifo": _fifo,
    "fixed_priority": _fixed_priority,
    "edf": _edf,
}


class Scheduler:
    """The order of steps on a set of cores."""

    def __init__(
        self, simulation: Simulation, policy: Policy, cores: Sequence[int], layers_ahead: int | None = None
    ) -> None:
        """``layers_ahead``: steps handed out beyond the one at work; None: as many as queues and buffers take."""
        self.policy = policy
        self._simulation = simulation
        self._key = _ORDERS[policy]
        self._layers_ahead = layers_ahead
        self._waiting: list[Request] = []
        """Requests with steps left."""
        self._turns: deque[Turn] = deque()
        """Decided, from :attr:`_first` on."""
        self._first = 0
        self._reached = dict.fromkeys(cores, 0)
        """Core → the turn its controller is at."""
        self._idle: list[Event] = []
        self._closed = False

    def submit(self, request: Request) -> None:
        """An inference has been asked for, now."""
        self._waiting.append(request)
        self.wake()

    def close(self) -> None:
        """Nothing more will be submitted: controllers end when all has been handed out."""
        self._closed = True

    def wake(self) -> None:
        """Look again: something was submitted, or memory has become free."""
        idle, self._idle = self._idle, []
        for event in idle:
            event.succeed()

    def turn(self, core: int, position: int) -> Turn | Event | None:
        """The turn at ``position``, an event to wait for before asking again, or None where there will be no more."""
        self._reached[core] = position
        place = position - self._first
        if place < len(self._turns):
            return self._turns[place]
        ahead = self._layers_ahead
        if ahead is not None and place > ahead:
            before = self._turns[place - 1 - ahead]
            if (pending := before.inference.scoreboard.pending(before.step.indices)) is not None:
                return pending
        turn = self._decide()
        if turn is None:
            if self._closed and not self._waiting:
                return None
            event = self._simulation.event()
            self._idle.append(event)
            return event
        self._turns.append(turn)
        self._forget()
        return turn

    def _decide(self) -> Turn | None:
        for request in sorted(self._waiting, key=self._key) if len(self._waiting) > 1 else self._waiting:
            if request.inference is None:
                request.inference = request.begin()
                if request.inference is None:
                    if self.policy == "fifo":
                        return None
                    continue
            step = request.steps[request.next_step]
            request.next_step += 1
            if request.next_step == len(request.steps):
                self._waiting.remove(request)
            return Turn(request.inference, step)
        return None

    def _forget(self) -> None:
        """Drop turns that every core has left behind."""
        keep = min(self._reached.values()) - 1 - (self._layers_ahead or 0)
        while self._first < keep:
            self._turns.popleft()
            self._first += 1
