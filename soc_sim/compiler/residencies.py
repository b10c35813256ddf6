"""Where the tensors of a network lie, as it was decided, and what the program says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from soc_sim.compiler.emit import Kept
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import HasOperands, Uses, reads, writes
from soc_sim.compiler.memory_plan import Plan
from soc_sim.compiler.program import Residency
from soc_sim.compiler.tiling import Choice
from soc_sim.compiler.views import View
from soc_sim.config.soc import MemoryName


@dataclass(slots=True)
class Residencies:
    """Where everything lies, and what was chosen for the array layers on these terms."""

    memories: dict[str, MemoryName] = field(default_factory=dict)
    """Storage or constant → memory."""
    resident: bool = False
    """Whether all weights stay in the weights buffer."""
    homes: list[Homes | None] = field(default_factory=list)
    """Of each array layer."""
    choices: list[Choice | None] = field(default_factory=list)
    times_ps: list[int] = field(default_factory=list)
    """Expected time of each layer."""
    plans: dict[MemoryName, Plan] = field(default_factory=dict)
    """Where activations lie on chip."""
    uses: dict[str, Uses] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Storage → why it lies where it does."""


def residency_of(work: HostWork | HasOperands, found: Residencies, constants_memory: MemoryName) -> Residency:
    """What the program says of a layer."""

    def memories(views: tuple[View, ...]) -> tuple[MemoryName, ...]:
        return tuple(found.memories.get(view.root, constants_memory) for view in views)

    weights: MemoryName | None = None
    if not isinstance(work, HostWork) and work.operands.w is None:
        weights = "weights_buffer" if found.resident else constants_memory
    results = writes(work)
    reasons = dict.fromkeys(found.reasons[view.root] for view in results if view.root in found.reasons)
    return Residency(weights, memories(reads(work)), memories(results), "; ".join(reasons))


def kept_of(found: Residencies, storages: dict[str, int]) -> dict[str, Kept]:
    """Storages in the inputs buffer."""
    return {
        root: Kept(storages[root], found.uses[root].life.first, found.uses[root].life.last)
        for root, memory in found.memories.items()
        if memory == "inputs_buffer"
    }
