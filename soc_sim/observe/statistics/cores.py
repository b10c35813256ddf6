"""Where the time of the arrays went, and what passed their buffers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from soc_sim.kernel import CAUSES, Cause
from soc_sim.system import RunRecord
from soc_sim.system.record import BufferRecord
from soc_sim.units import PS_PER_S


def mean_over_cores(record: RunRecord) -> dict[Cause, int]:
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


def core_statistics(record: RunRecord, index: int) -> dict[str, Any]:
    """One core: its array's time by cause, and its buffers."""
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
                **({"operands": _operands(buffer)} if len(buffer.operands) > 1 else {}),
            }
            for name, buffer in core.buffers.items()
        },
    }


def _operands(buffer: BufferRecord) -> dict[str, dict[str, int]]:
    """Traffic of the operands that share a buffer."""
    return {operand: asdict(traffic) for operand, traffic in buffer.operands.items()}


def component_time(record: RunRecord) -> dict[str, dict[Cause, float]]:
    """Component → cause → seconds, which sum to the makespan.

    Memories and paths of the interconnect do not wait for anybody: they are busy while they move data (the mean over
    channels), else idle.
    """
    ledgers: dict[str, Mapping[tuple[int, Cause], int]] = {}
    for index, core in enumerate(record.cores):
        ledgers |= {f"core{index}.array": core.array_ps, **core.units_ps}
    ledgers["host"] = record.host_ps
    times: dict[str, dict[Cause, float]] = {}
    for name, spans_ps in ledgers.items():
        by_cause = Counter[Cause]()
        for (_, cause), span_ps in spans_ps.items():
            by_cause[cause] += span_ps
        times[name] = {cause: by_cause[cause] / PS_PER_S for cause in CAUSES if by_cause[cause]}
    moving_ps = {name: counters["busy_ps"] for name, counters in record.memories.items()} | record.interconnect_busy_ps
    for name, busy_ps in moving_ps.items():
        times[name] = {"busy": busy_ps / PS_PER_S, "idle": (record.makespan_ps - busy_ps) / PS_PER_S}
    return times
