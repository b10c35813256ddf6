"""Expands compressed weights between interconnect and buffer, where an SoC does that on the way in.

Modelled: a rate of expanded bytes, served in order of arrival, and a latency; the requests of what waits here still
count as under way, so a decompressor that cannot keep up holds up its channel. A load's bytes are taken to expand
evenly. Left out: how far one chunk's zeros differ from another's.
"""

from __future__ import annotations

from collections.abc import Callable

from soc_sim.components.dma.buffer import Buffer
from soc_sim.config.core import LoadDecompression
from soc_sim.kernel import Clock, Simulation, Transfer


class Decompressor:
    """The one of a DMA channel."""

    def __init__(self, simulation: Simulation, name: str, description: LoadDecompression, clock: Clock) -> None:
        self._simulation, self._clock, self._description = simulation, clock, description
        self._track = simulation.track(name, "transfers")
        self._free_ps = 0
        self.expanded_bytes = 0
        """Handed on to the buffer so far."""

    def expansion(self, stored_bytes: int, expanded_bytes: int, buffer: Buffer) -> Expansion:
        """That of one load."""
        return Expansion(self, stored_bytes, expanded_bytes, buffer)

    def pass_on(self, first_byte: int, end_byte: int, layer: int, done: Callable[[], None]) -> None:
        """Bytes of a load, counted as they leave here, have arrived; ``done`` is called when the buffer has them."""
        clock, width = self._clock, self._description.bytes_per_cycle
        start_ps = clock.after_ps(max(self._simulation.now_ps, self._free_ps), 0)
        self._free_ps = clock.after_ps(start_ps, -(-end_byte // width) - -(-first_byte // width))
        self.expanded_bytes += end_byte - first_byte
        if self._track is not None and start_ps < self._free_ps:
            self._track.slice("expand", start_ps, self._free_ps, layer)
        self._simulation.call_at(clock.after_ps(self._free_ps, self._description.latency_cycles), done)


class Expansion:
    """What of a load has arrived, and what of it has been handed on."""

    def __init__(self, decompressor: Decompressor, stored_bytes: int, expanded_bytes: int, buffer: Buffer) -> None:
        self._decompressor, self._buffer = decompressor, buffer
        self._stored_bytes, self._expanded_bytes = stored_bytes, expanded_bytes
        self._arrived_bytes = 0

    def arrived(self, transfer: Transfer, done: Callable[[], None]) -> None:
        """A part of the load has left the interconnect."""
        first = self._expanded_bytes * self._arrived_bytes // self._stored_bytes
        self._arrived_bytes += transfer.size_bytes
        self._pass_on(first, self._expanded_bytes * self._arrived_bytes // self._stored_bytes, transfer.layer, done)

    def zeros(self, layer: int, done: Callable[[], None]) -> None:
        """Nothing is stored of the load, so that nothing will arrive: all of it is zeros."""
        self._pass_on(0, self._expanded_bytes, layer, done)

    def _pass_on(self, first_byte: int, end_byte: int, layer: int, done: Callable[[], None]) -> None:
        def expanded() -> None:
            self._buffer.moved(end_byte - first_byte, write=True)
            done()

        self._decompressor.pass_on(first_byte, end_byte, layer, expanded)
