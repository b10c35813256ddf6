"""Who is next when several initiators wait for one target. Decided when the target has room, never ahead.

Queues are kept by initiator, so that transfers of one initiator never overtake each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import lcm

from soc_sim.kernel import Transfer

Check = Callable[[Transfer], bool]


class Arbiter(ABC):
    """What waits for one target."""

    def __init__(self, initiators: Sequence[str]) -> None:
        self.queues: dict[str, deque[Transfer]] = {name: deque() for name in initiators}
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def push(self, transfer: Transfer) -> None:
        """A transfer waits."""
        self.queues[transfer.initiator].append(transfer)
        self._waiting += 1

    def passes(self, transfer: Transfer) -> None:  # noqa: B027 # not every policy takes note
        """A transfer goes without having waited."""

    @abstractmethod
    def pick(self, fits: Check, allowed: Check | None = None) -> Transfer | None:
        """Take the transfer whose turn it is; None where it does not fit yet, or nobody is allowed to go.

        Args:
            fits: Whether the target has room. A transfer that does not fit holds up all that come after it.
            allowed: Whether the initiator may go now; one that may not holds up nobody else.
        """

    def _take(self, name: str) -> Transfer:
        self._waiting -= 1
        return self.queues[name].popleft()


class Turns(Arbiter):
    """Round robin among initiators of equal rank: the turn starts after the last one served.

    A rank is a place in ``priorities`` (the first is the highest); initiators not named share the lowest.
    """

    def __init__(self, initiators: Sequence[str], priorities: Sequence[str]) -> None:
        super().__init__(initiators)
        lowest = [name for name in initiators if name not in priorities]
        self._ranks = [*([name] for name in priorities), lowest]

    def pick(self, fits: Check, allowed: Check | None = None) -> Transfer | None:
        """Of the highest rank that waits and may go, the one whose turn it is."""
        queues = self.queues
        for rank in self._ranks:
            for place, name in enumerate(rank):
                if queues[name] and (allowed is None or allowed(queues[name][0])):
                    if not fits(queues[name][0]):
                        return None
                    rank[:] = rank[place + 1 :] + rank[: place + 1]
                    return self._take(name)
        return None


class Weighted(Arbiter):
    """Bytes in proportion to weights, by self-clocked fair queueing (Golestani, INFOCOM 1994).

    A transfer is stamped on arrival with max(time, last stamp of its initiator) + size/weight, where time is the stamp
    of the transfer that went last; the smallest stamp is next. Stamps are whole numbers: sizes count in shares of the
    least common multiple of all weights.
    """

    def __init__(self, initiators: Sequence[str], weights: Mapping[str, int]) -> None:
        super().__init__(initiators)
        all_weights = {name: weights.get(name, 1) for name in initiators}
        whole = lcm(*all_weights.values())
        self._per_byte = {name: whole // weight for name, weight in all_weights.items()}
        self._last = dict.fromkeys(initiators, 0)
        self._stamps: dict[str, deque[int]] = {name: deque() for name in initiators}
        self._time = 0

    def push(self, transfer: Transfer) -> None:
        """A transfer waits."""
        super().push(transfer)
        self._stamps[transfer.initiator].append(self._stamp(transfer))

    def passes(self, transfer: Transfer) -> None:
        """A transfer goes without having waited."""
        self._time = self._stamp(transfer)

    def pick(self, fits: Check, allowed: Check | None = None) -> Transfer | None:
        """The smallest stamp among those that may go; of equals, the initiator created first."""
        queues = self.queues
        name = min(
            (name for name, queue in queues.items() if queue and (allowed is None or allowed(queue[0]))),
            key=lambda name: self._stamps[name][0],
            default=None,
        )
        if name is None or not fits(queues[name][0]):
            return None
        self._time = self._stamps[name].popleft()
        return self._take(name)

    def _stamp(self, transfer: Transfer) -> int:
        name = transfer.initiator
        stamp = max(self._time, self._last[name]) + transfer.size_bytes * self._per_byte[name]
        self._last[name] = stamp
        return stamp
