"""What an on-chip buffer costs, interpolated between the memories of a table.

Modelled: read and write energy of one access, leakage and area. Left out: idle cycles of the clock, redundancy, ECC,
and the wires that join banks placed side by side.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from soc_sim.config.energy import CellPoint, EnergyTable, SramPoint


class SramCost(NamedTuple):
    """Cost of one memory; the two energies are those of an access of its full width."""

    read_pj: float
    write_pj: float
    leakage_mw: float
    area_mm2: float


def access(table: Sequence[SramPoint], capacity_bytes: int, width_bits: int) -> SramCost:
    """Cost of a memory of ``capacity_bytes`` with a port of ``width_bits``.

    Between points all four quantities follow a power law, first of the capacity and then of the width (straight lines
    on logarithmic axes); a point of the table is reproduced exactly. Outside the table:

    - capacity: the power law of the outermost two points goes on;
    - narrower than the table: an access costs as much as the narrowest;
    - wider than the table: equal banks side by side, each as wide as the table allows and accessed together.
    """
    narrowest, side_by_side = min(p.width_bits for p in table), banks(table, width_bits)
    by_width = [
        (width, _interpolate(_of_width(table, width), capacity_bytes / side_by_side))
        for width in sorted({p.width_bits for p in table})
    ]
    bank = _interpolate(by_width, max(width_bits / side_by_side, narrowest))
    return SramCost(*(side_by_side * quantity for quantity in bank))


def of_table(table: EnergyTable, capacity_bytes: int, width_bits: int) -> SramCost:
    """Cost of a memory with the cells, and at the temperature, that the table asks for."""
    cost, cell = access(table.sram, capacity_bytes, width_bits), _cell(table)
    return SramCost(*(a * b for a, b in zip(cost, (cell.read, cell.write, cell.leakage, cell.area), strict=True)))


def banks(table: Sequence[SramPoint], width_bits: int) -> int:
    """Memories side by side that make up a port of ``width_bits``."""
    return math.ceil(width_bits / max(p.width_bits for p in table))


def _cell(table: EnergyTable) -> CellPoint:
    """Factors for the table's cell and temperature; between two temperatures leakage grows exponentially."""
    known = sorted(
        (point for point in table.cell_points if point.cell == table.cell), key=lambda point: point.temperature_k
    )
    cold = [point for point in known if point.temperature_k <= table.temperature_k][-1]
    hot = next(point for point in known if point.temperature_k >= table.temperature_k)
    if cold is hot:
        return cold
    fraction = (table.temperature_k - cold.temperature_k) / (hot.temperature_k - cold.temperature_k)
    return cold.model_copy(update={"leakage": _between(cold.leakage, hot.leakage, fraction)})


def _of_width(table: Sequence[SramPoint], width_bits: int) -> list[tuple[int, SramCost]]:
    """Capacity and cost of the points of one width, ascending."""
    return sorted(
        (p.capacity_bytes, SramCost(p.read_pj, p.write_pj, p.leakage_mw, p.area_mm2))
        for p in table
        if p.width_bits == width_bits
    )


def _interpolate(points: Sequence[tuple[int, SramCost]], x: float) -> SramCost:
    """Power law through the two neighbours of ``x``; ``points`` ascend."""
    if len(points) == 1:
        return points[0][1]
    upper = min(max(bisect_right([position for position, _ in points], x), 1), len(points) - 1)
    (x0, low), (x1, high) = points[upper - 1], points[upper]
    fraction = math.log(x / x0) / math.log(x1 / x0)
    return SramCost(*(_between(a, b, fraction) for a, b in zip(low, high, strict=True)))


def _between(a: float, b: float, fraction: float) -> float:
    if a == 0 or b == 0:  # no power law passes through zero
        return max(0.0, a + (b - a) * fraction)
    return float(a ** (1 - fraction) * b**fraction)
