"""Energy of an SoC: counted actions times the tables of its parts.

Modelled: MACs by kind, gated ones, registers and wires between PEs, buffers, decompression, interconnect, memories,
host operations, leakage of PEs and buffers by power state, changes of frequency. Left out: DMA engines, controller,
clock tree, PHYs, leakage of host and interconnect (README.md in this folder says more).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from soc_sim.config.soc import Soc
from soc_sim.energy.chip import chip
from soc_sim.energy.counts import Counts
from soc_sim.energy.lines import Bill, Line, join
from soc_sim.energy.memories import memory, shared_sram
from soc_sim.energy.supply import Supply, at_start

_ALWAYS = ("decompression", "interconnect", "dram", "host", "leakage")
"""Of every SoC, behind the array and its buffers."""


@dataclass(frozen=True)
class EnergyEstimate:
    """Energy by component, and why a component has none."""

    by_component: dict[str, float | None]
    """Component to joules; None where no trustworthy figure is published."""
    range_j: dict[str, tuple[float, float] | None]
    """Component to the lowest and highest energy that published figures give."""
    lines: tuple[Line, ...]
    """What was counted, and what each costs; a component is the sum of its lines, in their order."""
    warnings: tuple[str, ...]

    @property
    def total_j(self) -> float | None:
        """Sum over the components; None if one of them is unknown, because a partial sum would pass for the whole."""
        known = [joules for joules in self.by_component.values() if joules is not None]
        return sum(known) if len(known) == len(self.by_component) else None

    @property
    def total_range_j(self) -> tuple[float, float] | None:
        """Sums of the lowest and of the highest; None if a component is unknown."""
        known = [span for span in self.range_j.values() if span is not None]
        if len(known) < len(self.range_j):
            return None
        return sum(low for low, _ in known), sum(high for _, high in known)


def estimate(soc: Soc, counts: Counts, chip_parts: Iterable[tuple[Counts, Supply]] | None = None) -> EnergyEstimate:
    """Energy of ``counts`` on ``soc``.

    Components: ``array`` (MACs, registers, wires between PEs), ``weights_buffer``, ``inputs_buffer``,
    ``outputs_buffer`` (``unified_buffer`` for those that share it), ``decompression``, ``interconnect``, ``dram``
    (standby and refresh included), ``host``,
    ``leakage`` of PEs and buffers, ``transitions`` where frequencies changed at a cost, ``weight_memory`` and
    ``system_sram`` if there are any.

    Args:
        soc: The hardware.
        counts: What was done in all.
        chip_parts: The same, without memories, by the voltages at which it was done; default: all at the voltages with
            which a run begins.

    Raises:
        ConfigurationError: a table has no MAC of the array's operands.
    """
    parts = [(counts, at_start(soc))] if chip_parts is None else chip_parts
    on_chip = join(chip(soc, part, supply) for part, supply in parts)
    dram = memory("dram", soc.dram, counts.dram, counts.elapsed_ps)
    apart = Bill(())
    names = ["array", *(f"{name}_buffer" for name in soc.buffers.pads), *_ALWAYS]
    if any(line.component == "transitions" for line in on_chip.lines):
        names.append("transitions")
    if soc.weight_memory is not None:
        names.append("weight_memory")
        apart = memory("weight_memory", soc.weight_memory, counts.weight_memory, counts.elapsed_ps)
    shared, sram = Bill(()), shared_sram(soc)
    if sram is not None:
        names.append("system_sram")
        shared = memory("system_sram", sram, counts.system_sram, counts.elapsed_ps)
    bill = join((on_chip, dram, apart, shared))
    return EnergyEstimate(
        {name: bill.component_j(name) for name in names},
        {name: bill.range_j(name) for name in names},
        bill.lines,
        bill.warnings,
    )
