"""Where everything lies, and whether it fits: packed weights and constants in a row, activations by lifetime."""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.compiler.emit import ArrayWork, Home
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.layout import Layout
from soc_sim.compiler.live_channels import LiveChannels
from soc_sim.compiler.memory_plan import Lifetime, Plan, align, place
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import MemoryMap, MemoryName, Placement
from soc_sim.compiler.rates import memory_rate
from soc_sim.compiler.tile_counts import TileCounter
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import Choice
from soc_sim.compiler.views import View
from soc_sim.config.array import SPARSE_DATAFLOWS
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.network.base import Network


@dataclass(slots=True)
class ArrayLayer:
    """What becomes known of an array layer step by step."""

    nest: Nest
    operands: Operands
    choice: Choice
    tiles: Tiles
    sparsity: float | None
    """Share of zeros among its weights; None for a product of two activations."""


class Placer:
    """Gives addresses to what a network needs in memory."""

    def __init__(self, network: Network, soc: Soc, layout: Layout, names: list[str]) -> None:
        self.network, self.soc, self.layout, self.names = network, soc, layout, names
        self.weight_memory: MemoryName = "weight_memory" if soc.weight_memory else "dram"
        self.burst_bytes = max(soc.dma.burst_bytes, memory_rate(soc.dram).burst_bytes)

    def place(
        self, works: list[HostWork | ArrayLayer]
    ) -> tuple[dict[str, Home], dict[int, ArrayWork], MemoryMap, Plan]:
        """Homes of storages, array layers ready to be written down, and what lies where.

        Raises:
            MappingError: a memory is too small.
        """
        array = self.soc.array
        homes: dict[str, Home] = {}
        packed: dict[int, ArrayWork] = {}
        placements: list[Placement] = []
        end = weight_bytes = 0
        for index, work in enumerate(works):
            if isinstance(work, HostWork):
                continue
            counter = TileCounter(array, work.choice.dataflow, work.tiles)
            if work.operands.w is not None:
                packed[index] = ArrayWork(work.nest, work.operands, work.tiles, counter, None, {})
                continue
            offsets, size = work.tiles.pack(array.operand_bytes, array.accumulator_bytes)
            home = Home(self.weight_memory, align(end))
            weights, live = work.choice.weights, None
            if weights is not None and work.choice.dataflow in SPARSE_DATAFLOWS:
                live = LiveChannels(work.tiles, weights, work.operands.x, self.burst_bytes)
            packed[index] = ArrayWork(work.nest, work.operands, work.tiles, counter, home, offsets, live)
            placements.append(Placement(self.names[index], home.memory, home.address, size))
            end = home.address + size
            weight_bytes += work.tiles.stored_bytes(array)
        for root in self._constants(works):
            size = self.layout.constants[root]
            homes[root] = Home(self.weight_memory, align(end))
            placements.append(Placement(root, self.weight_memory, homes[root].address, size))
            end = homes[root].address + size
            weight_bytes += size
        first_activation = align(end) if self.weight_memory == "dram" else 0
        plan = place(self.layout.storages, self._lifetimes(works), first_activation)
        for root, address in plan.addresses.items():
            homes[root] = Home("dram", address)
            placements.append(Placement(root, "dram", address, self.layout.storages[root]))
        used: dict[MemoryName, int] = {"dram": plan.end}
        if self.weight_memory != "dram":
            used["weight_memory"] = end
        memory_map = MemoryMap(tuple(placements), weight_bytes, plan.peak_bytes, used, {"dram": first_activation})
        self._check_capacity(memory_map)
        return homes, packed, memory_map, plan

    def _constants(self, works: list[HostWork | ArrayLayer]) -> list[str]:
        """Constants that are read as they are: by the host, or as the second operand of a product."""
        return list(
            dict.fromkeys(view.root for work in works for view in _reads(work) if view.root in self.layout.constants)
        )

    def _lifetimes(self, works: list[HostWork | ArrayLayer]) -> dict[str, Lifetime]:
        network, last_layer = self.network, len(works) - 1
        first: dict[str, int] = {self.layout.views[name].root: -1 for name in network.inputs}
        last: dict[str, int] = dict(first)
        for index, work in enumerate(works):
            for view in _writes(work):
                first.setdefault(view.root, index)
                last[view.root] = index
            for view in _reads(work):
                last[view.root] = index
        for name in network.outputs:
            last[self.layout.views[name].root] = last_layer
        return {root: Lifetime(first.get(root, 0), last.get(root, 0)) for root in self.layout.storages}

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
        for name, used in memory_map.used_bytes.items():
            memory = self.soc.weight_memory if name == "weight_memory" else self.soc.dram
            if memory is not None and used > memory.capacity_bytes:
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


def _reads(work: HostWork | ArrayLayer) -> tuple[View, ...]:
    if isinstance(work, HostWork):
        return work.reads
    operands = work.operands
    return (operands.x, *operands.residuals, *((operands.w,) if operands.w else ()))


def _writes(work: HostWork | ArrayLayer) -> tuple[View, ...]:
    return work.writes if isinstance(work, HostWork) else (work.operands.o,)
