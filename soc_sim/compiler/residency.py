"""Decides which tensors stay on chip: weights for all inferences, and results until their last reader.

- **Weights** stay in the weights buffer if those of all layers (of a pipeline: of the core's stage) fit there together.
- **Activations** lie in the shared SRAM of the system, and **weights** where they may (``shared_sram.py``).
- **Results** stay in the inputs buffer if array layers alone write and read them, they fit beside the tiles of every
  layer that runs meanwhile, and the estimated time of these layers together falls; short-lived ones come first.

Each core has an inputs buffer that the others cannot read: of several cores one alone runs the layers that write and
read a kept result.
"""

from __future__ import annotations

import math

from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Lowered, reads, writes
from soc_sim.compiler.memory_plan import Space
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.shared_sram import SharedSram
from soc_sim.compiler.terms import Changes, Terms
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import Choice

FETCHED_PS = 10**15
"""How long ago weights came that earlier requests have fetched: longer than any layer takes."""


class ResidencyPlanner:
    """Starts from main memory and moves on chip what pays by estimate."""

    def __init__(
        self, terms: Terms, ends: tuple[tuple[str, ...], ...], requests: int = 1, *, sram_weights: bool = False
    ) -> None:
        """``ends``: storages of the network's inputs, and of its outputs; ``requests``: how many live at once."""
        self.terms, self.requests, works = terms, requests, terms.works
        self.inputs, self.outputs = ends
        self.sram = SharedSram(terms, ends, requests, weights=sram_weights)
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
        terms = self.terms
        terms.start()
        if on_chip:
            for stage, layers in enumerate(terms.stages.layers(len(terms.works))):
                self._settle_weights(stage, layers)
            self.sram.settle()
            self._settle_results()
        else:
            terms.found.reasons = dict.fromkeys(terms.storages, "mapping.residency is off")
        return terms.found

    def _settle_weights(self, stage: int, among: range) -> None:
        """All weights of a core, or none: what stays takes room from the tiles of the others."""
        terms = self.terms
        array, capacity = terms.soc.array, terms.soc.buffers.of("weights").capacity_bytes
        layers = [
            index for index in among if isinstance(work := terms.works[index], Lowered) and work.operands.w is None
        ]

        def stored(choices: dict[int, Choice]) -> int:
            tiles = ((terms.lowered(index).nest, choice) for index, choice in choices.items())
            return sum(Tiles(nest, choice.tiling, choice.weights).resident_bytes(array) for nest, choice in tiles)

        before = {index: choice for index in layers if (choice := terms.found.choices[index]) is not None}
        size = stored(before)
        terms.found.resident.update(layers)
        while layers and size <= capacity:
            terms.weight_bytes[stage] = size
            changed = self._with_resident_weights(among)
            if changed is None:
                break
            after = {index: choice for index in layers if (choice := changed[index][1]) is not None}
            if stored(after) <= size:
                # In a buffer of their own nothing else wants the room.
                if terms.soc.buffers.name_of("weights") == "weights" or terms.judge(changed, even=True)[1]:
                    terms.accept(changed)
                    return
                break
            # Other tiles have other metadata.
            size = stored(after)
        terms.weight_bytes[stage] = 0
        terms.found.resident.difference_update(layers)

    def _with_resident_weights(self, among: range) -> Changes | None:
        """Layers anew, in order: while one runs for longer than its weights take, those of the next ones come.

        Several cores compete for the memory with what each fetches ahead, so their layers pay for it as it is moved;
        and a buffer that operands share gives room in program order. In a pipeline earlier requests have fetched them.
        """
        terms = self.terms
        if self.requests > 1:
            terms.ahead_ps.update(dict.fromkeys(among, FETCHED_PS))
        if terms.soc.cores > 1 or terms.soc.buffers.name_of("weights") != "weights":
            return terms.changed(among)
        found: Changes = {}
        ahead_ps = 0
        for index in among:
            work = terms.works[index]
            terms.ahead_ps[index] = ahead_ps
            changed = terms.changed((index,))
            if changed is None:
                return None
            found |= changed
            choice = changed[index][1]
            ahead_ps += terms.time_ps(index, choice)
            if choice is not None and isinstance(work, Lowered) and work.operands.w is None:
                size = Tiles(work.nest, choice.tiling, choice.weights).stored_bytes(terms.soc.array)
                ahead_ps -= math.ceil(size * terms.rates.load_ps_per_byte[terms.constants_memory])
            ahead_ps = max(ahead_ps, 0)
        return found

    def _settle_results(self) -> None:
        """Results that stay in the inputs buffer."""
        terms = self.terms
        space, capacity = Space(), terms.soc.buffers.of("inputs").capacity_bytes
        uses = terms.found.uses
        order = sorted(
            terms.storages, key=lambda root: (uses[root].life.last - uses[root].life.first, uses[root].life.first, root)
        )
        for root in order:
            size, life = terms.storages[root], uses[root].life
            obstacle = self._obstacle(root, size)
            if obstacle is None and space.lowest(size, life) + size > capacity:
                obstacle = "no room beside other kept tensors"
            if obstacle is not None:
                terms.found.reasons.setdefault(root, obstacle)
                continue
            during = range(life.first, life.last + 1)
            terms.kept.update(dict.fromkeys(during, size))
            if terms.try_move(root, "inputs_buffer", during):
                space.put(root, size, life)
            else:
                terms.kept.subtract(dict.fromkeys(during, size))
        if space:
            terms.found.plans["inputs_buffer"] = space.plan()

    def _obstacle(self, root: str, size: int) -> str | None:
        terms = self.terms
        uses, capacity = terms.found.uses[root], terms.soc.buffers.of("inputs").capacity_bytes
        for holds, text in (
            (root in self.inputs, "an input of the network"),
            (root in self.outputs, "an output of the network"),
            (not uses.readers or max(uses.readers) <= max(uses.writers, default=0), "nobody reads it afterwards"),
            (root in self.written_by_host, "the host writes it"),
            (root in self.read_by_host, "the host reads it"),
            (root in self.read_as_weights, "the weights buffer takes it as first operand of a product"),
            (not terms.chooser.keeps, "several cores use it, and each has buffers of its own"),
            (
                terms.stages.of(max(uses.life.first, 0)) != terms.stages.of(uses.life.last),
                "several stages of the pipeline use it, each on a core of its own",
            ),
            (
                size > capacity,
                f"its {size} bytes exceed the {terms.soc.buffers.name_of('inputs')} buffer of {capacity}",
            ),
        ):
            if holds:
                return text
        return None
