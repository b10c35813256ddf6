"""Gives every storage an address: weights one after another, activations by lifetime, so that space is used again."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 64
"""Storages and weight tiles start at multiples of so many bytes at least: a cache line, and as much as most bursts."""


def alignment(access_bytes: int) -> int:
    """Where storages and weight tiles start in a memory with such accesses: none of them shares one with another."""
    return access_bytes if access_bytes > ALIGNMENT and access_bytes.bit_count() == 1 else ALIGNMENT


def align(address: int, unit_bytes: int = ALIGNMENT) -> int:
    """The next address at which something may start."""
    return -(-address // unit_bytes) * unit_bytes


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


class Space:
    """Addresses of a memory, taken for parts of a program."""

    def __init__(self, base: int = 0, unit_bytes: int = ALIGNMENT) -> None:
        self._base, self._unit_bytes = base, unit_bytes
        self._placed: list[tuple[int, int, str]] = []
        self._lifetimes: dict[str, Lifetime] = {}
        self._sizes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._placed)

    def lowest(self, size: int, life: Lifetime) -> int:
        """The lowest address at which ``size`` bytes are free during a life."""
        address = self._base
        for start, stop, other in self._placed:
            rival = self._lifetimes[other]
            if rival.last < life.first or life.last < rival.first:
                continue
            if address + size <= start:
                break
            address = max(address, align(stop, self._unit_bytes))
        return address

    def put(self, name: str, size: int, life: Lifetime) -> int:
        """Place a storage at the lowest address, which is returned."""
        address = self.lowest(size, life)
        insort(self._placed, (address, address + size, name))
        self._lifetimes[name], self._sizes[name] = life, size
        return address

    def plan(self, shift: int = 0) -> Plan:
        """All that has been placed, ``shift`` bytes further up."""
        return Plan(
            {name: start + shift for start, _, name in self._placed},
            _predecessors(self._placed, self._lifetimes),
            peak_bytes(self._sizes, self._lifetimes),
            shift + max((stop for _, stop, _ in self._placed), default=self._base),
        )


def place(sizes: Mapping[str, int], lifetimes: Mapping[str, Lifetime], base: int, unit_bytes: int = ALIGNMENT) -> Plan:
    """Largest storage first, each at the lowest address that is free during its whole life.

    Greedy by size (Pisarchyk and Lee, arXiv:2001.03288, section 5.1), which stays within a few percent of the peak.
    """
    space = Space(base, unit_bytes)
    for name in sorted(sizes, key=lambda name: (-sizes[name], lifetimes[name].first, name)):
        space.put(name, sizes[name], lifetimes[name])
    return space.plan()


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


def peak_bytes(sizes: Mapping[str, int], lifetimes: Mapping[str, Lifetime]) -> int:
    """Highest sum of what is alive at once."""
    changes: dict[int, int] = {}
    for name, life in lifetimes.items():
        changes[life.first] = changes.get(life.first, 0) + sizes[name]
        changes[life.last + 1] = changes.get(life.last + 1, 0) - sizes[name]
    alive = peak = 0
    for layer in sorted(changes):
        alive += changes[layer]
        peak = max(peak, alive)
    return peak
