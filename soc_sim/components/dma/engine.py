"""A DMA channel: takes loads and stores in order, waits for what they need, and hands their regions to an issuer.

Modelled: set-up per descriptor (1-D or 2-D region), a limit on requests under way, space in the target buffer. The
channel goes on to the next instruction once it has handed one over, so latency is paid once, not per descriptor. A load
without regions only takes space, for a tensor that is kept there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from soc_sim.compiler.program import Load, Store
from soc_sim.components.dma.buffer import Buffer
from soc_sim.components.dma.decompressor import Decompressor
from soc_sim.components.dma.local import LocalPath
from soc_sim.config.core import Dma as Description
from soc_sim.kernel import (
    Cause,
    Clock,
    Component,
    Dispatched,
    Inference,
    InitiatorPort,
    Issuer,
    Ledger,
    Mailbox,
    Simulation,
)
from soc_sim.kernel.simulation import Process


class DmaChannel(Component):
    """One in-order queue of transfers with a port of its own."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        buffers: Mapping[str, Buffer],
        queue: Mailbox[Dispatched[Load | Store]],
        local_width_bytes: int | None,
        most_requests: int | None = None,
    ) -> None:
        """``local_width_bytes``: from buffer to buffer in a cycle; ``most_requests``: in one transfer."""
        super().__init__(simulation, name)
        self.port = InitiatorPort(name)
        self.clock = Clock(description.clock_hz)
        self.queue = queue
        in_place = {"inputs_buffer": buffers["inputs"]}
        self.local = LocalPath(simulation, self.port, self.clock, local_width_bytes, in_place)
        self.issuer = Issuer(
            simulation,
            self.local,
            self.clock,
            burst_bytes=description.burst_bytes,
            chunk_bytes=description.chunk_bytes,
            max_outstanding=description.max_outstanding,
            most_requests=most_requests,
            setup_cycles=description.descriptor_cycles,
        )
        self._buffers = buffers
        self.decompressor = None
        if description.decompression is not None:
            self.decompressor = Decompressor(simulation, f"{name}.decompression", description.decompression, self.clock)
        self._track = simulation.track(name, "tiles")
        self.ledger = Ledger()
        """Busy from the first region handed over until nothing is under way; in between, what held up the next."""
        self._held: tuple[int, Cause] = (0, "wait_controller")
        """Until when the last instruction was held up, and by what: so were all behind it."""

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation = self.simulation
        while True:
            self.waiting = None
            if (filled := self.queue.filled()) is not None:
                yield filled
            instruction, inference, handed_ps, space = self.queue.take()
            scoreboard, on_host, depends = inference.scoreboard, inference.on_host, instruction.depends
            if (ready := scoreboard.pending(depends)) is not None:
                self.waiting = f"instruction {instruction.index} needs {instruction.depends}"
                yield ready
            arrivals: list[tuple[int, Cause]] = [
                (scoreboard.time_ps(index for index in depends if index not in on_host), "wait_outputs")
            ]
            if isinstance(instruction, Load):
                buffer, ready_ps = self._buffers[instruction.buffer], simulation.now_ps
                who = f"load {instruction.index}"
                if buffer.pad.shared:
                    yield from self.await_space(space, buffer.space, instruction.buffer_bytes, who)
                else:
                    yield from self.take(buffer.space, instruction.buffer_bytes, who)
                if simulation.now_ps > ready_ps:
                    arrivals.append((simulation.now_ps, "wait_buffer"))
            else:
                buffer = self._buffers["outputs"]
            arrivals += [
                (handed_ps, "wait_controller"),
                (scoreboard.time_ps(index for index in depends if index in on_host), "wait_host"),
                self._held,
            ]
            # max() keeps the first of equals: ties go in the order of the causes.
            self._held = scoreboard.held[instruction.index] = max(arrivals, key=lambda arrival: arrival[0])
            self._hand_over(instruction, inference, buffer)

    def _hand_over(self, instruction: Load | Store, inference: Inference, buffer: Buffer) -> None:
        write = isinstance(instruction, Store)
        layer = inference.first_layer + instruction.layer
        if not self.issuer.busy:
            # What was not asked for is not waited for.
            self.ledger.record(inference.submitted_ps, "idle", layer)
            self.ledger.record(self.simulation.now_ps, self._held[1], layer)
        inference.scoreboard.start(instruction.index)
        expansion, done = None, partial(self._complete, instruction, inference, self.simulation.now_ps)
        if isinstance(instruction, Load) and instruction.expands:
            if self.decompressor is None:
                raise ValueError(f"load {instruction.index} is compressed, and {self.name} cannot expand it")
            stored_bytes = sum(region.size_bytes for region in instruction.regions)
            expansion = self.decompressor.expansion(stored_bytes, instruction.buffer_bytes, buffer)
            if not stored_bytes:
                done = partial(expansion.zeros, layer, done)
        self.issuer.submit(
            instruction.regions,
            write=write,
            layer=layer,
            progress=None if expansion else partial(buffer.moved, write=not write),
            done=done,
            address_of=inference.address_of,
            work=expansion.arrived if expansion else None,
        )

    def _complete(self, instruction: Load | Store, inference: Inference, start_ps: int) -> None:
        if isinstance(instruction, Store):
            self._buffers["outputs"].space.give(instruction.buffer_bytes)
        layer = inference.first_layer + instruction.layer
        if not self.issuer.busy:
            self.ledger.record(self.simulation.now_ps, "busy", layer)
        if self._track is not None:
            kind = "store" if isinstance(instruction, Store) else f"load {instruction.buffer}"
            self._track.slice(kind, start_ps, self.simulation.now_ps, layer, inference.first_index + instruction.index)
        inference.scoreboard.complete(instruction.index)
