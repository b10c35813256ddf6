"""A memory that answers at once, at any rate. What a run still takes on it is due to the rest of the system."""

from __future__ import annotations

from soc_sim.components.memory.base import Memory
from soc_sim.config.memory import IdealMemory
from soc_sim.kernel import Simulation, Transfer


class Ideal(Memory):
    """No latency, no limit."""

    def __init__(self, simulation: Simulation, name: str, description: IdealMemory) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = 2**30

    @property
    def peak_bytes_per_s(self) -> float | None:
        """There is no limit."""
        return None

    def submit(self, transfer: Transfer) -> None:
        """Serve it now (a write: when its last data are there)."""
        now_ps = self.simulation.now_ps
        end_ps = max(now_ps, transfer.data_end_ps) if transfer.write else now_ps
        self._serve(transfer, now_ps, end_ps, end_ps)
