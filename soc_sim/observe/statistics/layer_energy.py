"""How the energy of a run is divided among its layers."""

from __future__ import annotations

from soc_sim.compiler.program import Compute, VectorOp
from soc_sim.energy.model import EnergyEstimate
from soc_sim.system import RunRecord


def layer_energy(record: RunRecord, energy: EnergyEstimate) -> list[float | None]:
    """Each layer's share of each component: by MACs, by bytes, by operations, and by the array's time for leakage.

    The shares of all layers sum to one, so that the layers' energies sum to that of the run.
    """
    if energy.total_j is None:
        return [None] * len(record.program.layers)
    shares = _shares(record)
    return [
        sum(joules * shares[name][index] for name, joules in energy.by_component.items() if joules)
        for index in range(len(record.program.layers))
    ]


def _shares(record: RunRecord) -> dict[str, list[float]]:
    """Component → each layer's share of what drives its energy."""
    layers = range(len(record.program.layers))
    drivers: dict[str, list[int]] = {name: [0] * len(layers) for name in _DRIVEN}
    for instruction in record.program.instructions:
        match instruction:
            case Compute(layer=layer, counts=counts):
                drivers["array"][layer] += counts.macs
                drivers["weights_buffer"][layer] += counts.weight_bytes
                drivers["inputs_buffer"][layer] += counts.input_bytes
                drivers["outputs_buffer"][layer] += counts.output_read_bytes + counts.output_write_bytes
            case VectorOp(layer=layer, operations=operations):
                drivers["host"][layer] += operations
    for (layer, memory, _), size in record.asked_bytes.items():
        drivers[memory][layer] += size
        drivers["interconnect"][layer] += size
    for core in record.cores:
        for (layer, _), span_ps in core.array_ps.items():
            drivers["leakage"][layer] += span_ps
    return {
        name: [value / total if (total := sum(values)) else 1 / len(layers) for value in values]
        for name, values in drivers.items()
    }


_DRIVEN = (
    "array",
    "weights_buffer",
    "inputs_buffer",
    "outputs_buffer",
    "interconnect",
    "dram",
    "weight_memory",
    "host",
    "leakage",
)
