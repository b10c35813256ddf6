"""How the energy of a run is divided among its layers and the background initiators."""

from __future__ import annotations

from soc_sim.compiler.program import Compute, VectorOp
from soc_sim.energy.model import EnergyEstimate
from soc_sim.system import RunRecord


def layer_energy(record: RunRecord, energy: EnergyEstimate) -> list[float | None]:
    """Each layer's share of each component: by MACs, by bytes, by operations, and by the array's time for leakage.

    The shares of all layers and background initiators sum to one, so that the energies sum to that of the run.
    """
    return _divided(record, energy)[: len(record.program.layers)]


def background_energy(record: RunRecord, energy: EnergyEstimate) -> dict[str, float | None]:
    """Each background initiator's share: by bytes, of memories and interconnect."""
    names = (background.name for background in record.soc.background)
    return dict(zip(names, _divided(record, energy)[len(record.program.layers) :], strict=True))


def _divided(record: RunRecord, energy: EnergyEstimate) -> list[float | None]:
    """Joules of all layers, and then of the background initiators."""
    count = len(record.program.layers) + len(record.soc.background)
    if energy.total_j is None:
        return [None] * count
    shares = _shares(record)
    return [
        sum(joules * shares[name][index] for name, joules in energy.by_component.items() if joules)
        for index in range(count)
    ]


def _shares(record: RunRecord) -> dict[str, list[float]]:
    """Component → the share of each layer, and of each background initiator, of what drives its energy."""
    layers, executions = len(record.program.layers), record.executions
    drivers: dict[str, list[int]] = {name: [0] * (layers + len(record.soc.background)) for name in _DRIVEN}
    for instruction in record.program.instructions:
        match instruction:
            case Compute(layer=layer, counts=counts):
                times = executions[instruction.index]
                drivers["array"][layer] += times * counts.macs
                drivers["weights_buffer"][layer] += times * counts.weight_bytes
                drivers["inputs_buffer"][layer] += times * counts.input_bytes
                drivers["outputs_buffer"][layer] += times * (counts.output_read_bytes + counts.output_write_bytes)
            case VectorOp(layer=layer, operations=operations):
                drivers["host"][layer] += executions[instruction.index] * operations
    for (layer, memory, _), size in record.asked_bytes.items():
        drivers[memory][layer] += size
        drivers["interconnect"][layer] += size
    for place, background in enumerate(record.soc.background, start=layers):
        for write in (False, True):
            size = record.background_bytes[background.name, write]
            drivers[background.memory][place] += size
            drivers["interconnect"][place] += size
    for core in record.cores:
        for (layer, _), span_ps in core.array_ps.items():
            drivers["leakage"][layer] += span_ps
    return {
        name: [
            value / total if (total := sum(values)) else float(place < layers) / layers
            for place, value in enumerate(values)
        ]
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
