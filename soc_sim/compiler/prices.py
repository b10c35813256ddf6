"""What the actions of a layer cost, and so the energy of every candidate tiling.

The prices of an SoC are linear in what is counted; ``energy.prices`` derives them from the tables, so that a choice
and the simulated run that follows know one model. The energy of a layer's bytes is that of loads, stores and array
accesses; a memory's rows are taken to be opened once for each row of data, and time costs standby and leakage of the
whole SoC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from soc_sim.compiler.cycles import Work
from soc_sim.compiler.latency import LatencyModel, Traffic
from soc_sim.compiler.sizes import Floats
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
    """Registers included."""
    weights: Price
    """Of the buffer; so the next two."""
    inputs: Price
    outputs: Price
    interconnect_pj_per_byte: float
    memories: Mapping[MemoryName, Price]
    """By name; buffers are none."""
    standby_w: float
    """Standby of memories and leakage: what passes with time. 1 W = 1 pJ/ps."""


def energy_pj(
    model: LatencyModel, prices: Prices, dataflow: Flow, work: Work, traffic: Traffic, latency_ps: Floats
) -> Floats:
    """Energy of the whole layer, S × B; ``latency_ps``: how long it is expected to take."""
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
        work.macs * prices.mac_pj
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
