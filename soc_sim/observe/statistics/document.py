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
from soc_sim.config.power import PowerReport
from soc_sim.energy.area import area
from soc_sim.energy.run import energy_of
from soc_sim.kernel import CAUSES
from soc_sim.observe.statistics.actions import executed
from soc_sim.observe.statistics.cores import component_time, core_statistics, mean_over_cores
from soc_sim.observe.statistics.energy import energy_statistics, without_total
from soc_sim.observe.statistics.initiators import initiator_statistics
from soc_sim.observe.statistics.layers import layer_statistics
from soc_sim.observe.statistics.memories import memory_fit, memory_map, memory_statistics, ways_of_service
from soc_sim.observe.statistics.stalls import Stalls
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S

SCHEMA = 1
"""Version of the document; it grows when keys are added."""


def statistics(
    record: RunRecord,
    *,
    config: Mapping[str, Any],
    seed: int = 0,
    wall_s: float = 0.0,
    power: PowerReport | None = None,
) -> dict[str, Any]:
    """The JSON document of a run of one inference; ``config`` is the resolved configuration to embed."""
    soc, program, latency_ps = record.soc, record.program, record.makespan_ps
    energy, areas = energy_of(record), area(soc)
    array_ps = mean_over_cores(record)
    macs_executed = executed(record)
    cycles = record.array_cycles
    pes = soc.array.rows * soc.array.cols * soc.cores
    stalls = Stalls(record)
    layers = [layer_statistics(record, layer, energy, stalls) for layer in program.layers]
    return {
        "schema": SCHEMA,
        "version": soc_sim.__version__,
        "config": dict(config),
        "seed": seed,
        "network": program.network,
        "latency_s": latency_ps / PS_PER_S,
        "latency_ps": latency_ps,
        **energy_statistics(energy, record, power),
        "area_mm2": sum(areas.by_component.values()),
        "area": areas.by_component,
        "macs": program.macs,
        "macs_executed": macs_executed,
        "macs_gated": energy.counts.macs_gated,
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
        "system_sram": memory_statistics(record, "system_sram") if soc.system_sram is not None else None,
        "interconnect": {
            "bytes": dict(record.interconnect_bytes),
            "busy_s": {name: span / PS_PER_S for name, span in record.interconnect_busy_ps.items()},
        },
        "initiators": initiator_statistics(record, energy.background_j),
        "memory": memory_fit(record),
        "memory_map": memory_map(record),
        "layers": layers,
        "simulation": {"events": record.events, "wall_s": wall_s, **ways_of_service(record)},
        "warnings": [
            *program.warnings,
            *energy.estimate.warnings,
            *without_total(energy.estimate),
            *areas.warnings,
        ],
    }
