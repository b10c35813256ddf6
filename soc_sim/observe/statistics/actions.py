"""MACs of a run."""

from __future__ import annotations

from soc_sim.compiler.program import Compute
from soc_sim.system import RunRecord


def executed(record: RunRecord) -> int:
    """MACs that the PEs performed, injected zeros included."""
    done = record.executions
    return sum(i.counts.macs * done[i.index] for i in record.program.instructions if isinstance(i, Compute))
