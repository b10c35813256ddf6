"""A whole SoC: cores, host, interconnect and memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.array import Array
from soc_sim.config.base import Description
from soc_sim.config.core import BufferName, Buffers, Controller, Dma, Scratchpad
from soc_sim.config.energy import EnergyTable
from soc_sim.config.host import Host
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.memory import Memory, SimpleMemory
from soc_sim.errors import suggestion


class Soc(Description):
    """Accelerator cores of one kind and a host, behind one interconnect, with one or two memories."""

    kind: Literal["soc"]
    name: str
    """How the SoC is called."""
    cores: Annotated[int, Field(ge=1, le=64)] = 1
    """How many arrays, each with buffers, DMA and controller of its own; tiles of a layer are dealt out to them."""
    array: Array
    buffers: Buffers
    dma: Dma
    controller: Controller
    interconnect: Interconnect
    dram: Memory
    """Main memory: activations, and weights unless `weight_memory` holds them."""
    weight_memory: Memory | None = None
    """A second memory for weights alone, such as flash."""
    host: Host
    energy: EnergyTable

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Main memory that cannot be written, priorities of initiators that do not exist."""
        if isinstance(self.dram, SimpleMemory) and self.dram.write_bandwidth_bytes_per_s is None:
            yield "dram.write_bandwidth", "is missing; main memory holds the activations and must be writable"
        for path, name in self.interconnect.named_initiators:
            if name not in self.initiators:
                of_a_core = self.initiators[: len(self.initiators) // self.cores]
                allowed = ", ".join(dict.fromkeys((*of_a_core, *(["…"] if self.cores > 1 else []), "host")))
                hint = suggestion(name, self.initiators)
                yield f"interconnect.{path}", f"'{name}' is no initiator; allowed: {allowed}{hint}"

    @property
    def initiators(self) -> tuple[str, ...]:
        """Names of all that ask the interconnect for transfers, in the order in which they are created."""
        channels = dict.fromkeys(self.dma.channel_of.values())
        return (*(f"core{core}.{channel}" for core in range(self.cores) for channel in channels), "host")

    def port_width_bytes(self, buffer: BufferName) -> int:
        """Bytes of one access of a buffer; by default what the adjoining edge of the array moves in a cycle.

        Results leave by either edge, depending on the dataflow, so the outputs buffer is as wide as the longer one.
        """
        array = self.array
        edges = {
            "weights": array.rows * array.operand_bytes,
            "inputs": array.cols * array.operand_bytes,
            "outputs": max(array.rows, array.cols) * array.accumulator_bytes,
        }
        scratchpad: Scratchpad = getattr(self.buffers, buffer)
        return scratchpad.width_bytes or edges[buffer]
