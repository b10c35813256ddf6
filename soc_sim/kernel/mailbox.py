"""A bounded first-in first-out queue between two processes (an instruction queue)."""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, TypeVar

import simpy

from soc_sim.kernel.inference import Inference
from soc_sim.kernel.simulation import Simulation

Item = TypeVar("Item")


class Dispatched(NamedTuple, Generic[Item]):
    """An instruction on its way to a unit."""

    instruction: Item
    inference: Inference
    """The execution it belongs to."""
    handed_ps: int
    """When the controller handed it over."""
    space: simpy.Event | None = None
    """Fires once the space is there that was asked for when it was handed over; None: it is, or nothing was asked."""


class Mailbox(Generic[Item]):
    """One process puts, one takes. An event only where one of them must wait."""

    __slots__ = ("_items", "_putter", "_simulation", "_taker", "depth")

    def __init__(self, simulation: Simulation, depth: int) -> None:
        self._simulation = simulation
        self._items: deque[Item] = deque()
        self._taker: simpy.Event | None = None
        self._putter: simpy.Event | None = None
        self.depth = depth

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Append; the caller has made sure of room (:meth:`room`)."""
        self._items.append(item)
        if self._taker is not None:
            self._taker.succeed()
            self._taker = None

    def room(self) -> simpy.Event | None:
        """An event that fires when there is room; None where there is."""
        if len(self._items) < self.depth:
            return None
        self._putter = self._simulation.event()
        return self._putter

    def filled(self) -> simpy.Event | None:
        """An event that fires when there is something to take; None where there is."""
        if self._items:
            return None
        self._taker = self._simulation.event()
        return self._taker

    def peek(self) -> Item | None:
        """The oldest item, which stays; None where there is none."""
        return self._items[0] if self._items else None

    def take(self) -> Item:
        """Remove the oldest item."""
        item = self._items.popleft()
        if self._putter is not None:
            self._putter.succeed()
            self._putter = None
        return item
