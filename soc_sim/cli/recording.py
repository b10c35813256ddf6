"""A timeline for stored results that have none: runs are deterministic, so that they can be recorded afterwards."""

from __future__ import annotations

import dataclasses
import sys

from rich.console import Console

from soc_sim.config.loader import load
from soc_sim.config.run import Run
from soc_sim.facade import simulate_run
from soc_sim.observe.figures.pack import SHOWN, pack
from soc_sim.observe.report.sources import StoredRun


def recorded(stored: StoredRun, *, quiet: bool = False) -> StoredRun:
    """The run with a timeline; one that is simulated otherwise here stays as it is, and a warning says so.

    Raises:
        SocSimError: its configuration cannot be simulated any more.
    """
    if stored.timeline is not None:
        return stored
    with Console(stderr=True, quiet=quiet or not sys.stderr.isatty()).status("simulating"):
        result = simulate_run(load(stored.document["config"], Run))
        if result.latency_ps == stored.document["latency_ps"]:
            return dataclasses.replace(stored, timeline=pack(result.timeline(SHOWN)))
    print(
        f"warning: {stored.label}: takes {result.latency_ps} ps here and {stored.document['latency_ps']} ps in the "
        "result, which another version made; its timeline is left out",
        file=sys.stderr,
    )
    return stored
