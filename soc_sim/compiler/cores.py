"""How cores share a network: together on the layers of one request, or each with layers of its own (a pipeline).

The pace of a pipeline is that of the slowest stage, or of what all stages share: the host, and each memory's bytes at
its rate. Left out of it: short lines that fill whole bursts, row misses, waits of several cores at one memory.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

from soc_sim.compiler.chooser import Chooser
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Lowered, Work
from soc_sim.compiler.options import Options
from soc_sim.compiler.program import Pace, Stage
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.residency import ResidencyPlanner
from soc_sim.compiler.stages import Stages, crossing_bytes, cut
from soc_sim.compiler.tiles import Tiles
from soc_sim.config.run import Mapping
from soc_sim.config.soc import MemoryName, Soc


@dataclass(frozen=True, slots=True)
class Sharing:
    """What lies where, what was chosen for each layer, and on which cores it runs."""

    found: Residencies
    stages: Stages = Stages()  # noqa: RUF009 # it is frozen
    pace: Pace | None = None
    """Of a pipeline."""

    @property
    def records(self) -> tuple[Stage, ...]:
        """The stages of a pipeline for the program; empty where there is none."""
        layers_ps = self.found.times_ps
        if self.pace is None or not layers_ps:
            return ()
        parts = zip(self.stages.layers(len(layers_ps)), self.stages.times_ps(layers_ps), strict=True)
        return tuple(Stage(core, layers[0], layers[-1], time_ps) for core, (layers, time_ps) in enumerate(parts))


class CorePlanner:
    """Decides as ``mapping.split`` says."""

    def __init__(
        self,
        works: list[Work],
        storages: dict[str, int],
        ends: tuple[tuple[str, ...], ...],
        soc: Soc,
        rates: Rates,
        options: Options,
        mapping: Mapping,
    ) -> None:
        self.works, self.storages, self.ends = works, storages, ends
        self.soc, self.rates, self.options, self.mapping = soc, rates, options, mapping

    def plan(self) -> Sharing:
        """How the cores share the network; for throughput, a pipeline where its pace is higher by estimate.

        Raises:
            MappingError: a tile does not fit its buffer.
        """
        return self._by_product() if self.options.objective == "edp" else self._planned()

    def _by_product(self) -> Sharing:
        """The least product of the network's energy and time, which is no sum over layers.

        A layer that changes them by dE and dT changes the product by T dE + E dT. So time is priced with E / T, first
        of what is quickest, then of what that price brought about, as long as the product falls.
        """
        asked, best, least = self.options, Sharing(Residencies()), math.inf
        self.options = replace(asked, objective="latency")
        planned = self._planned()
        while True:
            energy_pj, time_ps = sum(planned.found.energies_pj), sum(planned.found.times_ps)
            self.options = replace(asked, pj_per_ps=energy_pj / max(time_ps, 1))
            planned = self._planned()
            product = sum(planned.found.energies_pj) * sum(planned.found.times_ps)
            if product >= least:
                return best
            best, least = planned, product

    def _planned(self) -> Sharing:
        if self.mapping.split == "pipeline":
            return self._pipelined()
        together = self._together()
        if self.mapping.objective != "throughput" or self.mapping.split != "auto" or self.soc.cores == 1:
            return together
        pipelined = self._pipelined()
        faster = pipelined.pace is not None and pipelined.pace.interval_ps < sum(together.found.times_ps)
        return pipelined if faster else together

    def _planner(self, chooser: Chooser, stages: Stages = Stages(), requests: int = 1) -> ResidencyPlanner:  # noqa: B008
        return ResidencyPlanner(
            self.works,
            self.storages,
            self.ends,
            self.soc,
            self.rates,
            chooser,
            self.options,
            stages,
            requests,
            sram_weights=self.mapping.sram_weights != "off",
        )

    def _together(self) -> Sharing:
        """All cores on each layer, or as on one alone, which can keep more on chip, where that is better."""
        chooser = Chooser(self.soc, self.rates, self.options, self.mapping.split)
        best, least = Residencies(), math.inf
        for most_cores in dict.fromkeys((self.soc.cores, 1) if chooser.keeps else (self.soc.cores,)):
            chooser.most_cores = most_cores
            planner = self._planner(chooser)
            found = planner.plan(on_chip=self.mapping.residency == "auto")
            if planner.total() < least:
                best, least = found, planner.total()
        return Sharing(best)

    def _pipelined(self) -> Sharing:
        """Cut, and cut again with the times that follow, as long as the slowest stage gets faster."""
        chooser, on_chip = Chooser(self.soc, self.rates, self.options, "pipeline"), self.mapping.residency == "auto"
        found = self._planner(chooser).plan(on_chip=False)
        crossing = crossing_bytes(self.storages, found.uses, len(self.works))
        stages, least, layers_ps = Stages(), math.inf, found.times_ps
        while True:
            wanted = cut(layers_ps, crossing, self.soc.cores)
            planned = self._planner(chooser, wanted, len(wanted.first_layers) + 1).plan(on_chip=on_chip)
            layers_ps = planned.times_ps
            slowest_ps = max(wanted.times_ps(layers_ps), default=0)
            if slowest_ps >= least:
                return Sharing(found, stages, self._pace(found, stages))
            found, stages, least = planned, wanted, slowest_ps

    def _pace(self, found: Residencies, stages: Stages) -> Pace:
        bounds = {f"core{core}": time_ps for core, time_ps in enumerate(stages.times_ps(found.times_ps))}
        times = zip(self.works, found.times_ps, strict=True)
        bounds["host"] = sum(time_ps for work, time_ps in times if isinstance(work, HostWork))
        served = Counter[MemoryName]()
        for index, work in enumerate(self.works):
            served.update(
                self._host_bytes(work, found) if isinstance(work, HostWork) else self._bytes(index, work, found)
            )
        for memory, size in served.items():
            rate = self.rates.memories[memory]
            bounds[memory] = math.floor(size * min(rate.read_ps_per_byte, rate.write_ps_per_byte))
        bound = max(bounds, key=lambda name: bounds[name])
        return Pace(bounds[bound], bound)

    def _host_bytes(self, work: HostWork, found: Residencies) -> Counter[MemoryName]:
        sizes = Counter[MemoryName]()
        for view in (*work.reads, *work.writes):
            memory = found.memories.get(view.root)
            if memory is not None and memory in self.rates.memories:
                sizes[memory] += view.size_bytes
        return sizes

    def _bytes(self, index: int, work: Lowered, found: Residencies) -> Counter[MemoryName]:
        """What an array layer moves once its weights are there, by memory."""
        homes, choice = found.homes[index], found.choices[index]
        if homes is None or choice is None:
            raise TypeError(f"nothing has been chosen for {work.name}")
        from_dram = choice.estimate.dram_read_bytes + choice.estimate.dram_write_bytes
        sizes = Counter[MemoryName]({"dram": from_dram})
        others = {homes.weights, homes.inputs, *homes.addends, homes.outputs} & set(self.rates.memories) - {"dram"}
        if others:
            # Which of several it is, is not told; the fastest gives the lower bound.
            fastest = min(sorted(others), key=lambda memory: self.rates.memories[memory].read_ps_per_byte)
            sizes[fastest] += choice.moved_bytes - from_dram
        if index in found.resident and homes.weights in sizes:
            tiles = Tiles(work.nest, choice.tiling, choice.weights)
            sizes[homes.weights] -= tiles.stored_bytes(self.soc.array)
        return sizes
