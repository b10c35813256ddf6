"""Area of PEs, buffers, decompression unit, host and on-chip memories, as far as a table gives it.

A vector unit is taken as its lanes, each a PE without the array around it; a decompression unit as one operand
register for each load unit or, where weights are expanded on loading, as a register for the bytes of a cycle. Left out,
and named in a warning: interconnect (wires above the logic), DMA, controller, a CPU, PHYs.
"""

from __future__ import annotations

from typing import NamedTuple

from soc_sim.config.energy import EnergyTable
from soc_sim.config.memory import SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.energy.chip import buffer_cost, mac_point
from soc_sim.energy.memories import shared_sram


class Area(NamedTuple):
    """Area by component, and what is missing."""

    by_component: dict[str, float]
    """Component → mm²."""
    warnings: tuple[str, ...]


def area(soc: Soc) -> Area:
    """Area of all cores, host and on-chip memories.

    Raises:
        ConfigurationError: the table has no MAC of the array's operands.
    """
    array, missing = soc.array, ["interconnect, DMA, controller and PHYs"]
    found = {"array": soc.cores * array.rows * array.cols * mac_point(soc).area_mm2}
    for name, (operand, *_) in soc.buffers.pads.items():
        found[f"{name}_buffer"] = soc.cores * buffer_cost(soc, operand)[0].area_mm2
    bit_mm2 = soc.table("array").register_area_mm2
    if bit_mm2 is None:
        missing.append("the decompression unit")
    else:
        bits = (array.rows + array.cols) * array.operand_bits
        if soc.dma.decompression is not None:
            bits = 8 * soc.dma.decompression.bytes_per_cycle
        found["decompression"] = soc.cores * bits * bit_mm2
    lane_mm2 = _lane_mm2(soc.table("host"))
    if soc.host.kind == "vector_unit" and lane_mm2 is not None:
        found["host"] = soc.host.lanes * lane_mm2
    else:
        missing.append("the host")
    memories = {"dram": soc.dram, "weight_memory": soc.weight_memory, "system_sram": shared_sram(soc)}
    for place, memory in memories.items():
        if isinstance(memory, SimpleMemory):
            if memory.area_mm2 is not None:
                found[place] = memory.area_mm2
            elif memory.technology in ("sram", "mram"):
                missing.append(f"memory '{memory.name}'")
    return Area(found, (f"area_mm2 is without {', '.join(missing)}: no figure is at hand",))


def _lane_mm2(table: EnergyTable) -> float | None:
    """An int8 multiplier, adder and registers."""
    return next(
        (point.area_mm2 for point in table.macs if (point.operand_bits, point.operand_type) == (8, "int")), None
    )
