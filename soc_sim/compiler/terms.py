"""The terms on which layers were chosen, where their operands lie, and what other terms would make of them."""

from __future__ import annotations

from collections import Counter

from soc_sim.compiler.chooser import Chooser
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Lowered, Uses, Work
from soc_sim.compiler.memory_plan import alignment
from soc_sim.compiler.options import Options
from soc_sim.compiler.prices import host_energy_pj
from soc_sim.compiler.rates import Rates, host_ps
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.stages import Stages
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import TRAFFIC_TOLERANCE, Choice, Shortage
from soc_sim.compiler.views import View
from soc_sim.config.soc import MemoryName, Soc
from soc_sim.errors import MappingError

LEAST_GAIN = 0.01
"""Share of the layers' time (or whatever the objective is) that keeping results must save: estimates are no better."""

MEASURES = {"latency": "latency", "energy": "energy", "edp": "energy and time"}
"""Objective → what a share is of."""

Changes = dict[int, tuple[Homes | None, Choice | None]]
"""Layer → its operands' places and its choice on other terms."""


class Terms:
    """All layers, chosen anew wherever their terms change; everything lies in main memory at first."""

    def __init__(
        self,
        works: list[Work],
        storages: dict[str, int],
        uses: dict[str, Uses],
        soc: Soc,
        rates: Rates,
        chooser: Chooser,
        options: Options,
        stages: Stages,
    ) -> None:
        self.works, self.storages, self.soc, self.rates, self.chooser = works, storages, soc, rates, chooser
        self.options, self.stages = options, stages
        self.constants_memory: MemoryName = "weight_memory" if soc.weight_memory else "dram"
        self.found = Residencies(memories=dict.fromkeys(storages, "dram"), uses=uses)
        self.kept = Counter[int]()
        """Layer → bytes of the inputs buffer in which results stay meanwhile."""
        self.weight_bytes = Counter[int]()
        """Stage → weights that stay in the weights buffer of its core."""
        self.ahead_ps = Counter[int]()
        """Layer → how long before it its resident weights begin to arrive."""

    def start(self) -> None:
        """Choose all layers on the present terms.

        Raises:
            MappingError: a tile does not fit its buffer.
        """
        faults: list[str] = []
        for index, work in enumerate(self.works):
            homes = None if isinstance(work, HostWork) else self._homes(index, work)
            choice = None if homes is None else self._choose(index, homes)
            if isinstance(choice, Shortage):
                layer = self.lowered(index)
                faults += [
                    f"layer {layer.name}: its smallest tile needs {needed} bytes of the {buffer} "
                    f"buffer, which has {there}"
                    for buffer, (needed, there) in choice.needs.items()
                ] or [
                    f"layer {layer.name}: no tile that fits the buffers can run as {' or '.join(layer.flows)}; "
                    "allowed: another mapping.dataflow, or larger soc.buffers"
                ]
                continue
            self.found.homes.append(homes)
            self.found.choices.append(choice)
            self.found.times_ps.append(self.time_ps(index, choice))
            self.found.energies_pj.append(self._energy_pj(index, choice))
        if faults:
            raise MappingError(*faults)

    def total(self) -> float:
        """What the mapping's objective says of all layers together."""
        time_ps, energy_pj = sum(self.found.times_ps), sum(self.found.energies_pj)
        return {"latency": time_ps, "energy": energy_pj, "edp": energy_pj * time_ps}[self.options.objective]

    def packs(self, index: int) -> bool:
        """Whether a layer has weights of its own."""
        work = self.works[index]
        return isinstance(work, Lowered) and work.operands.w is None

    def lowered(self, index: int) -> Lowered:
        """A layer that runs on the array."""
        work = self.works[index]
        if isinstance(work, HostWork):
            raise TypeError(f"layer {index} runs on the host")
        return work

    def weights_size(self, index: int, choice: Choice | None) -> int:
        """Bytes of a layer's packed weights, up to where others may begin."""
        if choice is None:
            raise TypeError(f"layer {index} has no choice")
        unit_bytes = alignment(self.rates.memories[self.constants_memory].burst_bytes)
        return Tiles(self.lowered(index).nest, choice.tiling, choice.weights).packed_bytes(self.soc.array, unit_bytes)

    def changed(self, layers: range | tuple[int, ...], *, within: bool = True) -> Changes | None:
        """Layers on the present terms; None where a tile of one no longer fits, or its weights in shared SRAM.

        ``within``: whether weights have to fit there; else their room is not settled yet.
        """
        changed: Changes = {}
        for index in layers:
            work = self.works[index]
            homes = None if isinstance(work, HostWork) else self._homes(index, work)
            choice = None if homes is None else self._choose(index, homes)
            if isinstance(choice, Shortage):
                return None
            limit = self.found.sram_weights.get(index) if within else None
            if limit is not None and self.weights_size(index, choice) > limit:
                return None
            changed[index] = homes, choice
        return changed

    def accept(self, changed: Changes) -> None:
        """Take what :meth:`changed` has found."""
        for index, (homes, choice) in changed.items():
            self.found.homes[index], self.found.choices[index] = homes, choice
            self.found.times_ps[index] = self.time_ps(index, choice)
            self.found.energies_pj[index] = self._energy_pj(index, choice)

    def try_move(self, root: str, memory: MemoryName, layers: range | tuple[int, ...]) -> bool:
        """Move a storage if the layers take no longer together, by estimate, and move hardly more bytes."""
        home = self.found.memories[root]
        self.found.memories[root] = memory
        changed = self.changed(layers)
        if changed is None:
            why, moves = "leaves no room for tiles", False
        else:
            why, moves = self.judge(changed, even=memory == "system_sram")
        if changed is not None and moves:
            self.accept(changed)
        else:
            self.found.memories[root] = home
        self.found.reasons[root] = why if moves else f"{memory}: {why}"
        return moves

    def judge(self, changed: Changes, *, even: bool, frugal: bool = True) -> tuple[str, bool]:
        """What a change brings, and whether it is worth it.

        ``even``: also where nothing is gained; ``frugal``: only if no more bytes are moved, wherever they come from.
        """
        before = sum(self.value(index, self.found.choices[index]) for index in changed)
        gain = before - sum(self.value(index, choice) for index, (_, choice) in changed.items())
        moved = [
            (choice.moved_bytes, after.moved_bytes)
            for index, (_, after) in changed.items()
            if after is not None and (choice := self.found.choices[index]) is not None
        ]
        bytes_before, bytes_after = (sum(sizes) for sizes in zip(*moved, strict=True)) if moved else (0, 0)
        more_bytes = bytes_after - bytes_before
        # What is equal for tiles is equal here: else a layer that stores its weights whole in exchange would be held.
        if frugal and bytes_after > bytes_before * TRAFFIC_TOLERANCE:
            return f"would move {more_bytes} bytes more, because tiles have less room", False
        measure = MEASURES[self.options.objective]
        share = f"{abs(gain) / before if before else 0:.1%} of the {measure} of {len(changed)} layers"
        if gain > LEAST_GAIN * before or (even and gain >= 0):
            return f"saves {share} by estimate", True
        if gain > 0:
            return f"would save {share} by estimate, which is too little to be sure", False
        return f"would add {share} by estimate" if gain < 0 else "gains nothing by estimate", False

    def value(self, index: int, choice: Choice | None) -> float:
        """What the mapping's objective says of a layer, which the values of all layers add up to."""
        if self.options.objective == "latency":
            busiest_ps = max(choice.demands_ps.values(), default=0) if choice else 0
            return self.time_ps(index, choice) + self.options.memory_price * busiest_ps
        energy_pj = self._energy_pj(index, choice)
        if self.options.objective == "energy":
            return energy_pj
        return energy_pj + self.time_ps(index, choice) * self.options.pj_per_ps

    def time_ps(self, index: int, choice: Choice | None) -> int:
        """Expected time of a layer."""
        work = self.works[index]
        if isinstance(work, HostWork):
            return host_ps(self.soc, self.rates, *self._host_bytes(work), work.cycles(self.soc.host))
        if choice is None:
            raise TypeError(f"layer {index} has no choice")
        return choice.estimate.latency_ps

    def _energy_pj(self, index: int, choice: Choice | None) -> float:
        """0 where nothing has a price."""
        work = self.works[index]
        if isinstance(work, HostWork):
            if self.options.prices is None:
                return 0.0
            operations = sum(count for _, count in work.operations)
            time_ps = self.time_ps(index, choice)
            return host_energy_pj(self.options.prices, operations, *self._host_bytes(work), time_ps)
        if choice is None:
            raise TypeError(f"layer {index} has no choice")
        return choice.estimate.energy_pj or 0.0

    def _choose(self, index: int, homes: Homes) -> Choice | Shortage:
        return self.chooser.choose(self.lowered(index), homes)

    def _homes(self, index: int, work: Lowered) -> Homes:
        operands = work.operands
        resident = operands.w is None and index in self.found.resident
        return Homes(
            self._weights_memory(index) if operands.w is None else self._memory(operands.w),
            self._memory(operands.x),
            tuple(self._memory(view) for view in operands.residuals),
            self._memory(operands.o),
            self.kept[index],
            self.weight_bytes[self.stages.of(index)],
            resident,
            self.ahead_ps[index] if resident else 0,
        )

    def _weights_memory(self, index: int) -> MemoryName:
        return "system_sram" if index in self.found.sram_weights else self.constants_memory

    def _memory(self, view: View) -> MemoryName:
        return self.found.memories.get(view.root, self.constants_memory)

    def _host_bytes(self, work: HostWork) -> tuple[Counter[MemoryName], Counter[MemoryName]]:
        """Bytes that a host layer reads, and writes, by memory."""
        read, written = Counter[MemoryName](), Counter[MemoryName]()
        for sizes, views in ((read, work.reads), (written, work.writes)):
            for view in views:
                sizes[self._memory(view)] += view.size_bytes
        return read, written
