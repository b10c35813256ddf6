"""An on-chip buffer: space for tiles, and ports that the array and the DMA share.

Modelled: capacity (credits of bytes), throughput of all ports together, the expected number of conflicts at banks
(``dataflow.banks``, a closed form for each tile). Left out: which bank holds a word.
"""

from __future__ import annotations

import math

from soc_sim.config.core import Scratchpad as Description
from soc_sim.dataflow.banks import port_cycles
from soc_sim.kernel import Component, CreditPool, Simulation


class Scratchpad(Component):
    """Space and traffic of one buffer."""

    def __init__(self, simulation: Simulation, name: str, description: Description, width_bytes: int) -> None:
        """``width_bytes``: of one port."""
        super().__init__(simulation, name)
        self.space = CreditPool(simulation, name, description.capacity_bytes)
        self._description, self._width_bytes = description, width_bytes
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

    def port_cycles(self, cycles: int, read_bytes: int, written_bytes: int, dma_bytes: int) -> int:
        """Cycles of the array's clock that a tile of ``cycles`` takes at least for what the ports move meanwhile."""
        needed: float = port_cycles(self._description, self._width_bytes, cycles, read_bytes, written_bytes, dma_bytes)
        return math.ceil(needed)
