"""The base of everything an SoC is made of.

Lifecycle: construct → connect ports → check wiring → ``start`` (order of creation fixes ties) → run → read the counters.
"""

from __future__ import annotations

from soc_sim.kernel.simulation import Simulation


class Component:
    """Something with a name that lives in one simulation."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation = simulation
        self.name = name
        self.waiting: str | None = None
        """What the component's process waits for; read when the simulation cannot go on."""

    def start(self) -> None:
        """Start processes; components without one leave it."""

    def report_wait(self) -> str | None:
        """One line for the deadlock report."""
        return f"{self.name}: {self.waiting}" if self.waiting else None
