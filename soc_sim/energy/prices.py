"""The energy model as prices of single actions, for a compiler that chooses by energy.

Each price is the model's own estimate of one action (``model.estimate``), so there is one set of formulas. A memory
with rows is taken to read whole bursts and to open each row once for all of its bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from soc_sim.compiler.prices import Price, Prices
from soc_sim.config.memory import Dram, Memory
from soc_sim.config.soc import MemoryName, Soc
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.energy.model import estimate
from soc_sim.errors import ConfigurationError

_MANY = 10**9
"""Actions that are priced together, so that no figure drowns in rounding."""


def prices(soc: Soc) -> Prices:
    """What one action of each kind costs on ``soc``.

    Raises:
        ConfigurationError: the energy of a memory is unknown, so nothing can be chosen by energy.
    """
    nothing: dict[str, Any] = {"elapsed_ps": 0}

    def cost(**counted: Any) -> float:
        found = estimate(soc, Counts(**{**nothing, **counted}))
        if found.total_j is None:
            raise ConfigurationError(*(f"mapping.objective: needs every energy, but {why}" for why in found.warnings))
        return found.total_j * 1e12 / _MANY

    def buffer(name: str) -> Price:
        kinds = (Traffic(read_bytes=_MANY), Traffic(written_bytes=_MANY))
        return Price(*(cost(**{f"{name}_buffer": traffic}) for traffic in kinds))

    memories: dict[MemoryName, Price] = {
        name: Price(
            cost(**{name: _moved(memory, read=True)}),
            # Nobody writes weights.
            0.0 if name == "weight_memory" else cost(**{name: _moved(memory, read=False)}),
        )
        for name, memory in soc.memories.items()
    }
    return Prices(
        mac_pj=cost(macs=_MANY),
        idle_pj=cost(idle_pe_cycles=_MANY),
        register_read_pj=cost(register_read_bytes=_MANY),
        register_write_pj=cost(register_write_bytes=_MANY),
        next_pe_pj=cost(pe_to_pe_bytes=_MANY),
        weights=buffer("weights"),
        inputs=buffer("inputs"),
        outputs=buffer("outputs"),
        interconnect_pj_per_byte=cost(interconnect_bytes=_MANY),
        memories=memories,
        host_operation_pj=cost(host_operations={"any": _MANY}),
        standby_w=cost(elapsed_ps=_MANY),
    )


def _moved(memory: Memory, *, read: bool) -> MemoryCounts:
    """So many bytes, one row after another."""
    moved = MemoryCounts(read_bytes=_MANY) if read else MemoryCounts(written_bytes=_MANY)
    if isinstance(memory, Dram):
        bursts = _MANY // memory.burst_bytes
        rows = _MANY // memory.row_bytes
        read_bursts, write_bursts = (bursts, 0) if read else (0, bursts)
        moved = replace(moved, activates=rows, read_bursts=read_bursts, write_bursts=write_bursts)
    return moved
