"""Traffic of the memories, and whether the network fits into them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S


def memory_statistics(record: RunRecord, name: str) -> dict[str, Any]:
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


def ways_of_service(record: RunRecord) -> dict[str, float | None]:
    """Which share of the DRAM's bursts was worked out how; the rest one command at a time. None: nothing was moved."""
    counters = record.memories["dram"]
    bursts = counters.get("read_bursts", 0) + counters.get("write_bursts", 0)
    return {"closed_form_share": counters.get("closed_form_bursts", 0) / bursts if bursts else None}


def memory_fit(record: RunRecord) -> dict[str, Any]:
    """Whether the network fits, and how full everything got; what does not fit is refused before it runs."""
    memory_map, soc = record.program.memory_map, record.soc
    capacities = {name: memory.capacity_bytes for name, memory in soc.memories.items()}
    if "inputs_buffer" in memory_map.used_bytes:
        capacities["inputs_buffer"] = soc.buffers.of("inputs").capacity_bytes
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


def memory_map(record: RunRecord) -> list[dict[str, Any]]:
    """What lies where, by memory and address, and from which layer to which; null: before the first, or to the end."""
    placements = sorted(record.program.memory_map.placements, key=lambda one: (one.memory, one.address, one.tensor))
    return [asdict(placement) for placement in placements]
