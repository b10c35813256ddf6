"""The document of `scenario --json`: what became of each stream, and what the machine did meanwhile.

- latency: from the arrival of a request to the end of its inference; of completed requests only.
- deadline misses: requests that ended late, or whose deadline passed before the end of the scenario without an answer.
- utilisation of a core: share of the time in which its array computed; of a stream: that part of it.
- energy of a request: what the stream's layers took, by MACs, bytes, operations and the array's time, over completed
  requests. What time costs (leakage) while arrays have nothing to do is not among them, but in ``idle_energy_j``.
- mean in system: requests that have arrived and are not complete, averaged over time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import soc_sim
from soc_sim.compiler.program import Compute
from soc_sim.config.power import PowerReport
from soc_sim.energy.area import area
from soc_sim.energy.lines import J_PER_PJ
from soc_sim.energy.run import RunEnergy, energy_of
from soc_sim.observe.replacing import replacing
from soc_sim.observe.result import Fields
from soc_sim.observe.statistics.cores import core_statistics
from soc_sim.observe.statistics.energy import energy_statistics, without_total
from soc_sim.observe.statistics.initiators import initiator_statistics, latency_statistics
from soc_sim.observe.statistics.memories import memory_statistics
from soc_sim.scenario.programs import Mapped
from soc_sim.system import RunRecord, ScenarioRecord, StreamRecord
from soc_sim.units import PS_PER_S

SCHEMA = 1
"""Version of the document; it grows when keys are added."""


class StreamOutcome(Fields):
    """One stream; its attributes are the keys of ``streams`` in the JSON document."""

    def __repr__(self) -> str:
        return f"<{self.name}: {self.completed} of {self.requests} completed, {self.deadline_misses} late>"


class Outcome(Fields):
    """One scenario; its attributes are the keys of the JSON document."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.streams = tuple(StreamOutcome(stream) for stream in document["streams"])

    def __repr__(self) -> str:
        return f"<{self.elapsed_s:.6g} s: {', '.join(map(repr, self.streams))}>"

    def to_json(self) -> str:
        """The document of ``scenario --json``."""
        return json.dumps(self.document, indent=2, ensure_ascii=False, allow_nan=False)

    def write_json(self, path: str | Path) -> None:
        """Write the document to a file, which appears whole or not at all.

        Raises:
            InputError: ``path`` cannot be written.
        """
        with replacing(Path(path)) as file:
            file.write(self.to_json() + "\n")


def outcome_document(
    record: ScenarioRecord,
    streams: Sequence[Mapped],
    *,
    config: Mapping[str, Any],
    seed: int,
    power: PowerReport | None = None,
) -> dict[str, Any]:
    """The JSON document; ``config`` is embedded as it is."""
    machine = record.machine
    soc = machine.soc
    energy, areas = energy_of(machine), area(soc)
    idle_j = _idle_energy(machine, energy)
    return {
        "schema": SCHEMA,
        "version": soc_sim.__version__,
        "kind": "scenario",
        "config": dict(config),
        "seed": seed,
        "elapsed_s": machine.makespan_ps / PS_PER_S,
        "streams": [
            _stream(machine, one, mapped, _energy_of(one, energy.layers_j, idle_j))
            for one, mapped in zip(record.streams, streams, strict=True)
        ],
        "cores": [
            {"utilisation": _busy_ps(machine, core) / machine.makespan_ps} | core_statistics(machine, core)
            for core in range(soc.cores)
        ],
        "initiators": initiator_statistics(machine, energy.background_j),
        "interconnect": {
            "busy_s": {name: span / PS_PER_S for name, span in machine.interconnect_busy_ps.items()},
        },
        "dram": memory_statistics(machine, "dram"),
        "weight_memory": memory_statistics(machine, "weight_memory") if soc.weight_memory is not None else None,
        "system_sram": memory_statistics(machine, "system_sram") if soc.system_sram is not None else None,
        **energy_statistics(energy, machine, power),
        "idle_energy_j": None if idle_j is None else sum(idle_j),
        "area_mm2": sum(areas.by_component.values()),
        "simulation": {"events": machine.events},
        "warnings": [
            *machine.program.warnings,
            *energy.estimate.warnings,
            *without_total(energy.estimate),
            *areas.warnings,
        ],
    }


def _stream(machine: RunRecord, record: StreamRecord, mapped: Mapped, energy_j: float | None) -> dict[str, Any]:
    elapsed_ps, description, program, cores = machine.makespan_ps, mapped.stream, mapped.program, mapped.cores
    latencies_ps = np.sort(
        np.array([one.end_ps - one.submitted_ps for one in record.inferences if one.end_ps is not None], np.int64)
    )
    completed = len(latencies_ps)
    present_ps = sum((elapsed_ps if one.end_ps is None else one.end_ps) - one.submitted_ps for one in record.inferences)
    busy_ps = sum(_busy_ps(machine, core, record.layers) for core in cores)
    misses = sum(
        one.deadline_ps is not None and (elapsed_ps if one.end_ps is None else one.end_ps) > one.deadline_ps
        for one in record.inferences
    )
    return {
        "name": description.name,
        "network": program.network,
        "cores": list(cores),
        "requests": len(record.inferences),
        "completed": completed,
        "unfinished": len(record.inferences) - completed,
        "throughput_per_s": completed * PS_PER_S / elapsed_ps,
        **latency_statistics(latencies_ps),
        "deadline_s": None if description.deadline_ps is None else description.deadline_ps / PS_PER_S,
        "deadline_misses": misses,
        "mean_in_system": present_ps / elapsed_ps,
        "utilisation": busy_ps / (elapsed_ps * len(cores)),
        "macs_executed": sum(
            machine.executions[index] * instruction.counts.macs
            for index, instruction in zip(record.instructions, program.instructions, strict=True)
            if isinstance(instruction, Compute)
        ),
        "energy_j": energy_j,
        "energy_per_request_j": energy_j / completed if energy_j is not None and completed else None,
    }


def _busy_ps(machine: RunRecord, core: int, layers: range | None = None) -> int:
    return sum(
        span_ps
        for (layer, cause), span_ps in machine.cores[core].array_ps.items()
        if cause == "busy" and (layers is None or layer in layers)
    )


def _idle_energy(machine: RunRecord, energy: RunEnergy) -> list[float] | None:
    """Layer → what time cost while the arrays had nothing to do and it was the next; None where it is not known."""
    if energy.estimate.total_j is None:
        return None
    time_j = sum(line.energy_pj for line in energy.estimate.lines if line.driver == "time") * J_PER_PJ
    idle_ps = [0] * len(machine.program.layers)
    for core in machine.cores:
        for (layer, cause), span_ps in core.array_ps.items():
            if cause == "idle" and layer >= 0:
                idle_ps[layer] += span_ps
    return [time_j * span_ps / (machine.makespan_ps * len(machine.cores)) for span_ps in idle_ps]


def _energy_of(record: StreamRecord, layers_j: list[float | None], idle_j: list[float] | None) -> float | None:
    if idle_j is None:
        return None
    return sum((layers_j[layer] or 0.0) - idle_j[layer] for layer in record.layers)
