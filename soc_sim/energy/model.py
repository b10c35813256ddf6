"""Energy and area of an SoC: counted actions times the table of its technology node.

Modelled: MACs and PE registers, buffers, interconnect, memories, host operations, leakage of PEs and buffers.
Left out: DMA engines, controller, clock tree, PHYs, leakage of host, interconnect and memories on chip (README.md in
this folder says more).
"""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.core import BUFFERS
from soc_sim.config.energy import MacPoint
from soc_sim.config.memory import Dram, Memory, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.energy import dram as dram_energy
from soc_sim.energy import sram
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.energy.sram import SramCost
from soc_sim.errors import ConfigurationError

_J_PER_PJ = 1e-12
_PJ_PER_MW_PS = 1e-3


@dataclass(frozen=True)
class EnergyEstimate:
    """Energy by component, and why a component has none."""

    by_component: dict[str, float | None]
    """Component to joules; None where no trustworthy figure is published."""
    warnings: tuple[str, ...]

    @property
    def total_j(self) -> float | None:
        """Sum over the components; None if one of them is unknown, because a partial sum would pass for the whole."""
        known = [joules for joules in self.by_component.values() if joules is not None]
        return sum(known) if len(known) == len(self.by_component) else None


def estimate(soc: Soc, counts: Counts) -> EnergyEstimate:
    """Energy of ``counts`` on ``soc``.

    Components: ``array`` (MACs and registers), ``weights_buffer``, ``inputs_buffer``, ``outputs_buffer``,
    ``interconnect``, ``dram`` (standby and refresh included), ``weight_memory`` if the SoC has one, ``host``, and
    ``leakage`` of PEs and buffers.

    Raises:
        ConfigurationError: the table has no MAC of the array's operand width.
    """
    table = soc.energy
    mac = _mac(soc)
    buffers = _buffers(soc)
    traffic = {
        "weights_buffer": counts.weights_buffer,
        "inputs_buffer": counts.inputs_buffer,
        "outputs_buffer": counts.outputs_buffer,
    }
    host_pj = table.host_pj_per_operation if soc.host.pj_per_operation is None else soc.host.pj_per_operation
    leakage_mw = soc.array.rows * soc.array.cols * mac.leakage_mw + sum(cost.leakage_mw for cost, _ in buffers.values())
    warnings: list[str] = []

    picojoules: dict[str, float | None] = {
        "array": counts.macs * mac.mac_pj + counts.register_bytes * table.register_pj_per_byte,
        **{name: _buffer_pj(*buffers[name], traffic[name]) for name in buffers},
        "interconnect": counts.interconnect_bytes * table.interconnect_pj_per_byte,
        "dram": _memory_pj(soc.dram, counts.dram, counts.elapsed_ps, warnings),
        "host": counts.host_operations * host_pj,
        "leakage": soc.cores * leakage_mw * counts.elapsed_ps * _PJ_PER_MW_PS,
    }
    if soc.weight_memory is not None:
        picojoules["weight_memory"] = _memory_pj(soc.weight_memory, counts.weight_memory, counts.elapsed_ps, warnings)
    return EnergyEstimate(
        {name: None if pj is None else pj * _J_PER_PJ for name, pj in picojoules.items()}, tuple(warnings)
    )


def area_mm2(soc: Soc) -> dict[str, float]:
    """Area of PEs and buffers of all cores; DMA, controller, interconnect, host, memories and PHYs are left out.

    Raises:
        ConfigurationError: the table has no MAC of the array's operand width.
    """
    pes = soc.array.rows * soc.array.cols
    return {
        "array": soc.cores * pes * _mac(soc).area_mm2,
        **{name: soc.cores * cost.area_mm2 for name, (cost, _) in _buffers(soc).items()},
    }


def _mac(soc: Soc) -> MacPoint:
    for point in soc.energy.macs:
        if point.operand_bits == soc.array.operand_bits:
            return point
    known = ", ".join(str(point.operand_bits) for point in soc.energy.macs)
    raise ConfigurationError(
        f"soc.energy.macs: '{soc.energy.name}' has no MAC of {soc.array.operand_bits} bits, "
        f"which soc.array.operand_bits asks for; it has: {known}"
    )


def _buffers(soc: Soc) -> dict[str, tuple[SramCost, int]]:
    """Cost and port width in bytes of each buffer."""
    costs = {}
    for name in BUFFERS:
        capacity_bytes, width_bytes = getattr(soc.buffers, name).capacity_bytes, soc.port_width_bytes(name)
        costs[f"{name}_buffer"] = (sram.access(soc.energy.sram, capacity_bytes, 8 * width_bytes), width_bytes)
    return costs


def _buffer_pj(cost: SramCost, width_bytes: int, traffic: Traffic) -> float:
    """Accesses use the full width: partly used ones at the end of a row cost a little more than this."""
    return (traffic.read_bytes * cost.read_pj + traffic.written_bytes * cost.write_pj) / width_bytes


def _memory_pj(memory: Memory, counts: MemoryCounts, elapsed_ps: int, warnings: list[str]) -> float | None:
    match memory:
        case Dram():
            return _dram_pj(memory, counts, elapsed_ps, warnings)
        case SimpleMemory():
            return _simple_pj(memory, counts, warnings)
        case _:  # an ideal memory is there to show what the rest of the system costs
            return 0.0


def _dram_pj(memory: Dram, counts: MemoryCounts, elapsed_ps: int, warnings: list[str]) -> float | None:
    if memory.currents is None:
        warnings.append(f"energy of memory '{memory.name}' is unknown: its description has no currents")
        return None
    if memory.io_pj_per_bit is None:
        warnings.append(
            f"energy of memory '{memory.name}' is without its interface: its description has no io_pj_per_bit"
        )
    return sum(dram_energy.parts_pj(memory, memory.currents, counts, elapsed_ps).values())


def _simple_pj(memory: SimpleMemory, counts: MemoryCounts, warnings: list[str]) -> float | None:
    total = 0.0
    for action, moved_bytes, pj_per_byte in (
        ("read", counts.read_bytes, memory.read_pj_per_byte),
        ("write", counts.written_bytes, memory.write_pj_per_byte),
    ):
        if moved_bytes and pj_per_byte is None:
            warnings.append(f"energy of memory '{memory.name}' is unknown: its description has no {action}_pj_per_byte")
            return None
        total += moved_bytes * (pj_per_byte or 0)
    return total
