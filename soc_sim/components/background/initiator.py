"""Asks for what is due, as far as its limit of requests under way allows. Needs no process of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from soc_sim.components.background.patterns import Due
from soc_sim.config.background import Background as Description
from soc_sim.kernel import Component, InitiatorPort, Simulation, Transfer


class Background(Component):
    """An initiator that the accelerator knows nothing of."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        requests: Iterator[Due],
        most_requests: int | None = None,
    ) -> None:
        """``requests``: what is asked for and when, in order of time; ``most_requests``: in one transfer."""
        super().__init__(simulation, name)
        self.port = InitiatorPort(name)
        self._description = description
        self._requests = requests
        self._most_bytes = (most_requests or description.max_outstanding) * description.burst_bytes
        self._waiting: deque[Due] = deque()
        self._outstanding = 0
        self.asked_bytes = {False: 0, True: 0}
        """Whether they are written → bytes asked for."""
        self.late_ps = 0
        """Sum over all transfers: how long after they were due they could be sent."""

    def start(self) -> None:
        """Plan the first request."""
        self._plan()

    def _plan(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self.simulation.call_at(request.due_ps, lambda: self._due(request))

    def _due(self, request: Due) -> None:
        if request.size_bytes <= self._most_bytes:
            self._waiting.append(request)
        else:
            due_ps, address, size_bytes, write = request
            for start in range(0, size_bytes, self._most_bytes):
                piece_bytes = min(self._most_bytes, size_bytes - start)
                self._waiting.append(Due(due_ps, address + start, piece_bytes, write))
        self._send()
        self._plan()

    def _send(self) -> None:
        description, now_ps = self._description, self.simulation.now_ps
        while self._waiting:
            due_ps, address, size_bytes, write = self._waiting[0]
            requests = -(-size_bytes // description.burst_bytes)
            if self._outstanding and self._outstanding + requests > description.max_outstanding:
                return
            self._waiting.popleft()
            self._outstanding += requests
            self.asked_bytes[write] += size_bytes
            self.late_ps += now_ps - due_ps
            self.port.submit(
                Transfer(
                    self.name, description.memory, write, address, size_bytes, 1, 0, requests, NO_LAYER, self._answered
                )
            )

    def _answered(self, transfer: Transfer) -> None:
        self._outstanding -= transfer.requests
        self._send()


NO_LAYER = -1
"""Layer of transfers that belong to none."""
