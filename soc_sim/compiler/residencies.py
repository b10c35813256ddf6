"""Where the tensors of a network lie, as it was decided, and what the program says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from soc_sim.compiler.emit import Kept
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import HasOperands, Uses, reads, writes
from soc_sim.compiler.memory_plan import Plan
from soc_sim.compiler.program import Residency
from soc_sim.compiler.stages import Stages
from soc_sim.compiler.tiling import Choice
from soc_sim.compiler.views import View
from soc_sim.config.soc import MemoryName


@dataclass(slots=True)
class Residencies:
    """Where everything lies, and what was chosen for the array layers on these terms."""

    memories: dict[str, MemoryName] = field(default_factory=dict)
    """Storage or constant → memory."""
    resident: set[int] = field(default_factory=set)
    """Layers whose weights stay in the weights buffer."""
    homes: list[Homes | None] = field(default_factory=list)
    """Of each array layer."""
    choices: list[Choice | None] = field(default_factory=list)
    times_ps: list[int] = field(default_factory=list)
    """Expected time of each layer."""
    energies_pj: list[float] = field(default_factory=list)
    """Expected energy of each layer; 0 where nothing has a price."""
    sram_weights: dict[int, int] = field(default_factory=dict)
    """Layers whose weights lie in shared SRAM → bytes that they may take there."""
    weight_reasons: dict[int, str] = field(default_factory=dict)
    """Layer → why its weights lie where they do."""
    plans: dict[MemoryName, Plan] = field(default_factory=dict)
    """Where activations lie on chip."""
    uses: dict[str, Uses] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Storage → why it lies where it does."""


def residency_of(
    index: int, work: HostWork | HasOperands, found: Residencies, constants_memory: MemoryName
) -> Residency:
    """What the program says of layer number ``index``."""

    def memories(views: tuple[View, ...]) -> tuple[MemoryName, ...]:
        return tuple(found.memories.get(view.root, constants_memory) for view in views)

    weights: MemoryName | None = None
    if not isinstance(work, HostWork) and work.operands.w is None:
        weights = "system_sram" if index in found.sram_weights else constants_memory
        weights = "weights_buffer" if index in found.resident else weights
    results = writes(work)
    reasons = dict.fromkeys(found.reasons[view.root] for view in results if view.root in found.reasons)
    return Residency(
        weights, memories(reads(work)), memories(results), "; ".join(reasons), found.weight_reasons.get(index, "")
    )


def kept_of(found: Residencies, storages: dict[str, int], stages: Stages) -> dict[str, Kept]:
    """Storages in the inputs buffer of a core."""
    lives = {root: found.uses[root].life for root, memory in found.memories.items() if memory == "inputs_buffer"}
    return {root: Kept(storages[root], life.first, life.last, stages.of(life.first)) for root, life in lives.items()}
