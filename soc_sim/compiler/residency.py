"""Decides which tensors stay on chip: weights for all inferences, and results until their last reader.

- **Weights** stay in the weights buffer if those of all layers (of a pipeline: of the core's stage) fit there together.
- **Activations** lie in the shared SRAM of the system where they fit during their life and the estimate gets no worse;
  those that most layers use come first. Where **weights** may lie there, too, what saves most for a byte comes first.
- **Results** stay in the inputs buffer if array layers alone write and read them, they fit beside the tiles of every
  layer that runs meanwhile, and the estimated time of these layers together falls; short-lived ones come first.

Each core has an inputs buffer that the others cannot read: of several cores one alone runs the layers that write and
read a kept result.
"""

from __future__ import annotations

import math
from collections import Counter

from soc_sim.compiler.chooser import Chooser
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Lowered, Work, reads, uses_of, writes
from soc_sim.compiler.memory_plan import Space, align, alignment
from soc_sim.compiler.options import Options
from soc_sim.compiler.prices import host_energy_pj
from soc_sim.compiler.rates import Rates, host_ps
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.stages import Stages
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import TRAFFIC_TOLERANCE, Choice, Shortage
from soc_sim.compiler.views import View
from soc_sim.config.soc import PAGE_BYTES, MemoryName, Soc
from soc_sim.errors import MappingError

LEAST_GAIN = 0.01
"""Share of the layers' time (or whatever the objective is) that keeping results must save: estimates are no better."""

FETCHED_PS = 10**15
"""How long ago weights came that earlier requests have fetched: longer than any layer takes."""

MEASURES = {"latency": "latency", "energy": "energy", "edp": "energy and time"}
"""Objective → what a share is of."""

Changes = dict[int, tuple[Homes | None, Choice | None]]
"""Layer → its operands' places and its choice on other terms."""


