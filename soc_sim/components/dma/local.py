"""A DMA channel's own way from buffer to buffer, for results that are kept on chip.

Modelled: one data path of a fixed width, served in order; accesses count at both buffers. Nothing passes the
interconnect.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from soc_sim.components.dma.buffer import Buffer
from soc_sim.kernel import Clock, Component, InitiatorPort, Simulation, Timeline, Transfer


class LocalPath(Component):
    """Takes a channel's transfers: those to a buffer move here, the others leave by ``port``."""

    def __init__(
        self,
        simulation: Simulation,
        port: InitiatorPort,
        clock: Clock,
        width_bytes: int | None,
        buffers: Mapping[str, Buffer],
    ) -> None:
        """``buffers``: memory that is a buffer of this core → the buffer; ``width_bytes``: None: no bound."""
        super().__init__(simulation, port.name)
        self._port, self._clock, self._width_bytes, self._buffers = port, clock, width_bytes, buffers
        self._path = Timeline()
        self._track = simulation.track(f"{port.name}.local", "transfers")
        self.moved_bytes = 0
        """From buffer to buffer."""

    def submit(self, transfer: Transfer) -> None:
        """Move the transfer's lines in whole beats, or pass it on."""
        buffer = self._buffers.get(transfer.memory)
        if buffer is None:
            self._port.submit(transfer)
            return
        now_ps = self.simulation.now_ps
        width_bytes = self._width_bytes
        beats = 0 if width_bytes is None else -(-transfer.line_bytes // width_bytes) * transfer.lines
        start_ps = self._path.book(max(now_ps, self._clock.start_ps), self._clock.span_ps(beats))
        end_ps = self._path.free_ps
        transfer.data_start_ps, transfer.data_end_ps, transfer.data_ps = start_ps, end_ps, end_ps - start_ps
        transfer.served_ps = transfer.delivered_ps = end_ps
        self.moved_bytes += transfer.size_bytes
        if self._track is not None and beats:
            self._track.slice("move", start_ps, end_ps, transfer.layer)
        self.simulation.send(transfer, end_ps, partial(self._moved, buffer))

    def _moved(self, buffer: Buffer, transfer: Transfer) -> None:
        buffer.moved(transfer.size_bytes, write=True)
        transfer.done(transfer)
