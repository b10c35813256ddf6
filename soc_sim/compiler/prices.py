"""What the actions of a layer cost, and so the energy of every candidate tiling.

The prices of an SoC are linear in what is counted; ``energy.prices`` derives them from the tables, so that a choice
and the simulated run that follows know one model. The energy of a layer's bytes is that of loads, stores and array
accesses; a memory's rows are taken to be opened once for each row of data, and time costs standby and leakage of the
whole SoC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soc_sim.compiler.cycles import Work
from soc_sim.compiler.latency import LatencyModel, Traffic
from soc_sim.compiler.sizes import Floats
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Flow, dense_family
from soc_sim.config.soc import MemoryName


@dataclass(frozen=True, slots=True)
class Price:
    """Of a byte that is read, and of one that is written, in pJ."""

    read_pj: float
    write_pj: float


@dataclass(frozen=True, slots=True)
class Prices:
    """What one action costs on an SoC."""

    mac_pj: float
    """Arithmetic alone."""
    idle_pj: float
    """Of a PE, for a cycle of a tile in which it multiplies nothing."""
    register_read_pj: float
    """Of a byte; so the next two."""
    register_write_pj: float
    next_pe_pj: float
    """Over the wire from one PE to the next."""
    weights: Price
    """Of the buffer; so the next two."""
    inputs: Price
    outputs: Price
    interconnect_pj_per_byte: float
    memories: Mapping[MemoryName, Price]
    """By name; buffers are none."""
    host_operation_pj: float
    standby_w: float
    """Standby of memories and leakage: what passes with time. 1 W = 1 pJ/ps."""


def energy_pj(
    model: LatencyModel,
    prices: Prices,
    dataflow: Flow,
    work: Work,
    traffic: Traffic,
    cycles: Integers,
    latency_ps: Floats,
) -> Floats:
    """Energy of the whole layer, S × B; ``cycles``: of all tiles; ``latency_ps``: how long it is expected to take."""
    sizes, homes = model.sizes, model.sizes.homes
    # Whole bursts for short lines.
    w_rounding, x_rounding, o_rounding = (model.lines[name][0] for name in ("weights", "inputs", "outputs"))
    array = sizes.soc.array
    operand = array.operand_bytes
    word = operand if dense_family(dataflow) == "dOS" else array.accumulator_bytes
    results = sizes.output_total

    def read(memory: MemoryName, rounding: Floats | float) -> Floats | float:
        """A byte that is loaded, up to the buffer."""
        return rounding * prices.memories[memory].read_pj + prices.interconnect_pj_per_byte

    total: Floats = (
        _array_pj(model, prices, dataflow, work, cycles)
        + work.weight_words * (operand * prices.weights.read_pj)
        + traffic.weight_bytes * (prices.weights.write_pj + read(homes.weights, w_rounding))
        + (traffic.weight_written_bytes - traffic.weight_bytes) * prices.weights.write_pj
        + (work.input_words * operand + len(homes.addends) * results) * prices.inputs.read_pj
        + work.output_words * (word * prices.outputs.write_pj)
        + (work.accumulator_words * word + results) * prices.outputs.read_pj
        + latency_ps * prices.standby_w
    )
    if homes.inputs in prices.memories:
        total = total + traffic.input_bytes * (prices.inputs.write_pj + read(homes.inputs, x_rounding))
    for memory in homes.addends:
        if memory in prices.memories:
            total = total + results * (prices.inputs.write_pj + read(memory, x_rounding))
    if homes.outputs in prices.memories:
        written = o_rounding * prices.memories[homes.outputs].write_pj + prices.interconnect_pj_per_byte
        return total + results * written
    return total + results * prices.inputs.write_pj


def _array_pj(model: LatencyModel, prices: Prices, dataflow: Flow, work: Work, cycles: Integers) -> Floats:
    """MACs, idle PEs, and words that move through PEs, as the energy model counts them.

    Words that stream are read and latched by the next PE, a stationary one is read, a sum read and latched, wherever
    a word of W passes. Preload and drain move words past half of the rows or columns.
    """
    sizes, array = model.sizes, model.sizes.soc.array
    operand, accumulator = array.operand_bytes, array.accumulator_bytes
    read = 2 * operand + accumulator
    shifted: Any
    match dense_family(dataflow):
        case "dOS":
            latched, moved = read, 2 * operand
            shifted = work.output_words * (accumulator * (array.rows + 1) / 2)
        case "dWS":
            latched, moved = operand + accumulator, operand + accumulator
            shifted = work.entering * (operand * (array.cols + 1) / 2)
        case _:
            latched, moved = operand + accumulator, operand + accumulator
            words = work.input_words + len(sizes.homes.addends) * sizes.output_total / operand
            shifted = words * (operand * (array.rows + 1) / 2)
    passed_pj = read * prices.register_read_pj + latched * prices.register_write_pj + moved * prices.next_pe_pj
    shifted_pj = prices.register_read_pj + prices.register_write_pj + prices.next_pe_pj
    idle = array.rows * array.cols * cycles - work.macs
    found: Floats = work.macs * prices.mac_pj + idle * prices.idle_pj + work.passed * passed_pj + shifted * shifted_pj
    return found


def host_energy_pj(
    prices: Prices,
    operations: int,
    reads: Mapping[MemoryName, int],
    writes: Mapping[MemoryName, int],
    latency_ps: float,
) -> float:
    """Energy of a host layer that moves so many bytes; operations of all kinds cost alike, and bursts are full."""
    moved = sum(
        size * (prices.memories[name].read_pj + prices.interconnect_pj_per_byte) for name, size in reads.items()
    )
    moved += sum(
        size * (prices.memories[name].write_pj + prices.interconnect_pj_per_byte) for name, size in writes.items()
    )
    return operations * prices.host_operation_pj + moved + latency_ps * prices.standby_w
