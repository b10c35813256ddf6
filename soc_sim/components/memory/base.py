"""The contract of a memory, and what all memories count."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from mypy_extensions import mypyc_attr

from soc_sim.kernel import Component, Simulation, Transfer
from soc_sim.units import PS_PER_S


@mypyc_attr(allow_interpreted_subclasses=True)
class Memory(Component):
    """A target at the end of the interconnect.

    A memory serves a transfer by setting ``data_start_ps`` (a read: when its first data leave; a write: when they are
    taken) and ``data_end_ps``, and calls ``transfer.done`` once, at the simulated time at which the last byte has been
    served.
    A write arrives with its first data; its ``data_end_ps`` then says when the last will be offered.
    """

    max_outstanding: int
    """Bus requests the memory holds; the interconnect keeps further ones waiting, and arbitrates among them."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        super().__init__(simulation, name)
        self._track = simulation.track(name, "transfers")
        self.read_bytes = 0
        self.write_bytes = 0
        self.busy_ps = 0
        """Time during which the data path moved data (mean over channels)."""
        self._ps_per_byte: float | None = None
        """At the highest rate; None: to be worked out."""

    @property
    @abstractmethod
    def peak_bytes_per_s(self) -> float | None:
        """Highest possible rate of reads; None: unlimited."""

    @abstractmethod
    def submit(self, transfer: Transfer) -> None:
        """Take a transfer that arrives now."""

    def finish(self) -> None:
        """Bring counters that depend on elapsed time up to date, at the end of the run."""

    def counters(self) -> dict[str, Any]:
        """What happened, for statistics and energy."""
        return {"read_bytes": self.read_bytes, "write_bytes": self.write_bytes, "busy_ps": self.busy_ps}

    def _serve(self, transfer: Transfer, start_ps: int, end_ps: int, done_ps: int) -> None:
        """Count the transfer, record it, and call back at ``done_ps``."""
        self._record(transfer, start_ps, end_ps)
        self.simulation.send(transfer, done_ps, transfer.done)

    def _record(self, transfer: Transfer, start_ps: int, end_ps: int) -> None:
        """Count the transfer and write down when its data moved."""
        transfer.data_start_ps = start_ps
        transfer.data_end_ps = end_ps
        size_bytes, ps_per_byte = transfer.size_bytes, self._ps_per_byte
        if ps_per_byte is None:
            rate = self.peak_bytes_per_s
            ps_per_byte = self._ps_per_byte = PS_PER_S / rate if rate else 0.0
        transfer.data_ps = int(size_bytes * ps_per_byte)
        if transfer.write:
            self.write_bytes += size_bytes
        else:
            self.read_bytes += size_bytes
        if self._track is not None:
            kind = "write" if transfer.write else "read"
            self._track.slice(f"{kind} {transfer.initiator}", start_ps, end_ps, transfer.layer)
