"""Who is next when several initiators wait for one target. Decided when the target has room, never ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from soc_sim.kernel import Transfer


class Arbiter:
    """Queues by initiator; among those of equal rank the turn goes round, starting after the last one served.

    A rank is a place in ``priorities`` (the first is the highest); initiators not named share the lowest. With no
    priorities this is plain round robin.
    """

    def __init__(self, initiators: Sequence[str], priorities: Sequence[str]) -> None:
        self._queues: dict[str, deque[Transfer]] = {name: deque() for name in initiators}
        lowest = len(priorities)
        ranks = {name: priorities.index(name) if name in priorities else lowest for name in initiators}
        self._ranks = [[name for name in initiators if ranks[name] == rank] for rank in range(lowest + 1)]
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def push(self, transfer: Transfer) -> None:
        """A transfer waits."""
        self._queues[transfer.initiator].append(transfer)
        self._waiting += 1

    def peek(self) -> Transfer:
        """The transfer whose turn it is."""
        return self._queues[self._next()][0]

    def pop(self) -> Transfer:
        """Take the transfer whose turn it is; the turn goes on."""
        name = self._next()
        for rank in self._ranks:
            if name in rank:
                behind = rank.index(name) + 1
                rank[:] = rank[behind:] + rank[:behind]
        self._waiting -= 1
        return self._queues[name].popleft()

    def _next(self) -> str:
        return next(name for rank in self._ranks for name in rank if self._queues[name])
