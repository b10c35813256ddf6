"""One layer: its shape, its times and what it moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from soc_sim.compiler.program import Compute, Layer, Load, Store
from soc_sim.energy.run import RunEnergy
from soc_sim.kernel import CAUSES, Cause
from soc_sim.observe.statistics.stalls import Stalls
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S


def layer_statistics(record: RunRecord, layer: Layer, energy: RunEnergy, waits: Stalls) -> dict[str, Any]:
    """The entry of ``layers``; ``energy`` and ``waits`` are those of the whole run."""
    tiles = [i for i in record.program.of_layer(layer.index) if isinstance(i, Compute)]
    stalls = Counter[Cause]()
    for core in record.cores:
        for (index, cause), span_ps in core.array_ps.items():
            if index == layer.index:
                stalls[cause] += span_ps
    cores = len(record.cores)
    moved, gemm = record.layers[layer.index], layer.gemm
    read_bytes = record.asked_bytes.get((layer.index, "dram", False), 0)
    write_bytes = record.asked_bytes.get((layer.index, "dram", True), 0)
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
        "side_by_side": layer.tiling.side_by_side if layer.tiling else None,
        "sparsity": layer.sparsity if layer.sparsity is not None else 0.0 if gemm else None,
        "weight_format": layer.weight_format,
        "weight_bytes": layer.weight_bytes,
        "metadata_bytes": layer.metadata_bytes,
        "reorder_gain": layer.reorder_gain,
        "buffer_share_bytes": {name: share.size_bytes for name, share in layer.buffer_shares.items()}
        if layer.buffer_shares
        else None,
        "input_bytes_skipped": layer.input_bytes_skipped,
        "regret": dict(layer.regret) if layer.regret else None,
        "start_s": moved.start_ps / PS_PER_S,
        "end_s": moved.end_ps / PS_PER_S,
        "compute_cycles": sum(tile.counts.cycles for tile in tiles),
        "macs": layer.macs,
        "macs_executed": sum(tile.counts.macs * record.executions[tile.index] for tile in tiles),
        "zeros_injected": sum(tile.counts.zeros_injected * record.executions[tile.index] for tile in tiles),
        "macs_gated": sum(tile.counts.macs_gated * record.executions[tile.index] for tile in tiles),
        "dram_read_bytes": read_bytes,
        "dram_write_bytes": write_bytes,
        "residency": _residency(layer),
        "weight_memory_read_bytes": record.asked_bytes.get((layer.index, "weight_memory", False), 0),
        "memory_traffic_bytes": _memory_traffic(record, layer) if tiles else None,
        "buffer_traffic_bytes": _buffer_traffic(record, tiles) if tiles else None,
        "busy_s": stalls["busy"] / PS_PER_S / cores,
        "stall_s": {cause: stalls[cause] / PS_PER_S / cores for cause in CAUSES if cause != "busy"},
        "stall_reasons_s": waits.of_layer(layer.index),
        "bound_by": waits.bound_of_layer(layer.index),
        "array_time_ps": {cause: stalls[cause] for cause in CAUSES},
        "energy_j": energy.layers_j[layer.index],
        "component_energy_j": energy.of_layer(layer.index),
    }


def _memory_traffic(record: RunRecord, layer: Layer) -> dict[str, int]:
    """Operand → bytes that the DMA moved between memories and its buffer."""
    moved = {"weights": 0, "inputs": 0, "outputs": 0}
    for instruction in record.program.of_layer(layer.index):
        if isinstance(instruction, Load | Store):
            operand = instruction.buffer if isinstance(instruction, Load) else "outputs"
            # What stays on chip goes from buffer to buffer.
            size = sum(region.size_bytes for region in instruction.regions if region.memory in record.memories)
            moved[operand] += size * record.executions[instruction.index]
    return moved


def _buffer_traffic(record: RunRecord, tiles: list[Compute]) -> dict[str, int]:
    """Operand → bytes between its buffer and the array; of outputs the partial sums that are read back are apart."""
    counts = [(tile.counts, record.executions[tile.index]) for tile in tiles]
    return {
        "weights": sum(one.weight_bytes * times for one, times in counts),
        "inputs": sum(one.input_bytes * times for one, times in counts),
        "outputs": sum(one.output_write_bytes * times for one, times in counts),
        "partial_sums": sum(one.output_read_bytes * times for one, times in counts),
    }


def _residency(layer: Layer) -> dict[str, Any] | None:
    if layer.residency is None:
        return None
    # As JSON has it, so that the document equals what is read back.
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(layer.residency).items()}
