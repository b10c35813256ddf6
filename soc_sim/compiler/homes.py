"""In which memories the operands of a layer lie, and what else takes space in its buffers."""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName


@dataclass(frozen=True, slots=True)
class Homes:
    """Of one array layer; by default everything comes from main memory and goes back to it."""

    weights: MemoryName = "dram"
    """Of packed weights, or of the first operand of a product of two activations."""
    inputs: MemoryName = "dram"
    addends: tuple[MemoryName, ...] = ()
    """Of activations that a fused addition reads."""
    outputs: MemoryName = "dram"
    kept_bytes: int = 0
    """Of the inputs buffer: tensors that stay there during the layer, whether it uses them or not."""
    resident_bytes: int = 0
    """Of the weights buffer: weights that stay there, whether they are the layer's or not."""
    resident: bool = False
    """Whether the layer's weights are among these: each is loaded once, by each core that needs it."""

    ahead_ps: int = 0
    """How long before the layer begins its resident weights begin to arrive, by estimate; of one core alone."""

    @property
    def loaded_addends(self) -> int:
        """Addends that have to be loaded tile by tile."""
        return sum(memory != "inputs_buffer" for memory in self.addends)

    def taken_bytes(self, operand: BufferName) -> int:
        """Space of an operand's buffer that tiles cannot have, because others of its kind stay there."""
        return {"inputs": self.kept_bytes, "weights": self.resident_bytes}.get(operand, 0)