class ResidencyPlanner:
    """Starts from main memory and moves on chip what pays by estimate."""

    def __init__(
        self,
        works: list[Work],
        storages: dict[str, int],
        ends: tuple[tuple[str, ...], ...],
        soc: Soc,
        rates: Rates,
        chooser: Chooser,
        options: Options,
        stages: Stages = Stages(),  # noqa: B008 # it is frozen
        requests: int = 1,
        *,
        sram_weights: bool = False,
    ) -> None:
        """``ends``: storages of the network's inputs, and of its outputs; ``requests``: how many live at once."""
        self.works, self.storages, self.soc, self.rates, self.chooser = works, storages, soc, rates, chooser
        self.options, self.stages, self.requests = options, stages, requests
        self.sram_weights = sram_weights
        self.inputs, self.outputs = ends
        self.constants_memory: MemoryName = "weight_memory" if soc.weight_memory else "dram"
        self.found = Residencies(memories=dict.fromkeys(storages, "dram"), uses=uses_of(works, storages, *ends))
        self.kept = Counter[int]()
        self.weight_bytes = Counter[int]()
        """Stage → weights that stay in the weights buffer of its core."""
        self.ahead_ps = Counter[int]()
        """Layer → how long before it its resident weights begin to arrive."""
        self.read_by_host = {view.root for work in works if isinstance(work, HostWork) for view in reads(work)}
        self.written_by_host = {view.root for work in works if isinstance(work, HostWork) for view in writes(work)}
        # The first operand of a product of two activations goes to the weights buffer.
        self.read_as_weights = {
            work.operands.w.root for work in works if isinstance(work, Lowered) and work.operands.w is not None
        }

    def plan(self, *, on_chip: bool) -> Residencies:
        """What lies where; everything in main memory without ``on_chip``.

        Raises:
            MappingError: a tile does not fit its buffer.
        """
        self._start()
        if on_chip:
            for stage, layers in enumerate(self.stages.layers(len(self.works))):
                self._settle_weights(stage, layers)
            self._settle_shared_sram()
            self._settle_results()
        else:
            self.found.reasons = dict.fromkeys(self.storages, "mapping.residency is off")
        return self.found

    def total(self) -> float:
        """What the mapping's objective says of all layers together."""
        time_ps, energy_pj = sum(self.found.times_ps), sum(self.found.energies_pj)
        return {"latency": time_ps, "energy": energy_pj, "edp": energy_pj * time_ps}[self.options.objective]

    def _start(self) -> None:
        faults: list[str] = []
        for index, work in enumerate(self.works):
            homes = None if isinstance(work, HostWork) else self._homes(index, work)
            choice = None if homes is None else self._choose(index, homes)
            if isinstance(choice, Shortage):
                layer = self._lowered(index)
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
            self.found.times_ps.append(self._time_ps(index, choice))
            self.found.energies_pj.append(self._energy_pj(index, choice))
        if faults:
            raise MappingError(*faults)

    def _settle_weights(self, stage: int, among: range) -> None:
        """All weights of a core, or none: what stays takes room from the tiles of the others."""
        array, capacity = self.soc.array, self.soc.buffers.of("weights").capacity_bytes
        layers = [
            index for index in among if isinstance(work := self.works[index], Lowered) and work.operands.w is None
        ]

        def stored(choices: dict[int, Choice]) -> int:
            tiles = ((self._lowered(index).nest, choice) for index, choice in choices.items())
            return sum(Tiles(nest, choice.tiling, choice.weights).resident_bytes(array) for nest, choice in tiles)

        before = {index: choice for index in layers if (choice := self.found.choices[index]) is not None}
        size = stored(before)
        self.found.resident.update(layers)
        while layers and size <= capacity:
            self.weight_bytes[stage] = size
            changed = self._with_resident_weights(among)
            if changed is None:
                break
            after = {index: choice for index in layers if (choice := changed[index][1]) is not None}
            if stored(after) <= size:
                # In a buffer of their own nothing else wants the room.
                if self.soc.buffers.name_of("weights") == "weights" or self._judge(changed, even=True)[1]:
                    self._accept(changed)
                    return
                break
            # Other tiles have other metadata.
            size = stored(after)
        self.weight_bytes[stage] = 0
        self.found.resident.difference_update(layers)

    def _with_resident_weights(self, among: range) -> Changes | None:
        """Layers anew, in order: while one runs for longer than its weights take, those of the next ones come.

        Several cores compete for the memory with what each fetches ahead, so their layers pay for it as it is moved;
        and a buffer that operands share gives room in program order. In a pipeline earlier requests have fetched them.
        """
        if self.requests > 1:
            self.ahead_ps.update(dict.fromkeys(among, FETCHED_PS))
        if self.soc.cores > 1 or self.soc.buffers.name_of("weights") != "weights":
            return self._changed(among)
        found: Changes = {}
        ahead_ps = 0
        for index in among:
            work = self.works[index]
            self.ahead_ps[index] = ahead_ps
            changed = self._changed((index,))
            if changed is None:
                return None
            found |= changed
            choice = changed[index][1]
            ahead_ps += self._time_ps(index, choice)
            if choice is not None and isinstance(work, Lowered) and work.operands.w is None:
                size = Tiles(work.nest, choice.tiling, choice.weights).stored_bytes(self.soc.array)
                ahead_ps -= math.ceil(size * self.rates.load_ps_per_byte[self.constants_memory])
            ahead_ps = max(ahead_ps, 0)
        return found

    def _settle_shared_sram(self) -> None:
        if self.soc.system_sram is None:
            return
        space, room = Space(), self.soc.room_bytes("system_sram")
        if self.requests > 1:
            room = room // self.requests // PAGE_BYTES * PAGE_BYTES
        uses = self.found.uses
        roots = sorted(self.storages, key=lambda root: (-len(uses[root].layers), self.storages[root], root))
        order: list[str | int] = [*roots]
        if self.sram_weights:
            self.found.weight_reasons = dict.fromkeys(self.found.resident, "all of the core fit there")
            packed = (index for index in range(len(self.works)) if self._packs(index))
            order = self._by_benefit([*order, *(index for index in packed if index not in self.found.resident)])
        end = 0
        for one in order:
            taken = sum(self.found.sram_weights.values())
            if isinstance(one, int):
                self._try_weights(one, room - taken - align(end))
                continue
            size, life = self.storages[one], uses[one].life
            if one in self.inputs or one in self.outputs:
                self.found.reasons[one] = "an input or output of the network"
            elif space.lowest(size, life) + size > room - taken:
                self.found.reasons[one] = f"no room for its {size} bytes in system_sram"
            elif self._try(one, "system_sram", uses[one].layers):
                end = max(end, space.put(one, size, life) + size)
        if space:
            self.found.plans["system_sram"] = space.plan(sum(self.found.sram_weights.values()))

    def _packs(self, index: int) -> bool:
        """Whether a layer has weights of its own."""
        work = self.works[index]
        return isinstance(work, Lowered) and work.operands.w is None

    def _by_benefit(self, candidates: list[str | int]) -> list[str | int]:
        """Storages, and layers whose weights may move, by what a byte of shared SRAM saves, each alone."""

        def saved(one: str | int) -> float:
            if isinstance(one, int):
                self.found.sram_weights[one] = size = self._weights_size(one, self.found.choices[one])
                changed = self._changed((one,), within=False)
                del self.found.sram_weights[one]
            elif one in self.inputs or one in self.outputs:
                return 0.0
            else:
                size, home = self.storages[one], self.found.memories[one]
                self.found.memories[one] = "system_sram"
                changed = self._changed(self.found.uses[one].layers)
                self.found.memories[one] = home
            if changed is None:
                return 0.0
            before = sum(self._value(index, self.found.choices[index]) for index in changed)
            return (before - sum(self._value(index, choice) for index, (_, choice) in changed.items())) / max(size, 1)

        return sorted(candidates, key=saved, reverse=True)

    def _try_weights(self, index: int, room_bytes: int) -> None:
        """Move the weights of a layer to shared SRAM if they fit and the layer takes no longer, by estimate."""
        self.found.sram_weights[index] = 0
        changed = self._changed((index,), within=False)
        why, moves = "leaves no room for tiles", False
        if changed is not None:
            why, moves = self._judge(changed, even=True, frugal=False)
        size = 0 if changed is None else self._weights_size(index, changed[index][1])
        if moves and size > room_bytes:
            why, moves = f"no room for its {size} bytes in system_sram", False
        if changed is not None and moves:
            self.found.sram_weights[index] = size
            self._accept(changed)
        else:
            del self.found.sram_weights[index]
        self.found.weight_reasons[index] = why if moves or why.startswith("no room") else f"system_sram: {why}"

    def _weights_size(self, index: int, choice: Choice | None) -> int:
        """Bytes of a layer's packed weights, up to where others may begin."""
        if choice is None:
            raise TypeError(f"layer {index} has no choice")
        tiles, array = Tiles(self._lowered(index).nest, choice.tiling, choice.weights), self.soc.array
        unit_bytes = alignment(self.rates.memories[self.constants_memory].burst_bytes)
        return align(tiles.pack(array.operand_bytes, array.accumulator_bytes, unit_bytes)[1])

    def _settle_results(self) -> None:
        """Results that stay in the inputs buffer."""
        space, capacity = Space(), self.soc.buffers.of("inputs").capacity_bytes
        uses = self.found.uses
        order = sorted(
            self.storages, key=lambda root: (uses[root].life.last - uses[root].life.first, uses[root].life.first, root)
        )
        for root in order:
            size, life = self.storages[root], uses[root].life
            obstacle = self._obstacle(root, size)
            if obstacle is None and space.lowest(size, life) + size > capacity:
                obstacle = "no room beside other kept tensors"
            if obstacle is not None:
                self.found.reasons.setdefault(root, obstacle)
                continue
            during = range(life.first, life.last + 1)
            self.kept.update(dict.fromkeys(during, size))
            if self._try(root, "inputs_buffer", during):
                space.put(root, size, life)
            else:
                self.kept.subtract(dict.fromkeys(during, size))
        if space:
            self.found.plans["inputs_buffer"] = space.plan()

    def _obstacle(self, root: str, size: int) -> str | None:
        uses, capacity = self.found.uses[root], self.soc.buffers.of("inputs").capacity_bytes
        for holds, text in (
            (root in self.inputs, "an input of the network"),
            (root in self.outputs, "an output of the network"),
            (not uses.readers or max(uses.readers) <= max(uses.writers, default=0), "nobody reads it afterwards"),
            (root in self.written_by_host, "the host writes it"),
            (root in self.read_by_host, "the host reads it"),
            (root in self.read_as_weights, "the weights buffer takes it as first operand of a product"),
            (not self.chooser.keeps, "several cores use it, and each has buffers of its own"),
            (
                self.stages.of(max(uses.life.first, 0)) != self.stages.of(uses.life.last),
                "several stages of the pipeline use it, each on a core of its own",
            ),
            (size > capacity, f"its {size} bytes exceed the {self.soc.buffers.name_of('inputs')} buffer of {capacity}"),
        ):
            if holds:
                return text
        return None

    def _try(self, root: str, memory: MemoryName, layers: range | tuple[int, ...]) -> bool:
        """Move a storage if the layers take no longer together, by estimate, and move hardly more bytes."""
        home = self.found.memories[root]
        self.found.memories[root] = memory
        changed = self._changed(layers)
        if changed is None:
            why, moves = "leaves no room for tiles", False
        else:
            why, moves = self._judge(changed, even=memory == "system_sram")
        if changed is not None and moves:
            self._accept(changed)
        else:
            self.found.memories[root] = home
        self.found.reasons[root] = why if moves else f"{memory}: {why}"
        return moves

    def _judge(self, changed: Changes, *, even: bool, frugal: bool = True) -> tuple[str, bool]:
        """What a change brings, and whether it is worth it.

        ``even``: also where nothing is gained; ``frugal``: only if no more bytes are moved, wherever they come from.
        """
        before = sum(self._value(index, self.found.choices[index]) for index in changed)
        gain = before - sum(self._value(index, choice) for index, (_, choice) in changed.items())
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

    def _value(self, index: int, choice: Choice | None) -> float:
        """What the mapping's objective says of a layer, which the values of all layers add up to."""
        if self.options.objective == "latency":
            return self._time_ps(index, choice)
        energy_pj = self._energy_pj(index, choice)
        if self.options.objective == "energy":
            return energy_pj
        return energy_pj + self._time_ps(index, choice) * self.options.pj_per_ps

    def _changed(self, layers: range | tuple[int, ...], *, within: bool = True) -> Changes | None:
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
            if limit is not None and self._weights_size(index, choice) > limit:
                return None
            changed[index] = homes, choice
        return changed

    def _accept(self, changed: Changes) -> None:
        for index, (homes, choice) in changed.items():
            self.found.homes[index], self.found.choices[index] = homes, choice
            self.found.times_ps[index] = self._time_ps(index, choice)
            self.found.energies_pj[index] = self._energy_pj(index, choice)

    def _choose(self, index: int, homes: Homes) -> Choice | Shortage:
        return self.chooser.choose(self._lowered(index), homes)

    def _lowered(self, index: int) -> Lowered:
        work = self.works[index]
        if isinstance(work, HostWork):
            raise TypeError(f"layer {index} runs on the host")
        return work

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

    def _time_ps(self, index: int, choice: Choice | None) -> int:
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
            time_ps = self._time_ps(index, choice)
            return host_energy_pj(self.options.prices, operations, *self._host_bytes(work), time_ps)
        if choice is None:
            raise TypeError(f"layer {index} has no choice")
        return choice.estimate.energy_pj or 0.0

    def _host_bytes(self, work: HostWork) -> tuple[Counter[MemoryName], Counter[MemoryName]]:
        """Bytes that a host layer reads, and writes, by memory."""
        read, written = Counter[MemoryName](), Counter[MemoryName]()
        for sizes, views in ((read, work.reads), (written, work.writes)):
            for view in views:
                sizes[self._memory(view)] += view.size_bytes
        return read, written
