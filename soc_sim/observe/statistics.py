"""The document of `run --json`: every figure derived once, from the integers of a run.

- makespan: from the start of the run to the completion of its last instruction; ``latency_s`` is that of one inference
  on a cold SoC.
- utilisation: MACs executed over those that all PEs could have executed in the makespan.
- array time: where the array's time went, by cause; the mean over cores, which sums to the latency.

Times are added as integer picoseconds and divided once, at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import soc_sim
from soc_sim.compiler.program import Compute, Layer, Program, VectorOp
from soc_sim.config.array import Array
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.energy.model import EnergyEstimate, area_mm2, estimate
from soc_sim.kernel import CAUSES, Cause, Clock
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S

SCHEMA = 1
"""Version of the document; it grows when keys are added."""


def statistics(record: RunRecord, *, config: Mapping[str, Any], seed: int = 0, wall_s: float = 0.0) -> dict[str, Any]:
    """The JSON document of a run of one inference; ``config`` is the resolved configuration to embed."""
    soc, program, latency_ps = record.soc, record.program, record.makespan_ps
    energy = estimate(soc, _counts(record))
    array_ps = _mean_over_cores(record)
    macs_executed = _executed(record)
    cycles = Clock(soc.array.clock_hz).index_at(latency_ps)
    pes = soc.array.rows * soc.array.cols * soc.cores
    layer_energy_j = _layer_energy(record, energy)
    layers = [_layer(record, layer, layer_energy_j[layer.index]) for layer in program.layers]
    return {
        "schema": SCHEMA,
        "version": soc_sim.__version__,
        "config": dict(config),
        "seed": seed,
        "network": program.network,
        "latency_s": latency_ps / PS_PER_S,
        "latency_ps": latency_ps,
        "energy_j": energy.total_j,
        "energy": energy.by_component,
        "area_mm2": sum(area_mm2(soc).values()),
        "area": area_mm2(soc),
        "macs": program.macs,
        "macs_executed": macs_executed,
        "zeros_injected": sum(layer["zeros_injected"] for layer in layers),
        "metadata_bytes": sum(layer["metadata_bytes"] for layer in layers),
        "utilisation": macs_executed / (pes * cycles) if cycles else 0.0,
        "array_time_s": {cause: span / PS_PER_S for cause, span in array_ps.items()},
        "array_time_ps": array_ps,
        "host_time_s": {
            cause: sum(span for (_, entry), span in record.host_ps.items() if entry == cause) / PS_PER_S
            for cause in CAUSES
            if any(entry == cause for _, entry in record.host_ps)
        },
        "cores": [_core(record, core) for core in range(soc.cores)],
        "dram": _memory(record, "dram"),
        "weight_memory": _memory(record, "weight_memory") if soc.weight_memory is not None else None,
        "interconnect": {
            "bytes": dict(record.interconnect_bytes),
            "busy_s": {name: span / PS_PER_S for name, span in record.interconnect_busy_ps.items()},
        },
        "memory": _memory_fit(record),
        "layers": layers,
        "simulation": {"events": record.events, "wall_s": wall_s},
        "warnings": [*program.warnings, *energy.warnings, *_without_total(energy), *_left_out(program)],
    }


def _without_total(energy: EnergyEstimate) -> list[str]:
    """Say what is null, and why: a sum without one of its parts would pass for the whole."""
    if energy.total_j is not None:
        return []
    unknown = ", ".join(name for name, joules in energy.by_component.items() if joules is None)
    return [f"energy_j is null, of the run and of each layer, because the energy of {unknown} is unknown"]


def _left_out(program: Program) -> list[str]:
    if not program.sparse:
        return []
    return ["the energy of the decompression unit is unknown and left out; injected zeros count as executed MACs"]


def _mean_over_cores(record: RunRecord) -> dict[Cause, int]:
    """Cause → picoseconds, the mean over cores; rounding is settled so that they sum to the makespan exactly."""
    cores = len(record.cores)
    totals = Counter[Cause]()
    for core in record.cores:
        for (_, cause), span_ps in core.array_ps.items():
            totals[cause] += span_ps
    means: dict[Cause, int] = {cause: totals[cause] // cores for cause in CAUSES}
    missing = record.makespan_ps - sum(means.values())
    largest_remainders = sorted(CAUSES, key=lambda cause: (-(totals[cause] % cores), CAUSES.index(cause)))
    for cause in largest_remainders[:missing]:
        means[cause] += 1
    return means


def _core(record: RunRecord, index: int) -> dict[str, Any]:
    core = record.cores[index]
    spans = {cause: sum(span for (_, entry), span in core.array_ps.items() if entry == cause) for cause in CAUSES}
    return {
        "array_time_s": {cause: span / PS_PER_S for cause, span in spans.items()},
        "array_time_ps": spans,
        "instructions": core.dispatched,
        "buffers": {
            name: {
                "capacity_bytes": buffer.capacity_bytes,
                "peak_bytes": buffer.peak_bytes,
                "array_read_bytes": buffer.array_read_bytes,
                "array_write_bytes": buffer.array_write_bytes,
                "dma_read_bytes": buffer.dma_read_bytes,
                "dma_write_bytes": buffer.dma_write_bytes,
            }
            for name, buffer in core.buffers.items()
        },
    }


def _memory(record: RunRecord, name: str) -> dict[str, Any]:
    """Traffic of a memory; what its kind does not have (rows of an SRAM) is null."""
    counters = record.memories[name]
    moved = counters["read_bytes"] + counters["write_bytes"]
    return {
        "read_bytes": counters["read_bytes"],
        "write_bytes": counters["write_bytes"],
        "bandwidth_bytes_per_s": moved * PS_PER_S / record.makespan_ps if record.makespan_ps else 0.0,
        "peak_bytes_per_s": counters["peak_bytes_per_s"],
        "busy_s": counters["busy_ps"] / PS_PER_S,
        **{key: counters.get(key) for key in ("row_hits", "row_misses", "row_conflicts", "activates", "refreshes")},
    }


def _memory_fit(record: RunRecord) -> dict[str, Any]:
    """Whether the network fits, and how full everything got; what does not fit is refused before it runs."""
    memory_map, soc = record.program.memory_map, record.soc
    capacities = {"dram": soc.dram.capacity_bytes}
    if soc.weight_memory is not None:
        capacities["weight_memory"] = soc.weight_memory.capacity_bytes
    return {
        "fits": all(used <= capacities[name] for name, used in memory_map.used_bytes.items()),
        "weight_bytes": memory_map.weight_bytes,
        "peak_activation_bytes": memory_map.peak_activation_bytes,
        "used_bytes": dict(memory_map.used_bytes),
        "capacity_bytes": capacities,
        "buffer_peak_bytes": {
            name: max(core.buffers[name].peak_bytes for core in record.cores) for name in record.cores[0].buffers
        },
    }


def _layer(record: RunRecord, layer: Layer, energy_j: float | None) -> dict[str, Any]:
    counts = [i.counts for i in record.program.of_layer(layer.index) if isinstance(i, Compute)]
    stalls = Counter[Cause]()
    for core in record.cores:
        for (index, cause), span_ps in core.array_ps.items():
            if index == layer.index:
                stalls[cause] += span_ps
    cores = len(record.cores)
    moved, gemm = record.layers[layer.index], layer.gemm
    read_bytes = record.asked_bytes.get((layer.index, "dram", False), 0)
    write_bytes = record.asked_bytes.get((layer.index, "dram", True), 0)
    executed = sum(count.macs for count in counts) * record.inferences
    return {
        "name": layer.name,
        "op": layer.op,
        "operators": list(layer.operators),
        "unit": layer.unit,
        "m": gemm.m if gemm else None,
        "k": gemm.k if gemm else None,
        "n": gemm.n if gemm else None,
        "groups": gemm.groups if gemm else None,
        "dataflow": layer.dataflow,
        "sparsity": layer.sparsity if layer.sparsity is not None else 0.0 if gemm else None,
        "weight_format": layer.weight_format,
        "weight_bytes": layer.weight_bytes,
        "metadata_bytes": layer.metadata_bytes,
        "regret": dict(layer.regret) if layer.regret else None,
        "start_s": moved.start_ps / PS_PER_S,
        "end_s": moved.end_ps / PS_PER_S,
        "compute_cycles": sum(count.cycles for count in counts),
        "macs": layer.macs,
        "macs_executed": executed,
        "zeros_injected": sum(count.zeros_injected for count in counts) * record.inferences,
        "dram_read_bytes": read_bytes,
        "dram_write_bytes": write_bytes,
        "weight_memory_read_bytes": record.asked_bytes.get((layer.index, "weight_memory", False), 0),
        "busy_s": stalls["busy"] / PS_PER_S / cores,
        "stall_s": {cause: stalls[cause] / PS_PER_S / cores for cause in CAUSES if cause != "busy"},
        "array_time_ps": {cause: stalls[cause] for cause in CAUSES},
        "energy_j": energy_j,
    }


def _executed(record: RunRecord) -> int:
    return record.inferences * sum(i.counts.macs for i in record.program.instructions if isinstance(i, Compute))


def _register_bytes(macs: int, array: Array) -> int:
    """Bytes PE registers latch: for every MAC both operands move on by one PE, and the partial sum is updated."""
    return macs * (2 * array.operand_bytes + array.accumulator_bytes)


def _counts(record: RunRecord) -> Counts:
    """Actions of the whole run, for the energy table."""
    macs = _executed(record)
    return Counts(
        elapsed_ps=record.makespan_ps,
        macs=macs,
        register_bytes=_register_bytes(macs, record.soc.array),
        weights_buffer=_buffer_traffic(record, "weights"),
        inputs_buffer=_buffer_traffic(record, "inputs"),
        outputs_buffer=_buffer_traffic(record, "outputs"),
        interconnect_bytes=sum(record.interconnect_bytes.values()),
        host_operations=record.host_operations,
        dram=_memory_counts(record, "dram"),
        weight_memory=_memory_counts(record, "weight_memory"),
    )


def _buffer_traffic(record: RunRecord, name: str) -> Traffic:
    buffers = [core.buffers[name] for core in record.cores]
    return Traffic(
        read_bytes=sum(buffer.array_read_bytes + buffer.dma_read_bytes for buffer in buffers),
        written_bytes=sum(buffer.array_write_bytes + buffer.dma_write_bytes for buffer in buffers),
    )


def _memory_counts(record: RunRecord, name: str) -> MemoryCounts:
    counters = record.memories.get(name)
    if counters is None:
        return MemoryCounts()
    dram_only = ("activates", "read_bursts", "write_bursts", "refreshes", "active_ps")
    return MemoryCounts(
        read_bytes=counters["read_bytes"],
        written_bytes=counters["write_bytes"],
        **{key: counters.get(key, 0) for key in dram_only},
    )


def _layer_energy(record: RunRecord, energy: EnergyEstimate) -> list[float | None]:
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
