"""Gives every storage an address: weights one after another, activations by lifetime, so that space is used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 64
"""Storages and weight tiles start at multiples of this many bytes: a cache line, and no less than most bursts."""


def align(address: int) -> int:
    """The next address at which something may start."""
    return -(-address // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From the first layer that writes a storage to the last that uses it, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Where activations lie."""

    addresses: dict[str, int]
    predecessors: dict[str, tuple[str, ...]]
    """Storage → storages that lay in its bytes before."""
    peak_bytes: int
    """Highest sum of what is alive at once."""
    end: int
    """First address behind all of them."""


def place(sizes: Mapping[str, int], lifetimes: Mapping[str, Lifetime], base: int) -> Plan:
    """Largest storage first, each at the lowest address that is free during its whole life.

    Greedy by size (Pisarchyk and Lee, arXiv:2001.03288, section 5.1), which stays within a few percent of the peak.
    """
    order = sorted(sizes, key=lambda name: (-sizes[name], lifetimes[name].first, name))
    addresses: dict[str, int] = {}
    placed: list[tuple[int, int, str]] = []
    for name in order:
        life, address = lifetimes[name], base
        for start, stop, other in sorted(placed):
            rival = lifetimes[other]
            if rival.last < life.first or life.last < rival.first:
                continue
            if address + sizes[name] <= start:
                break
            address = max(address, align(stop))
        addresses[name] = address
        placed.append((address, address + sizes[name], name))
    return Plan(
        addresses,
        _predecessors(placed, lifetimes),
        _peak(sizes, lifetimes),
        max((stop for _, stop, _ in placed), default=base),
    )


def _predecessors(
    placed: Sequence[tuple[int, int, str]], lifetimes: Mapping[str, Lifetime]
) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(
            other
            for other_start, other_stop, other in placed
            if other_start < stop and start < other_stop and lifetimes[other].last < lifetimes[name].first
        )
        for start, stop, name in placed
    }


def _peak(sizes: Mapping[str, int], lifetimes: Mapping[str, Lifetime]) -> int:
    changes: dict[int, int] = {}
    for name, life in lifetimes.items():
        changes[life.first] = changes.get(life.first, 0) + sizes[name]
        changes[life.last + 1] = changes.get(life.last + 1, 0) - sizes[name]
    alive = peak = 0
    for layer in sorted(changes):
        alive += changes[layer]
        peak = max(peak, alive)
    return peak
