"""How a layer pipeline works at its own pace: the interval between results, and how busy each stage keeps its core.

The interval is the mean distance between the ends of successive inferences, the first of which has filled the pipeline.
In each interval a core computes its stage once.
"""

from __future__ import annotations

from typing import Any

from soc_sim.compiler.program import Compute, Program
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S


def pipeline_statistics(program: Program, record: RunRecord | None) -> dict[str, Any]:
    """The part ``pipeline`` of the document; ``record``: of several inferences in a row, or None for one alone."""
    interval_ps = None
    if record is not None:
        ends_ps = record.inference_end_ps
        interval_ps = (ends_ps[-1] - ends_ps[0]) / (len(ends_ps) - 1) or None
    return {
        "interval_s": None if interval_ps is None else interval_ps / PS_PER_S,
        "throughput_per_s": None if interval_ps is None else PS_PER_S / interval_ps,
        "expected_interval_s": program.pace.interval_ps / PS_PER_S if program.pace else None,
        "expected_bound": program.pace.bound if program.pace else None,
        "stages": [
            {
                "core": stage.core,
                "first_layer": program.layers[stage.first_layer].name,
                "last_layer": program.layers[stage.last_layer].name,
                "expected_latency_s": stage.latency_ps / PS_PER_S,
                **_use(program, record, stage.core, interval_ps),
            }
            for stage in program.stages
        ],
    }


def _use(program: Program, record: RunRecord | None, core: int, interval_ps: float | None) -> dict[str, float | None]:
    """Parts of an interval: in which the core's array computes, and of the MACs that its PEs could execute.

    Unknown where the array's frequency changes: intervals then differ, and the first inference is none of them.
    """
    if record is None or interval_ps is None or len(record.phases[record.soc.domain_of("array").name]) > 1:
        return {"occupancy": None, "utilisation": None}
    array = record.soc.array
    busy_ps = sum(span_ps for (_, cause), span_ps in record.cores[core].array_ps.items() if cause == "busy")
    macs = sum(i.counts.macs for i in program.instructions if isinstance(i, Compute) and i.core == core)
    cycles = record.array_cycles * interval_ps / record.makespan_ps
    return {
        "occupancy": busy_ps / record.inferences / interval_ps,
        "utilisation": macs / (array.rows * array.cols * cycles),
    }
