"""What background initiators ask for: patterns placed in memory, or what a file recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soc_sim.components.background.patterns import Due, requests
from soc_sim.components.memory.dram.trace import read_trace
from soc_sim.config.background import Background
from soc_sim.config.references import PACKAGE, package_file
from soc_sim.config.soc import Soc
from soc_sim.system.layout import Layout


def background_requests(soc: Soc, layout: Layout, seed: int) -> list[Iterator[Due]]:
    """For each background initiator of an SoC, its requests in order of time.

    Raises:
        InputError: a recording cannot be read, or leaves its memory.
    """
    return [
        requests(description, layout.bases[description.name], seed)
        if description.trace is None
        else iter(_recorded(soc, description, description.trace))
        for description in soc.background
    ]


def _recorded(soc: Soc, description: Background, trace: str) -> list[Due]:
    path = package_file(trace) if trace.startswith(PACKAGE) else Path(trace)
    capacity_bytes: int = getattr(soc, description.memory).capacity_bytes
    recorded = (
        Due(request.arrival_ps, request.address, request.size_bytes, request.write)
        for request in read_trace(path, capacity_bytes)
    )
    return sorted(recorded, key=lambda request: request.due_ps)
