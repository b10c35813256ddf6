"""A whole SoC: cores, host, interconnect and memories."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.array import Array
from soc_sim.config.base import Description
from soc_sim.config.core import Buffers, Controller, Dma
from soc_sim.config.energy import EnergyTable
from soc_sim.config.host import Host
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.memory import Memory


class Soc(Description):
    """Accelerator cores of one kind and a host, behind one interconnect, with one or two memories."""

    kind: Literal["soc"]
    name: str
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
