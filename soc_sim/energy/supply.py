"""How energy depends on the supply: P = α·C·V²·f + V·I_leak.

The formula is equation 1 of N. S. Kim et al., "Leakage current: Moore's law meets static power", IEEE Computer 36(12),
2003. So the energy of an action goes with the square of the voltage, and leakage power with the voltage itself. Left
out: that the leakage current falls, too, where the supply does (drain-induced barrier lowering); threshold voltages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from soc_sim.config.domain import CLOCKS
from soc_sim.config.energy import EnergyTable
from soc_sim.config.soc import Soc

Supply = Mapping[str, float | None]
"""Clock → voltage of its domain; None: that of the energy table."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Factors on the figures of a table."""

    action: float = 1.0
    leakage: float = 1.0


def scale(table: EnergyTable, voltage_v: float | None) -> Scale:
    """Factors at a voltage. Without one, or without the table's own, the figures hold as they are."""
    if voltage_v is None or table.voltage_v is None:
        return Scale()
    ratio = voltage_v / table.voltage_v
    return Scale(ratio * ratio, ratio)


def at_start(soc: Soc) -> Supply:
    """Voltages at the frequencies with which a run begins."""
    return {clock: soc.domain_of(clock).voltage_at(soc.clock_hz(clock)) for clock in CLOCKS}
