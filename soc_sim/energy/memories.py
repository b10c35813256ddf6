"""What memories outside the cores cost: commands and standby of a DRAM, bytes of the others.

Where others publish an energy of each bit, everything included, the range is that between theirs and this model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from soc_sim.config.memory import Dram, Memory, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.energy import dram as dram_energy
from soc_sim.energy import sram
from soc_sim.energy.counts import MemoryCounts, MemoryPhase
from soc_sim.energy.lines import PJ_PER_MW_PS, Bill, Driver, Line

MemoryName = Literal["dram", "weight_memory", "system_sram"]


def shared_sram(soc: Soc) -> SimpleMemory | None:
    """The SRAM that all share, at the prices of the table of SRAMs that the buffers have; None where there is none.

    Raises:
        ConfigurationError: the table has no factor for its cells and temperature.
    """
    if soc.system_sram is None:
        return None
    width_bytes = soc.system_sram.width_bytes
    cost = sram.of_table(soc.table("buffers"), soc.system_sram.capacity_bytes, 8 * width_bytes)
    return soc.system_sram.as_memory.model_copy(
        update={
            "read_pj_per_byte": cost.read_pj / width_bytes,
            "write_pj_per_byte": cost.write_pj / width_bytes,
            "leakage_mw": cost.leakage_mw,
            "area_mm2": cost.area_mm2,
        }
    )


def memory(name: MemoryName, description: Memory, counts: MemoryCounts, elapsed_ps: int) -> Bill:
    """Lines of the memory ``name``; unknown, with a warning, where its description lacks a figure it needs."""
    match description:
        case Dram():
            bill = _dram(name, description, counts, elapsed_ps)
        case SimpleMemory():
            bill = _simple(name, description, counts, elapsed_ps)
        case _:  # an ideal memory is there to show what the rest of the system costs
            return Bill(())
    return replace(bill, lines=tuple(_ranged(bill.lines, description, counts)))


def _dram(name: MemoryName, description: Dram, counts: MemoryCounts, elapsed_ps: int) -> Bill:
    if description.currents is None:
        text = f"energy of memory '{description.name}' is unknown: its description has no currents"
        return Bill((), (name,), (text,))
    warnings = []
    if description.io_pj_per_bit is None:
        warnings.append(
            f"energy of memory '{description.name}' is without its interface: its description has no io_pj_per_bit"
        )
    lines = []
    for phase in counts.phases or (MemoryPhase(None, elapsed_ps, counts),):
        voltage_v, currents = phase.voltage_v, description.currents
        ratio = 1.0 if voltage_v is None else voltage_v / currents.vdd_v
        # As everywhere: V² for what is done, V for what stands by. The interface has a supply of its own.
        factors = {"command": ratio * ratio, "ps": ratio, "bit": 1.0}
        for action, unit, count, nominal_pj in dram_energy.actions(
            description, currents, phase.counts, phase.elapsed_ps
        ):
            pj = nominal_pj * factors[unit]
            driver: Driver = "time" if unit == "ps" or action == "refresh" else name
            lines.append(Line(name, action, unit, count, pj, pj, pj, driver, voltage_v))
    return Bill(tuple(lines), warnings=tuple(warnings))


def _simple(name: MemoryName, description: SimpleMemory, counts: MemoryCounts, elapsed_ps: int) -> Bill:
    lines = []
    for action, count, pj in (
        ("read", counts.read_bytes, description.read_pj_per_byte),
        ("write", counts.written_bytes, description.write_pj_per_byte),
    ):
        if count and pj is None:
            text = f"energy of memory '{description.name}' is unknown: its description has no {action}_pj_per_byte"
            return Bill((), (name,), (text,))
        lines.append(Line(name, action, "byte", count, pj or 0.0, pj or 0.0, pj or 0.0, name))
    warnings = []
    if description.leakage_mw is not None:
        pj = description.leakage_mw * PJ_PER_MW_PS
        lines.append(Line(name, "leakage", "ps", elapsed_ps, pj, pj, pj, "time"))
    else:
        warnings.append(
            f"energy of memory '{description.name}' is without leakage or standby: its description has no leakage"
        )
    return Bill(tuple(lines), warnings=tuple(warnings))


def _ranged(lines: tuple[Line, ...], description: Dram | SimpleMemory, counts: MemoryCounts) -> Iterator[Line]:
    """The lines with a range, such that their sums are what others give for the bits moved."""
    own_pj = sum(line.energy_pj for line in lines)
    bits = 8 * (counts.read_bytes + counts.written_bytes)
    others = [entry.pj_per_bit * bits / own_pj for entry in description.published if own_pj]
    low, high = min([1.0, *others]), max([1.0, *others])
    for line in lines:
        yield replace(line, low_pj=line.pj * low, high_pj=line.pj * high)
