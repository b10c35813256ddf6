"""Stand-ins for components, so simple that what to expect of them is a formula."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from soc_sim.kernel import Detail, Simulation, Track, Transfer


class FixedLatency:
    """A target that completes every transfer ``latency_ps`` after its arrival, any number of them at once."""

    def __init__(self, simulation: Simulation, latency_ps: int = 0, name: str = "target") -> None:
        self.name = name
        self.arrivals: list[tuple[int, Transfer]] = []
        """When each transfer arrived."""
        self.under_way = 0
        """Requests that have not been answered yet."""
        self.most_under_way = 0
        self._simulation = simulation
        self._latency_ps = latency_ps

    def submit(self, transfer: Transfer) -> None:
        """Take a transfer; the answer follows after the latency."""
        now_ps = self._simulation.now_ps
        self.arrivals.append((now_ps, transfer))
        self.under_way += transfer.requests
        self.most_under_way = max(self.most_under_way, self.under_way)
        self._simulation.call_at(now_ps + self._latency_ps, partial(self._answer, transfer))

    def _answer(self, transfer: Transfer) -> None:
        self.under_way -= transfer.requests
        transfer.data_start_ps = transfer.data_end_ps = self._simulation.now_ps
        transfer.done(transfer)


class Completions:
    """Notes when each of its transfers was completed; use :meth:`read` and :meth:`write` to make them."""

    def __init__(self, simulation: Simulation) -> None:
        self.times_ps: list[int] = []
        """Completion times, in order of completion."""
        self.transfers: list[Transfer] = []
        """The transfers, in the same order."""
        self._simulation = simulation

    def read(self, address: int, size_bytes: int, **fields: int | str) -> Transfer:
        """A read of one line; ``fields`` replace what a transfer has by default."""
        return self._transfer(False, address, size_bytes, **fields)

    def write(self, address: int, size_bytes: int, **fields: int | str) -> Transfer:
        """A write of one line; ``fields`` replace what a transfer has by default."""
        return self._transfer(True, address, size_bytes, **fields)

    def _transfer(self, write: bool, address: int, size_bytes: int, **fields: int | str) -> Transfer:
        transfer = Transfer("initiator", "dram", write, address, size_bytes, 1, 0, 1, 0, self._done)
        for name, value in fields.items():
            setattr(transfer, name, value)
        return transfer

    def _done(self, transfer: Transfer) -> None:
        self.times_ps.append(self._simulation.now_ps)
        self.transfers.append(transfer)


class _KeptTrack:
    """Appends its slices to those of all tracks."""

    def __init__(self, taken: list[tuple[str, str, int, int, int]], name: str) -> None:
        self._taken = taken
        self._name = name

    def slice(self, name: str, start_ps: int, end_ps: int, layer: int, *_: int) -> None:
        """Keep one slice."""
        self._taken.append((self._name, name, start_ps, end_ps, layer))


class Slices:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, int, int, int]] = []
        """(track, name, start_ps, end_ps, layer), in order of recording."""

    def track(self, name: str, detail: Detail) -> Track:  # noqa: ARG002 # it wants all
        """A track whose slices are kept here."""
        return _KeptTrack(self.taken, name)

    def counter(self, name: str, unit: str) -> None:
        """Counters are not wanted."""

    def requests(self, name: str) -> None:
        """Requests are not wanted."""

    def begin(self, layers: Sequence[str]) -> None:
        """Nothing to prepare."""

    def end(self, makespan_ps: int) -> None:
        """Nothing to close."""

    def of(self, track: str) -> list[tuple[str, int, int]]:
        """(name, start_ps, end_ps) of one track."""
        return [(name, start_ps, end_ps) for owner, name, start_ps, end_ps, _ in self.taken if owner == track]
