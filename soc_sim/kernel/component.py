"""The base of everything an SoC is made of.

Lifecycle: construct → connect ports → check wiring → ``start`` (order of creation fixes ties) → run → read counters.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy_extensions import mypyc_attr

from soc_sim.kernel.credit import CreditPool
from soc_sim.kernel.simulation import Event, Process, Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Component:
    """Something with a name that lives in one simulation."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation = simulation
        self.name = name
        self.waiting: str | Callable[[], str] | None = None
        """What the component's process waits for; read, or called, when the simulation cannot go on."""

    def start(self) -> None:
        """Start processes; components without one leave it."""

    def take(self, pool: CreditPool, amount_bytes: int, who: str) -> Process:
        """Take space in a buffer for ``who``; a process waits here (``yield from``) until it is free."""
        if not pool.try_take(amount_bytes):
            self.waiting = lambda: (
                f"{who} needs {amount_bytes} bytes of {pool.name}, free {pool.free} of {pool.capacity}"
            )
            yield pool.wait(amount_bytes)

    def await_space(self, space: Event | None, pool: CreditPool, amount_bytes: int, who: str) -> Process:
        """Wait for space that has been asked for already."""
        if space is not None and not space.triggered:
            self.waiting = lambda: (
                f"{who} needs {amount_bytes} bytes of {pool.name}, free {pool.free} of {pool.capacity}"
            )
            yield space

    def report_wait(self) -> str | None:
        """One line for the deadlock report."""
        waiting = self.waiting() if callable(self.waiting) else self.waiting
        return f"{self.name}: {waiting}" if waiting else None
