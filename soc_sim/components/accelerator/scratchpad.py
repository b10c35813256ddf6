"""An on-chip buffer: space for tiles, and ports that the array and the DMA share.

Modelled: capacity (credits of bytes), throughput of all ports together. Accesses are taken to be spread over banks
without conflicts; which bank holds a word is left out.
"""

from __future__ import annotations

from soc_sim.config.core import Scratchpad as Description
from soc_sim.kernel import Component, CreditPool, Simulation


class Scratchpad(Component):
    """Space and traffic of one buffer."""

    def __init__(self, simulation: Simulation, name: str, description: Description, width_bytes: int) -> None:
        """``width_bytes``: of one port."""
        super().__init__(simulation, name)
        self.space = CreditPool(simulation, name, description.capacity_bytes)
        self._bytes_per_cycle = description.ports * width_bytes
        self.array_read_bytes = 0
        self.array_write_bytes = 0
        self.dma_read_bytes = 0
        self.dma_write_bytes = 0

    @property
    def dma_bytes(self) -> int:
        """Moved by the DMA so far, in and out."""
        return self.dma_read_bytes + self.dma_write_bytes

    def moved(self, size_bytes: int, *, write: bool) -> None:
        """The DMA has moved bytes in (``write``) or out."""
        if write:
            self.dma_write_bytes += size_bytes
        else:
            self.dma_read_bytes += size_bytes

    def port_cycles(self, size_bytes: int) -> int:
        """Cycles of the array's clock in which the ports can move this much."""
        return -(-size_bytes // self._bytes_per_cycle)
