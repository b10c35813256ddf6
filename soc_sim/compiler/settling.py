"""Chooses tiles anew where neighbours then hide more of each other's first loads and last stores.

What lies where is decided before, by what each layer takes alone; one pass over the layers follows, in order, each
between the neighbours that it has by then. Left out: pipelines, and cores that share a layer.
"""

from __future__ import annotations

from soc_sim.compiler.chooser import Chooser
from soc_sim.compiler.homes import Homes
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Lowered, Work
from soc_sim.compiler.memory_plan import alignment
from soc_sim.compiler.neighbours import Beside, Capacity, links, reach
from soc_sim.compiler.options import Options
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.tiles import Tiles
from soc_sim.compiler.tiling import Choice, Shortage, between_value
from soc_sim.config.core import BUFFERS
from soc_sim.config.soc import Soc

LEAST_GAIN = 0.02
"""Share of its time that a layer must gain by other tiles: what neighbours do to each other is in part in the model."""


class Settling:
    """One pass over the layers of a program."""

    def __init__(
        self,
        works: list[Work],
        found: Residencies,
        soc: Soc,
        rates: Rates,
        chooser: Chooser,
        options: Options,
    ) -> None:
        self.works, self.found, self.soc = works, found, soc
        self.chooser, self.options = chooser, options
        shared = "unified" in soc.buffers.pads or len(set(soc.dma.channel_of.values())) == 1
        self.applies = chooser.alone and not shared
        """Not where cores share layers, or operands a buffer or a DMA channel: loads run ahead differently there."""
        self.capacity = Capacity(*(soc.buffers.of(name).capacity_bytes for name in BUFFERS))
        self.unit_bytes = alignment(rates.memories["weight_memory" if soc.weight_memory else "dram"].burst_bytes)

    def settle(self) -> None:
        """Replace choices in ``found``, where the pass applies."""
        for index, work in enumerate(self.works if self.applies else []):
            choice, homes = self.found.choices[index], self.found.homes[index]
            if (
                isinstance(work, HostWork)
                or choice is None
                or choice.ends is None
                or homes is None
                or self._beside_host(index)
            ):
                continue
            beside = self._beside(index, work)
            if beside is None or not beside.hides(work.nest, work.operands, choice.tiling, choice.ends):
                continue
            now, _ = between_value(choice, beside, work.nest, work.operands, self.options)
            if self.options.objective == "latency" and now <= (1 + LEAST_GAIN) * choice.least_ps:
                # No tiles gain enough.
                continue
            other = self.chooser.choose(work, homes, beside)
            if isinstance(other, Shortage):
                continue
            then, time = between_value(other, beside, work.nest, work.operands, self.options)
            if then + LEAST_GAIN * time < now and self._fits(index, work, homes, other):
                self.found.choices[index] = other
                self.found.times_ps[index] = other.estimate.latency_ps
                self.found.energies_pj[index] = other.estimate.energy_pj or 0.0

    def _beside_host(self, index: int) -> bool:
        """Whether the host works before or behind a layer, or beside it band by band, which is another matter."""
        return any(isinstance(work, HostWork) for work in self.works[max(index - 1, 0) : index + 2])

    def _beside(self, index: int, work: Lowered) -> Beside | None:
        """What a layer has before and behind itself; None where nothing is known of either."""
        before, after = self._neighbour(index - 1), self._neighbour(index + 1)
        if before is None and after is None:
            return None
        share = 0.0
        if after is not None:
            layer, choice = after
            share = float(reach(layer.nest, layer.operands, links(work.operands.o, layer.operands), choice.tiling))
        return Beside(
            self.capacity,
            before[1].ends if before else None,
            links(before[0].operands.o, work.operands) if before else (),
            after[1].ends if after else None,
            share,
        )

    def _neighbour(self, other: int) -> tuple[Lowered, Choice] | None:
        """An array layer, if there is one."""
        if not 0 <= other < len(self.works):
            return None
        work, choice = self.works[other], self.found.choices[other]
        return None if isinstance(work, HostWork) or choice is None else (work, choice)

    def _fits(self, index: int, work: Lowered, homes: Homes, choice: Choice) -> bool:
        """Whether weights that stay on chip have room with other tiles."""
        if index in self.found.sram_weights:
            size = Tiles(work.nest, choice.tiling, choice.weights).packed_bytes(self.soc.array, self.unit_bytes)
            return size <= self.found.sram_weights[index]
        if index not in self.found.resident:
            return True
        total, room = 0, self.capacity.weights
        for other, mate in enumerate(self.works):
            chosen = choice if other == index else self.found.choices[other]
            if isinstance(mate, HostWork) or chosen is None:
                continue
            if mate.operands.w is None:
                total += Tiles(mate.nest, chosen.tiling, chosen.weights).resident_bytes(self.soc.array)
            else:
                # Its tiles need what has been left to them.
                room = homes.resident_bytes
        return total <= room
