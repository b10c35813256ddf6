"""The document of `run --json`: every figure derived once, from the integers of a run.

- makespan: from the start of the run to the completion of its last instruction; ``latency_s`` is that of one inference
  on a cold SoC.
- utilisation: MACs executed over those that all PEs could have executed in the makespan.
- array time: where the array's time went, by cause; the mean over cores, which sums to the latency.

Times are added as integer picoseconds and divided once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import soc_sim
from soc_sim.compiler.program import Program
from soc_sim.energy.model import EnergyEstimate, area_mm2, estimate
from soc_sim.kernel import CAUSES
from soc_sim.observe.statistics.actions import executed, of_run
from soc_sim.observe.statistics.cores import component_time, core_statistics, mean_over_cores
from soc_sim.observe.statistics.initiators import initiator_statistics
from soc_sim.observe.statistics.layer_energy import background_energy, layer_energy
from soc_sim.observe.statistics.layers import layer_statistics
from soc_sim.observe.statistics.memories import memory_fit, memory_statistics
from soc_sim.observe.statistics.stalls import Stalls
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S

SCHEMA = 1
"""Version of the document; it grows when keys are added."""


def statistics(record: RunRecord, *, config: Mapping[str, Any], seed: int = 0, wall_s: float = 0.0) -> dict[str, Any]:
    """The JSON document of a run of one inference; ``config`` is the resolved configuration to embed."""
    soc, program, latency_ps = record.soc, record.program, record.makespan_ps
    energy = estimate(soc, of_run(record))
    array_ps = mean_over_cores(record)
    macs_executed = executed(record)
    cycles = record.array_cycles
    pes = soc.array.rows * soc.array.cols * soc.cores
    layer_energy_j = layer_energy(record, energy)
    stalls = Stalls(record)
    layers = [layer_statistics(record, layer, layer_energy_j[layer.index], stalls) for layer in program.layers]
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
        "input_bytes_skipped": sum(layer["input_bytes_skipped"] for layer in layers),
        "utilisation": macs_executed / (pes * cycles) if cycles else 0.0,
        "array_time_s": {cause: span / PS_PER_S for cause, span in array_ps.items()},
        "array_time_ps": array_ps,
        "component_time_s": component_time(record),
        "stall_reasons_s": stalls.of_run(),
        "bound_by": stalls.bound_of_run(),
        "host_time_s": {
            cause: sum(span for (_, entry), span in record.host_ps.items() if entry == cause) / PS_PER_S
            for cause in CAUSES
            if any(entry == cause for _, entry in record.host_ps)
        },
        "cores": [core_statistics(record, core) for core in range(soc.cores)],
        "dram": memory_statistics(record, "dram"),
        "weight_memory": memory_statistics(record, "weight_memory") if soc.weight_memory is not None else None,
        "interconnect": {
            "bytes": dict(record.interconnect_bytes),
            "busy_s": {name: span / PS_PER_S for name, span in record.interconnect_busy_ps.items()},
        },
        "initiators": initiator_statistics(record, background_energy(record, energy)),
        "memory": memory_fit(record),
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
