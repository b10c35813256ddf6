"""Where programs and the activations of inferences under way lie in the machine's memories.

A program says where its weights and activations lie as if it were alone. The first keeps those addresses; each further
program follows behind, and so do further sets of activations: an inference must not write where the one before it still
reads, so each that is under way at the same time has a set of its own. The data of background initiators come last.
Each begins with a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from soc_sim.compiler.program import Program
from soc_sim.config.background import Background
from soc_sim.config.soc import PAGE_BYTES, MemoryName, Soc
from soc_sim.errors import MappingError
from soc_sim.kernel.issuer import RegionLike

Offsets = Mapping[MemoryName, int]


@dataclass(frozen=True)
class Layout:
    """Where everything lies."""

    sets: tuple[tuple[Callable[[RegionLike], int] | None, ...], ...]
    """For each program and each of its sets of activations: where a region lies (None: where the program says)."""
    ends: Mapping[MemoryName, int]
    """First free address of each memory."""
    bases: Mapping[str, int]
    """Name of a background initiator → where its data begin."""


def lay_out(soc: Soc, programs: Sequence[Program], most_sets: Sequence[int]) -> Layout:
    """Addresses for programs, with up to ``most_sets`` sets of activations for each, or as many as fit.

    Raises:
        MappingError: they do not fit side by side; by how much.
    """
    for limit in range(max(1, *most_sets), 0, -1) if most_sets else (1,):
        layout = _stack(programs, [min(sets, limit) for sets in most_sets], soc.background)
        excess = {
            name: end - capacity
            for name, end in layout.ends.items()
            if (capacity := _capacity(soc, name)) is not None and end > capacity
        }
        if not excess:
            return layout
    names = " and ".join((*(program.network for program in programs), *(one.name for one in soc.background)))
    raise MappingError(*(f"{names} together need {size} bytes more than {name} has" for name, size in excess.items()))


def _capacity(soc: Soc, name: MemoryName) -> int | None:
    memory = getattr(soc, name, None)
    return None if memory is None else int(memory.capacity_bytes)


def _stack(programs: Sequence[Program], sets: Sequence[int], background: Sequence[Background]) -> Layout:
    ends: dict[MemoryName, int] = {}
    placed = []
    for program, count in zip(programs, sets, strict=True):
        memory_map = program.memory_map
        base = {name: _align(ends.get(name, 0)) for name in memory_map.used_bytes}
        ends |= {name: base[name] + used for name, used in memory_map.used_bytes.items()}
        placed.append([_address_of(memory_map.activations, base, base)])
        for _ in range(1, count):
            further = dict(base)
            for name, first in memory_map.activations.items():
                further[name] = _align(ends.get(name, 0)) - first
                ends[name] = further[name] + memory_map.used_bytes[name]
            placed[-1].append(_address_of(memory_map.activations, base, further))
    bases = {}
    for initiator in background:
        bases[initiator.name] = base_of_it = _align(ends.get(initiator.memory, 0))
        ends[initiator.memory] = base_of_it + initiator.extent_bytes
    return Layout(tuple(tuple(addresses) for addresses in placed), ends, bases)


def _align(address: int) -> int:
    return -(-address // PAGE_BYTES) * PAGE_BYTES


def _address_of(first: Offsets, weights: Offsets, activations: Offsets) -> Callable[[RegionLike], int] | None:
    """``first``: the first address of the activations in each memory that holds any."""
    if not any(weights.values()) and not any(activations.values()):
        return None
    beyond = 1 << 62

    def address_of(region: RegionLike) -> int:
        name: MemoryName = region.memory  # type: ignore[assignment]  # the program's regions name memories
        moved = activations if region.address >= first.get(name, beyond) else weights
        return region.address + moved.get(name, 0)

    return address_of
