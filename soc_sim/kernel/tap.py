"""Listens at a port: tells somebody about every transfer that arrives at a target, and passes it on."""

from __future__ import annotations

from soc_sim.kernel.port import Target
from soc_sim.kernel.recording import Requests
from soc_sim.kernel.simulation import Simulation
from soc_sim.kernel.transfer import Transfer


class Tap:
    """A target in front of another."""

    def __init__(self, simulation: Simulation, requests: Requests, target: Target) -> None:
        self.name = target.name
        self._simulation = simulation
        self._requests = requests
        self._target = target

    def submit(self, transfer: Transfer) -> None:
        """Tell, and pass on."""
        self._requests.add(self._simulation.now_ps, transfer)
        self._target.submit(transfer)


def tapped(simulation: Simulation, name: str, target: Target) -> Target:
    """The target itself, or one that tells the recorder what arrives there, where it wants to know that of ``name``."""
    requests = simulation.requests(name)
    return target if requests is None else Tap(simulation, requests, target)
