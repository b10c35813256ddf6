"""Which component simulates which description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.components.memory.ideal import Ideal
from soc_sim.components.memory.simple import Simple
from soc_sim.kernel import Simulation

_MEMORIES: dict[str, Callable[[Simulation, str, Any], Memory]] = {
    "dram": DramModel,
    "simple_memory": Simple,
    "ideal_memory": Ideal,
}


def make_memory(simulation: Simulation, name: str, description: Any) -> Memory:
    """The component for a description of a memory, chosen by its ``kind``."""
    return _MEMORIES[description.kind](simulation, name, description)
