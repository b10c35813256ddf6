"""A space-limited resource (buffer bytes, queue slots): taken in order of asking, an event only where one must wait."""

from __future__ import annotations

from collections import deque

import simpy

from soc_sim.kernel.simulation import Simulation


class CreditPool:
    """``capacity`` credits; whoever asks first is served first, even where a smaller request would fit earlier."""

    __slots__ = ("_counter", "_simulation", "_waiters", "capacity", "free", "lowest_free", "name")

    def __init__(self, simulation: Simulation, name: str, capacity: int, unit: str = "byte") -> None:
        self._simulation = simulation
        self._counter = simulation.counter(f"{name}.fill", unit)
        self._waiters: deque[tuple[int, simpy.Event]] = deque()
        self.name = name
        self.capacity = capacity
        self.free = capacity
        self.lowest_free = capacity
        """Smallest number of free credits so far: ``capacity - lowest_free`` is the peak fill."""

    def try_take(self, amount: int) -> bool:
        """Take ``amount`` if it is there and nobody waits."""
        if self._waiters or amount > self.free:
            return False
        self._take(amount)
        return True

    def wait(self, amount: int) -> simpy.Event:
        """An event that fires once ``amount`` has been taken for the caller."""
        event = self._simulation.event()
        self._waiters.append((amount, event))
        return event

    def ask(self, amount: int) -> simpy.Event | None:
        """Take ``amount`` now or later: None where it is taken, else the event of :meth:`wait`."""
        return None if self.try_take(amount) else self.wait(amount)

    def give(self, amount: int) -> None:
        """Give credits back, and serve those who wait.

        Raises:
            ValueError: more is given back than was taken.
        """
        self.free += amount
        if self.free > self.capacity:
            raise ValueError(f"{self.name}: {self.free} credits of {self.capacity}")
        if self._counter is not None:
            self._counter.set(self._simulation.now_ps, self.capacity - self.free)
        while self._waiters and self._waiters[0][0] <= self.free:
            wanted, event = self._waiters.popleft()
            self._take(wanted)
            event.succeed()

    def _take(self, amount: int) -> None:
        self.free -= amount
        self.lowest_free = min(self.lowest_free, self.free)
        if self._counter is not None:
            self._counter.set(self._simulation.now_ps, self.capacity - self.free)
