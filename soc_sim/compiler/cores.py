"""How cores share a network: together on the layers of one request, or each with layers of its own (a pipeline)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from soc_sim.compiler.accesses import view_bytes
from soc_sim.compiler.chooser import Chooser
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.lowered import Work, uses_of
from soc_sim.compiler.options import Options
from soc_sim.compiler.pace import Demand, balanced, pace_of
from soc_sim.compiler.program import Pace, Stage
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.residencies import Residencies
from soc_sim.compiler.residency import ResidencyPlanner
from soc_sim.compiler.settling import Settling
from soc_sim.compiler.stages import TOLERANCE, Stages, crossing_bytes
from soc_sim.compiler.terms import Terms
from soc_sim.config.run import Mapping
from soc_sim.config.soc import MemoryName, Soc

MEMORY_PRICE = 1.0
"""Of a memory that sets a pipeline's pace: its time counts as much as a layer's own, for another stage waits for it."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What lies where, what was chosen for each layer, and on which cores it runs."""

    found: Residencies
    stages: Stages = Stages()  # noqa: RUF009 # it is frozen
    pace: Pace | None = None
    """Of a pipeline."""

    @property
    def interval_ps(self) -> int:
        """Expected, between results."""
        return self.pace.interval_ps if self.pace else sum(self.found.times_ps)

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
        return self._by_product() if self.options.objective == "edp" else self._settled(self._planned())

    def _settled(self, sharing: Sharing) -> Sharing:
        """With tiles that suit the neighbours of each layer, where one request is run after another."""
        if sharing.pace is None:
            chooser = Chooser(self.soc, self.rates, self.options, self.mapping.split)
            if all(choice is None or choice.tiling.cores == 1 for choice in sharing.found.choices):
                chooser.most_cores = 1
            Settling(self.works, sharing.found, self.soc, self.rates, chooser, self.options).settle()
        return sharing

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
                return self._settled(best)
            best, least = planned, product

    def _planned(self) -> Sharing:
        if self.mapping.split == "pipeline":
            return self._pipelined()
        together = self._together()
        if self.mapping.objective != "throughput" or self.mapping.split != "auto" or self.soc.cores == 1:
            return together
        pipelined = self._pipelined()
        return pipelined if pipelined.interval_ps < together.interval_ps else together

    def _planner(self, chooser: Chooser, stages: Stages = Stages(), requests: int = 1) -> ResidencyPlanner:  # noqa: B008
        uses = uses_of(self.works, self.storages, *self.ends)
        terms = Terms(self.works, self.storages, uses, self.soc, self.rates, chooser, self.options, stages)
        return ResidencyPlanner(terms, self.ends, requests, sram_weights=self.mapping.sram_weights != "off")

    def _together(self) -> Sharing:
        """All cores on each layer, or as on one alone, which can keep more on chip, where that is better."""
        chooser = Chooser(self.soc, self.rates, self.options, self.mapping.split)
        best, least = Residencies(), math.inf
        for most_cores in dict.fromkeys((self.soc.cores, 1) if chooser.keeps else (self.soc.cores,)):
            chooser.most_cores = most_cores
            planner = self._planner(chooser)
            found = planner.plan(on_chip=self.mapping.residency == "auto")
            if planner.terms.total() < least:
                best, least = found, planner.terms.total()
        return Sharing(best)

    def _pipelined(self) -> Sharing:
        """As many stages as give the fastest pace by estimate; of equals the fewest, down to one.

        Where a memory sets the pace of some, tiles that ask less of it are tried, too.
        """
        sharings = self._of_all_sizes()
        bounds = {sharing.pace.bound for sharing in sharings if sharing.pace}
        if self.options.objective == "latency" and not bounds.isdisjoint(self.rates.memories):
            asked = self.options
            self.options = replace(asked, memory_price=max(asked.memory_price, MEMORY_PRICE))
            sharings += self._of_all_sizes()
            self.options = asked
        limit_ps = min(sharing.interval_ps for sharing in sharings) * TOLERANCE
        near = (sharing for sharing in sharings if sharing.interval_ps <= limit_ps)
        return min(near, key=lambda sharing: len(sharing.stages.first_layers))

    def _of_all_sizes(self) -> list[Sharing]:
        """Pipelines of one stage to as many as there are cores."""
        chooser = Chooser(self.soc, self.rates, self.options, "pipeline")
        found = self._planner(chooser).plan(on_chip=False)
        crossing = crossing_bytes(self.storages, found.uses, len(self.works))
        layers = self._demands(found)
        return [self._staged(chooser, layers, crossing, most) for most in range(1, self.soc.cores + 1)]

    def _staged(self, chooser: Chooser, layers: list[Demand], crossing: list[int], most: int) -> Sharing:
        """Cut, and cut again with the times that follow, as long as the pace gets faster."""
        best: Sharing | None = None
        while True:
            stages = balanced(layers, crossing, most)
            planner = self._planner(chooser, stages, stages.requests)
            found = planner.plan(on_chip=self.mapping.residency == "auto")
            layers = self._demands(found)
            sharing = Sharing(found, stages, pace_of(layers, stages))
            if best is not None and sharing.interval_ps >= best.interval_ps:
                return best
            best = sharing

    def _demands(self, found: Residencies) -> list[Demand]:
        times = zip(self.works, found.choices, found.times_ps, strict=True)
        return [
            Demand(time_ps, True, self._host_ps(work, found))
            if isinstance(work, HostWork)
            else Demand(time_ps, False, choice.demands_ps if choice else {})
            for work, choice, time_ps in times
        ]

    def _host_ps(self, work: HostWork, found: Residencies) -> dict[MemoryName, int]:
        """How long each memory is busy with a host layer."""
        constants: MemoryName = "weight_memory" if self.soc.weight_memory else "dram"
        busy_ps = dict[MemoryName, float]()
        for view in (*work.reads, *work.writes):
            memory = found.memories.get(view.root, constants)
            rate = self.rates.memories[memory]
            per_byte = rate.write_ps_per_byte if view in work.writes else rate.read_ps_per_byte
            busy_ps[memory] = busy_ps.get(memory, 0.0) + view_bytes(view, rate) * per_byte
        return {memory: math.ceil(time_ps) for memory, time_ps in busy_ps.items()}
