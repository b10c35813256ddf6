"""On-chip buffers: space for tiles, and ports that the array and the DMA share.

Modelled: capacity (credits of bytes), throughput of all ports together, the expected number of conflicts at banks
(``dataflow.banks``, a closed form for each tile). Several operands may lie in one memory: they take its space in the
order in which their instructions are handed out, so that loads which run ahead never take what an earlier tile needs,
and meet at its ports. Left out: which bank holds a word, and which bytes are free (no space is lost to gaps).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from soc_sim.config.core import BUFFERS
from soc_sim.config.core import Scratchpad as Description
from soc_sim.config.soc import Soc
from soc_sim.dataflow.banks import port_cycles
from soc_sim.kernel import Component, CreditPool, Simulation


class Pad:
    """One memory, for one operand or several."""

    def __init__(self, simulation: Simulation, name: str, description: Description, width_bytes: int) -> None:
        """``width_bytes``: of one port."""
        self.name = name
        self.space = CreditPool(simulation, name, description.capacity_bytes)
        self.operands: list[Scratchpad] = []
        self._description, self._width_bytes = description, width_bytes

    @property
    def shared(self) -> bool:
        """Whether several operands lie here."""
        return len(self.operands) > 1

    @property
    def dma_bytes(self) -> int:
        """Moved by the DMA so far, in and out."""
        return sum(operand.dma_read_bytes + operand.dma_write_bytes for operand in self.operands)

    def port_cycles(self, cycles: int, moved: Mapping[str, Sequence[int]], dma_bytes: int) -> int:
        """Cycles of the array's clock that a tile of ``cycles`` takes at least for what the ports move meanwhile.

        ``moved``: operand → bytes that the array reads, and that it writes.
        """
        streams = [size for operand in self.operands for size in moved[operand.operand]]
        needed: float = port_cycles(self._description, self._width_bytes, cycles, streams, dma_bytes)
        return math.ceil(needed)


class Scratchpad(Component):
    """What one operand has of a memory, and its traffic."""

    def __init__(self, simulation: Simulation, name: str, operand: str, pad: Pad) -> None:
        super().__init__(simulation, name)
        self.operand, self.pad, self.space = operand, pad, pad.space
        pad.operands.append(self)
        self.array_read_bytes = 0
        self.array_write_bytes = 0
        self.dma_read_bytes = 0
        self.dma_write_bytes = 0

    def moved(self, size_bytes: int, *, write: bool) -> None:
        """The DMA has moved bytes in (``write``) or out."""
        if write:
            self.dma_write_bytes += size_bytes
        else:
            self.dma_read_bytes += size_bytes


def scratchpads(simulation: Simulation, core: str, soc: Soc) -> dict[str, Scratchpad]:
    """Those of a core, by operand."""
    pads: dict[str, Pad] = {}
    found: dict[str, Scratchpad] = {}
    for operand in BUFFERS:
        name = soc.buffers.name_of(operand)
        if name not in pads:
            pads[name] = Pad(simulation, f"{core}.{name}", soc.buffers.of(operand), soc.port_width_bytes(operand))
        found[operand] = Scratchpad(simulation, f"{core}.{operand}", operand, pads[name])
    return found
