"""Where everything lies, and whether it fits: packed weights and constants in a row, activations by lifetime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from soc_sim.compiler.emit import ArrayWork, Copied, Home
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.layout import Layout
from soc_sim.compiler.live_channels import LiveChannels
from soc_sim.compiler.lowered import Lowered, reads
from soc_sim.compiler.memory_plan import Plan, align, alignment, peak_bytes, place
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import MemoryMap, Placement
from soc_sim.compiler.rates import memory_rate
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.tile_counts import TileCounter
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import Choice
from soc_sim.config.array import SPARSE_DATAFLOWS
from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName, Soc
from soc_sim.errors import MappingError
from soc_sim.network.base import Network


@dataclass(frozen=True, slots=True)
class ArrayLayer:
    """An array layer for which everything is chosen."""

    nest: Nest
    operands: Operands
    choice: Choice
    tiles: Tiles
    sparsity: float | None
    """Share of zeros among its weights; None for a product of two activations."""

    @staticmethod
    def of(work: Lowered, choice: Choice | None, first_core: int = 0) -> ArrayLayer:
        """A lowered layer with its choice, on cores from ``first_core`` on."""
        if choice is None:
            raise TypeError(f"nothing has been chosen for {work.name}")
        if first_core:
            choice = replace(choice, tiling=replace(choice.tiling, first_core=first_core))
        tiles = Tiles(work.nest, choice.tiling, choice.weights)
        return ArrayLayer(work.nest, work.operands, choice, tiles, work.sparsity)


class Placer:
    """Gives addresses to what a network needs in memory."""

    def __init__(self, network: Network, soc: Soc, layout: Layout, names: list[str], *, copied: bool = False) -> None:
        """``copied``: weights in shared SRAM come from the memory of the others."""
        self.copied = copied
        self.network, self.soc, self.layout, self.names = network, soc, layout, names
        self.weight_memory: MemoryName = "weight_memory" if soc.weight_memory else "dram"
        self.burst_bytes = max(soc.dma.burst_bytes, memory_rate(soc.dram).burst_bytes)

    def place(
        self, works: Sequence[HostWork | ArrayLayer], found: Residencies
    ) -> tuple[dict[str, Home], dict[int, ArrayWork], MemoryMap, list[Plan]]:
        """Homes of storages, array layers ready to be written down, what lies where, and the plans of activations.

        Raises:
            MappingError: a memory is too small.
        """
        array = self.soc.array
        homes: dict[str, Home] = {}
        packed: dict[int, ArrayWork] = {}
        placements: list[Placement] = []
        end = sram_end = weight_bytes = 0
        unit_bytes = alignment(memory_rate(self.soc.memories[self.weight_memory]).burst_bytes)
        dram_unit_bytes = alignment(memory_rate(self.soc.dram).burst_bytes)
        for index, work in enumerate(works):
            if isinstance(work, HostWork):
                continue
            counter = TileCounter(array, work.choice.dataflow, work.tiles)
            if work.operands.w is not None:
                early = _early(work.choice)
                packed[index] = ArrayWork(work.nest, work.operands, work.tiles, counter, None, {}, early=early)
                continue
            # Weights that lie in shared SRAM are copied as they lie here.
            offsets, size = work.tiles.pack(array.operand_bytes, array.accumulator_bytes, unit_bytes)
            home, source = Home(self.weight_memory, align(end, unit_bytes)), None
            if index in found.sram_weights:
                source = Copied(home, size) if self.copied else None
                home = Home("system_sram", sram_end)
                placements.append(Placement(self.names[index], home.memory, home.address, size))
                sram_end = align(sram_end + size)
            weights, live = work.choice.weights, None
            if weights is not None and work.choice.dataflow in SPARSE_DATAFLOWS:
                live = LiveChannels(work.tiles, weights, work.operands.x, self.burst_bytes)
            resident = index in found.resident
            packed[index] = ArrayWork(
                work.nest,
                work.operands,
                work.tiles,
                counter,
                home,
                offsets,
                live,
                resident,
                _early(work.choice),
                source,
            )
            if home.memory != "system_sram" or self.copied:
                placements.append(Placement(self.names[index], self.weight_memory, align(end, unit_bytes), size))
                end = align(end, unit_bytes) + size
            weight_bytes += work.tiles.stored_bytes(array)
        for root in self._constants(works):
            size = self.layout.constants[root]
            homes[root] = Home(self.weight_memory, align(end, unit_bytes))
            placements.append(Placement(root, self.weight_memory, homes[root].address, size))
            end = homes[root].address + size
            weight_bytes += size
        in_dram = {root: size for root, size in self.layout.storages.items() if found.memories[root] == "dram"}
        lifetimes = {root: found.uses[root].life for root in in_dram}
        first_activation = align(end, dram_unit_bytes) if self.weight_memory == "dram" else 0
        plans = {"dram": place(in_dram, lifetimes, first_activation, dram_unit_bytes), **found.plans}
        used: dict[MemoryName, int] = {name: plan.end for name, plan in plans.items()}
        for name, plan in plans.items():
            for root, address in plan.addresses.items():
                homes[root] = Home(name, address)
                life = found.uses[root].life
                first = life.first if life.first >= 0 else None
                placements.append(Placement(root, name, address, self.layout.storages[root], first, life.last))
        if self.weight_memory != "dram":
            used["weight_memory"] = end
        if sram_end:
            used["system_sram"] = max(sram_end, used.get("system_sram", 0))
        lives = {root: uses.life for root, uses in found.uses.items()}
        activations: dict[MemoryName, int] = {name: 0 for name in plans if name in self.soc.memories}
        activations["dram"] = first_activation
        if "system_sram" in activations:
            activations["system_sram"] = sum(found.sram_weights.values())
        peak = peak_bytes(self.layout.storages, lives)
        memory_map = MemoryMap(tuple(placements), weight_bytes, peak, used, activations)
        self._check_capacity(memory_map)
        return homes, packed, memory_map, list(plans.values())

    def _constants(self, works: Sequence[HostWork | ArrayLayer]) -> list[str]:
        """Constants that are read as they are: by the host, or as the second operand of a product."""
        return list(
            dict.fromkeys(view.root for work in works for view in reads(work) if view.root in self.layout.constants)
        )

    def check_largest_activation(self) -> None:
        """Refuse what cannot fit before tiles are sought for it: a batch of a billion would take forever."""
        dram, storages = self.soc.dram, self.layout.storages
        largest = max(storages, key=lambda name: storages[name], default=None)
        if largest is not None and storages[largest] > dram.capacity_bytes:
            raise MappingError(
                f"{self.network.name}: activation {largest} alone takes {storages[largest]} bytes of dram "
                f"({dram.name}), {storages[largest] - dram.capacity_bytes} more than its {dram.capacity_bytes}"
            )

    def _check_capacity(self, memory_map: MemoryMap) -> None:
        faults = []
        for name, memory in self.soc.memories.items():
            used = memory_map.used_bytes.get(name, 0)
            if used > memory.capacity_bytes:
                needs = []
                if name == self.weight_memory:
                    needs.append(f"weights {memory_map.weight_bytes}")
                if name == "dram":
                    needs.append(f"activations {memory_map.peak_activation_bytes} at once")
                faults.append(
                    f"{self.network.name} needs {used} bytes of {name} ({memory.name}), "
                    f"{used - memory.capacity_bytes} more than its {memory.capacity_bytes}: {', '.join(needs)}"
                )
        if faults:
            raise MappingError(*faults)


def _early(choice: Choice) -> frozenset[BufferName]:
    """Operands whose next tile is asked for as soon as one is in use: there is room for two in a shared buffer."""
    return frozenset(name for name, share in (choice.shares or {}).items() if share.tiles > 1)
