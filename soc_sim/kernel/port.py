"""Ports: an initiator submits a transfer at the simulated time of its arrival; the target calls ``transfer.done``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from soc_sim.errors import ConfigurationError
from soc_sim.kernel.transfer import Transfer


class Target(Protocol):
    """Whoever takes transfers."""

    name: str

    def submit(self, transfer: Transfer) -> None:
        """Take a transfer that arrives now."""


class InitiatorPort:
    """The end that submits. It has exactly one peer."""

    __slots__ = ("name", "peer", "submit")

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: Target | None = None
        self.submit: Callable[[Transfer], None] = self._unconnected
        """Hand a transfer to the peer: its own ``submit``."""

    def connect(self, target: Target) -> None:
        """Connect to the one peer.

        Raises:
            ConfigurationError: there is a peer already; both are named.
        """
        if self.peer is not None:
            raise ConfigurationError(
                f"port {self.name} is connected to {self.peer.name}; cannot connect {target.name}, too"
            )
        self.peer, self.submit = target, target.submit

    def _unconnected(self, transfer: Transfer) -> None:
        raise AssertionError(f"port {self.name}: check_wiring has not run; {transfer.initiator} submits")


def check_wiring(ports: Iterable[InitiatorPort]) -> None:
    """Every port has a peer.

    Raises:
        ConfigurationError: all that have none, at once.
    """
    faults = [f"port {port.name} is not connected; connect it to a target" for port in ports if port.peer is None]
    if faults:
        raise ConfigurationError(*faults)
