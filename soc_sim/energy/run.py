"""The energy of a run: its counts, by the voltages at which they happened, times the tables; and its layers' shares."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soc_sim.config.core import BUFFERS
from soc_sim.energy.counting import count
from soc_sim.energy.counts import Counts
from soc_sim.energy.lines import J_PER_PJ, Driver
from soc_sim.energy.model import EnergyEstimate, estimate
from soc_sim.energy.spread import Floats, Spread
from soc_sim.energy.tally import Tally, tally
from soc_sim.system import RunRecord


@dataclass(frozen=True)
class RunEnergy:
    """Energy of a run, with what it is divided by."""

    record: RunRecord
    tally: Tally
    counts: Counts
    estimate: EnergyEstimate

    @cached_property
    def spreads(self) -> dict[Driver, Spread]:
        """Driver → how what it drives is spread over layers (and, behind them, background initiators) and time."""
        record, parts = self.record, self.tally
        owners = len(record.program.layers) + len(record.soc.background)

        def of(*names: str) -> Spread:
            return Spread.of_instructions(
                [
                    (group, sum((group.amount(name) for name in names), np.zeros_like(group.layers)))
                    for group in parts.groups
                ],
                owners,
                len(record.program.layers),
            )

        array_ps = Counter[int]()
        for core in record.cores:
            for (layer, _), span_ps in core.array_ps.items():
                array_ps[layer] += span_ps
        return {
            "compute": of("macs"),
            **{name: of(f"{name}.read", f"{name}.write") for name in BUFFERS},
            "transfer": of("interconnect"),
            "host": of(*(name for name in parts.host.amounts if name.startswith("host."))),
            "dram": of("dram"),
            "weight_memory": of("weight_memory"),
            "system_sram": of("system_sram"),
            "time": Spread.even([array_ps[layer] for layer in range(owners)], record.makespan_ps),
        }

    @cached_property
    def layers_j(self) -> list[float | None]:
        """Energy of each layer: its share of every line. None where the total is unknown.

        Layers and background initiators together sum to the total.
        """
        return self._divided[: len(self.record.program.layers)]

    @property
    def background_j(self) -> dict[str, float | None]:
        """Likewise, of each background initiator."""
        names = (initiator.name for initiator in self.record.soc.background)
        return dict(zip(names, self._divided[len(self.record.program.layers) :], strict=True))

    def of_layer(self, layer: int) -> dict[str, float | None]:
        """Component → energy of a layer, by the same shares; None where the component's is unknown."""
        return {
            name: None if joules is None else float(self._components_j[name][layer])
            for name, joules in self.estimate.by_component.items()
        }

    @cached_property
    def _components_j(self) -> dict[str, Floats]:
        """Component → energy of each layer and, behind them, background initiators."""
        owners = len(self.record.program.layers) + len(self.record.soc.background)
        found = {name: np.zeros(owners) for name in self.estimate.by_component}
        for line in self.estimate.lines:
            found[line.component] += line.energy_pj * J_PER_PJ * self.spreads[line.driver].by_layer
        return found

    @cached_property
    def _divided(self) -> list[float | None]:
        owners = len(self.record.program.layers) + len(self.record.soc.background)
        if self.estimate.total_j is None:
            return [None] * owners
        return [float(joules) for joules in sum(self._components_j.values(), np.zeros(owners))]


def energy_of(record: RunRecord) -> RunEnergy:
    """Count what a run did, and price it.

    Raises:
        ConfigurationError: a table lacks a figure (``model.estimate``).
    """
    columns = tally(record)
    whole, parts = count(record, columns)
    return RunEnergy(record, columns, whole, estimate(record.soc, whole, parts))
