"""Energy as lines of a bill: so many actions at so much each. Everything else is a sum over lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from soc_sim.config.energy import EnergyTable, UncertainAction

J_PER_PJ = 1e-12
PJ_PER_MW_PS = 1e-3

Driver = Literal[
    "compute", "weights", "inputs", "outputs", "transfer", "host", "dram", "weight_memory", "system_sram", "time"
]
"""What a line's energy is divided by among layers, and over time:

=============================  ===================================================================
``compute``                    MACs of the tiles
``weights, inputs, outputs``   bytes at a buffer's port
``transfer``                   bytes on the interconnect
``host``                       operations
``dram, weight_memory, …``     bytes asked of a memory
``time``                       time: what leaks or stands by
=============================  ===================================================================
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of action of a component."""

    component: str
    action: str
    unit: str
    """What is counted."""
    count: int
    pj: float
    """Energy of one."""
    low_pj: float
    """The lowest that is published."""
    high_pj: float
    """The highest that is published."""
    driver: Driver
    voltage_v: float | None = None
    """Supply at which it happened; None: that of the energy table."""

    @property
    def energy_pj(self) -> float:
        """All of them."""
        return self.count * self.pj


def factors(table: EnergyTable, action: UncertainAction) -> tuple[float, float]:
    """Lowest and highest published figure over the table's; 1 where nobody disagrees."""
    entries = [entry for entry in table.uncertainty if entry.action == action]
    return min((entry.low for entry in entries), default=1.0), max((entry.high for entry in entries), default=1.0)


@dataclass(frozen=True)
class Bill:
    """Lines of some components, in order."""

    lines: tuple[Line, ...]
    unknown: tuple[str, ...] = ()
    """Components that have no trustworthy figure; what lines they have is not all."""
    warnings: tuple[str, ...] = ()

    def component_j(self, component: str) -> float | None:
        """Sum of the component's lines, in order; None where it is unknown."""
        if component in self.unknown:
            return None
        return J_PER_PJ * sum(line.energy_pj for line in self.lines if line.component == component)

    def range_j(self, component: str) -> tuple[float, float] | None:
        """Lowest and highest energy of the component by published figures; None where it is unknown."""
        if component in self.unknown:
            return None
        own = [line for line in self.lines if line.component == component]
        return (
            J_PER_PJ * sum(line.count * line.low_pj for line in own),
            J_PER_PJ * sum(line.count * line.high_pj for line in own),
        )


def join(bills: Iterable[Bill]) -> Bill:
    """One bill after the other; a warning is given once."""
    parts = tuple(bills)
    return Bill(
        tuple(line for bill in parts for line in bill.lines),
        tuple(dict.fromkeys(name for bill in parts for name in bill.unknown)),
        tuple(dict.fromkeys(text for bill in parts for text in bill.warnings)),
    )
