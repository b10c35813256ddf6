"""What the actions of cores, interconnect and host cost: every count times its figure in the table.

Between PEs a byte travels one pitch, the side of a square PE, on the same wire as in the interconnect. A MAC whose
weight is an injected zero costs what an idle cycle does: the operands are held, and the clock goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from soc_sim.config.core import BUFFERS, BufferName, PadName
from soc_sim.config.energy import MacPoint
from soc_sim.config.soc import Soc
from soc_sim.energy import sram
from soc_sim.energy.counts import Counts, Traffic
from soc_sim.energy.lines import PJ_PER_MW_PS, Bill, Line, factors
from soc_sim.energy.sram import SramCost
from soc_sim.energy.supply import Supply, scale
from soc_sim.errors import ConfigurationError


def chip(soc: Soc, counts: Counts, supply: Supply) -> Bill:
    """Lines of ``array``, the buffers, ``decompression``, ``interconnect``, ``host``, ``leakage``, ``transitions``.

    Raises:
        ConfigurationError: the table has no MAC of the array's operands.
    """
    mac = mac_point(soc)
    lines = [*_array(soc, counts, supply)]
    for name in BUFFERS:
        lines += _buffer(soc, name, getattr(counts, f"{name}_buffer"), supply)
    lines += [*_decompression(soc, counts, supply), *_interconnect(soc, counts, supply), *_host(soc, counts, supply)]
    lines += [*_leakage(soc, counts, supply), *_transitions(soc, counts)]
    warnings: list[str] = []
    if mac.idle_pj is None and (counts.macs_gated or counts.idle_pe_cycles):
        table_name = soc.table("array").name
        warnings.append(f"injected zeros and idle cycles of PEs are without energy: '{table_name}' has no idle")
    if soc.table("array").decompression_pj_per_byte is None and counts.decompressed_bytes:
        table_name = soc.table("array").name
        warnings.append(f"the decompression unit is without energy: '{table_name}' has no decompression_pj_per_byte")
    warnings += [text for name, operands in soc.buffers.pads.items() if (text := _beyond(soc, name, operands[0]))]
    at = {"interconnect": supply["interconnect"], "host": supply["host"], "transitions": None}
    supplied = (replace(line, voltage_v=at.get(line.component, supply["array"])) for line in lines)
    return Bill(tuple(supplied), warnings=tuple(warnings))


def mac_point(soc: Soc) -> MacPoint:
    """The table's entry for the array's operands.

    Raises:
        ConfigurationError: there is none; says which there are.
    """
    table, array = soc.table("array"), soc.array
    for point in table.macs:
        if (point.operand_bits, point.operand_type) == (array.operand_bits, array.operand_type):
            return point
    floating = " float" if array.operand_type == "float" else ""
    known = ", ".join(
        f"{point.operand_bits}{' float' if point.operand_type == 'float' else ''}" for point in table.macs
    )
    raise ConfigurationError(
        f"soc.energy.macs: '{table.name}' has no MAC of {array.operand_bits} bits{floating}, "
        f"which soc.array.operand_bits asks for; it has: {known}"
    )


def buffer_cost(soc: Soc, operand: BufferName) -> tuple[SramCost, int]:
    """Cost and port width in bytes of the buffer of an operand."""
    capacity_bytes, width_bytes = soc.buffers.of(operand).capacity_bytes, soc.port_width_bytes(operand)
    return sram.of_table(soc.table("buffers"), capacity_bytes, 8 * width_bytes), width_bytes


def pitch_mm(soc: Soc) -> float:
    """Side of a PE, taken as a square."""
    return math.sqrt(mac_point(soc).area_mm2)


def _array(soc: Soc, counts: Counts, supply: Supply) -> Iterator[Line]:
    table, mac = soc.table("array"), mac_point(soc)
    factor = scale(table, supply["array"]).action
    bits, letters = soc.array.operand_bits, "fp" if soc.array.operand_type == "float" else "int"

    def line(action: str, unit: str, count: int, pj: float, low_high: tuple[float, float]) -> Line:
        pj *= factor
        return Line("array", action, unit, count, pj, pj * low_high[0], pj * low_high[1], "compute")

    yield line(f"mac_{letters}{bits}", "MAC", counts.macs - counts.macs_gated, mac.mac_pj, factors(table, "mac"))
    yield line("mac_gated", "MAC", counts.macs_gated, mac.idle_pj or 0.0, factors(table, "idle"))
    yield line("pe_idle", "cycle", counts.idle_pe_cycles, mac.idle_pj or 0.0, factors(table, "idle"))
    register_pj, spread = table.register_pj_per_byte / 2, factors(table, "register")
    yield line("register_read", "byte", counts.register_read_bytes, register_pj, spread)
    yield line("register_write", "byte", counts.register_write_bytes, register_pj, spread)
    wire_pj = table.interconnect_pj_per_byte * pitch_mm(soc)
    yield line("pe_to_pe", "byte", counts.pe_to_pe_bytes, wire_pj, factors(table, "interconnect"))


def _buffer(soc: Soc, name: BufferName, traffic: Traffic, supply: Supply) -> Iterator[Line]:
    """Accesses use the full width: partly used ones at the end of a row cost a little more than this."""
    table = soc.table("buffers")
    cost, width_bytes = buffer_cost(soc, name)
    pad = soc.buffers.name_of(name)
    of_operand = "" if pad == name else f"{name}_"
    factor, (low, high) = scale(table, supply["array"]).action, factors(table, "buffer")
    for action, count, access_pj in (
        ("read", traffic.read_bytes - traffic.metadata_bytes, cost.read_pj),
        ("read_metadata", traffic.metadata_bytes, cost.read_pj),
        ("write", traffic.written_bytes, cost.write_pj),
    ):
        pj = access_pj / width_bytes * factor
        if action != "read_metadata" or name == "weights":
            action = f"{of_operand}{action}_{8 * width_bytes}b"
            yield Line(f"{pad}_buffer", action, "byte", count, pj, pj * low, pj * high, name)


def _decompression(soc: Soc, counts: Counts, supply: Supply) -> Iterator[Line]:
    table = soc.table("array")
    pj = (table.decompression_pj_per_byte or 0.0) * scale(table, supply["array"]).action
    low, high = factors(table, "decompression")
    at_array, count = soc.dma.decompression is None, counts.decompressed_bytes
    action = "word" if at_array else "expanded"
    yield Line("decompression", action, "byte", count, pj, pj * low, pj * high, "compute" if at_array else "weights")


def _interconnect(soc: Soc, counts: Counts, supply: Supply) -> Iterator[Line]:
    table, hops = soc.table("interconnect"), soc.interconnect.hops
    pj = table.interconnect_pj_per_byte * scale(table, supply["interconnect"]).action
    low, high = factors(table, "interconnect")
    count = counts.interconnect_bytes * hops
    yield Line("interconnect", "hop", "byte", count, pj, pj * low, pj * high, "transfer")


def _host(soc: Soc, counts: Counts, supply: Supply) -> Iterator[Line]:
    table, own_pj = soc.table("host"), soc.host.pj_per_operation
    factor = scale(table, supply["host"]).action
    by_kind: dict[str, float] = {entry.operation: entry.energy_pj for entry in table.host_operations}
    low, high = factors(table, "host") if own_pj is None else (1.0, 1.0)
    for kind, count in counts.host_operations.items():
        pj = (by_kind.get(kind, table.host_pj_per_operation) if own_pj is None else own_pj) * factor
        yield Line("host", kind, "operation", count, pj, pj * low, pj * high, "host")


def _leakage(soc: Soc, counts: Counts, supply: Supply) -> Iterator[Line]:
    array, buffers = soc.table("array"), soc.table("buffers")
    pes_mw = soc.array.rows * soc.array.cols * mac_point(soc).leakage_mw * scale(array, supply["array"]).leakage
    states = {"on": soc.cores * counts.elapsed_ps} if counts.array_ps is None else counts.array_ps
    kept = {"on": 1.0} | {state.name: state.leakage_share for state in soc.domain_of("array").idle_states}
    low, high = factors(array, "leakage")
    for state, span_ps in states.items():
        pj = pes_mw * kept[state] * PJ_PER_MW_PS
        yield Line("leakage", f"pes_{state}", "ps", span_ps, pj, pj * low, pj * high, "time")
    low, high = factors(buffers, "leakage")
    for name, (operand, *_) in soc.buffers.pads.items():
        leakage_mw = buffer_cost(soc, operand)[0].leakage_mw * scale(buffers, supply["array"]).leakage
        pj = leakage_mw * PJ_PER_MW_PS
        yield Line("leakage", f"{name}_buffer", "ps", soc.cores * counts.elapsed_ps, pj, pj * low, pj * high, "time")


def _transitions(soc: Soc, counts: Counts) -> Iterator[Line]:
    for domain in soc.clock_domains:
        if count := counts.transitions.get(domain.name, 0):
            pj = domain.transition_energy_pj
            yield Line("transitions", domain.name, "change", count, pj, pj, pj, "time")


def _beyond(soc: Soc, name: PadName, operand: BufferName) -> str | None:
    """Say where a buffer is larger or smaller than every memory of the table."""
    table, capacity_bytes = soc.table("buffers"), soc.buffers.of(operand).capacity_bytes
    bank_bytes = capacity_bytes / sram.banks(table.sram, 8 * soc.port_width_bytes(operand))
    sizes = [point.capacity_bytes for point in table.sram]
    if min(sizes) <= bank_bytes <= max(sizes):
        return None
    return (
        f"energy of the {name} buffer is extrapolated: a bank has {bank_bytes / 1024:g} KiB, "
        f"the memories of '{table.name}' {min(sizes) // 1024} to {max(sizes) // 1024} KiB"
    )
