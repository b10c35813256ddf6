"""Who wrote and who read which bytes: the dependencies between instructions.

Loads wait for the stores that wrote what they read, byte range by byte range; whatever writes into reused space waits
for the last users of what lay there. Transfers of one core's buffer complete in program order, and so do the operators
that a core hands to the host, so the latest instruction of each unit stands for all before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Unit = tuple[int, str]
"""Core and buffer, or core and :data:`HOST`."""
HOST = "host"


@dataclass(slots=True)
class _History:
    writes: list[tuple[int, int, int, Unit]] = field(default_factory=list)
    """First byte, end, instruction, unit."""
    writers: set[Unit] = field(default_factory=set)
    """All units among them."""
    users: dict[Unit, int] = field(default_factory=dict)
    """Unit → its latest instruction that read or wrote here."""


class Hazards:
    """Bookkeeping while instructions are emitted in program order."""

    def __init__(self, roots: Iterable[str], predecessors: Mapping[str, tuple[str, ...]]) -> None:
        self._histories = {root: _History() for root in roots}
        self._predecessors = predecessors
        self._settled: set[tuple[str, Unit]] = set()

    def read(self, root: str, span: tuple[int, int], index: int, unit: Unit) -> set[int]:
        """Notes a read, and returns what must be complete before (nothing, for constants)."""
        if root not in self._histories:
            return set()
        history = self._histories[root]
        history.users[unit] = index
        low, high = span
        latest: dict[Unit, int] = {}
        for start, stop, writer, by in reversed(history.writes):
            if start < high and low < stop and by not in latest:
                latest[by] = writer
                if len(latest) == len(history.writers):
                    break
        return set(latest.values())

    def write(self, root: str, span: tuple[int, int], index: int, unit: Unit) -> set[int]:
        """Notes a write, and returns what must be complete before: the last users of the space's earlier tenants."""
        history = self._histories[root]
        history.writes.append((*span, index, unit))
        history.writers.add(unit)
        history.users[unit] = index
        if (root, unit) in self._settled:
            return set()
        self._settled.add((root, unit))
        latest: dict[Unit, int] = {}
        for tenant in self._predecessors.get(root, ()):
            for user, last in self._histories[tenant].users.items():
                if user != unit:
                    latest[user] = max(last, latest.get(user, -1))
        return set(latest.values())
