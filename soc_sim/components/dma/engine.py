"""A DMA channel: takes loads and stores in order, waits for what they need, and hands their regions to an issuer.

Modelled: set-up per descriptor (1-D or 2-D region), a limit on requests under way, space in the target buffer. The
channel goes on to the next instruction once it has handed one over, so latency is paid once, not per descriptor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from soc_sim.compiler.program import Load, Store
from soc_sim.config.core import Dma as Description
from soc_sim.kernel import (
    Cause,
    Clock,
    Component,
    CreditPool,
    Dispatched,
    InitiatorPort,
    Issuer,
    Mailbox,
    Scoreboard,
    Simulation,
)
from soc_sim.kernel.simulation import Process


class Buffer(Protocol):
    """What the DMA sees of a scratchpad."""

    @property
    def space(self) -> CreditPool: ...  # noqa: D102

    def moved(self, size_bytes: int, *, write: bool) -> None:
        """Bytes have been moved in or out."""


class DmaChannel(Component):
    """One in-order queue of transfers with a port of its own."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        buffers: Mapping[str, Buffer],
        scoreboard: Scoreboard,
        queue: Mailbox[Dispatched[Load | Store]],
        is_host: Callable[[int], bool],
    ) -> None:
        """``is_host``: whether the instruction of an index runs on the host."""
        super().__init__(simulation, name)
        self.port = InitiatorPort(name)
        self.queue = queue
        self.issuer = Issuer(
            simulation,
            self.port,
            Clock(description.clock_hz),
            burst_bytes=description.burst_bytes,
            chunk_bytes=description.chunk_bytes,
            max_outstanding=description.max_outstanding,
            setup_cycles=description.descriptor_cycles,
        )
        self._buffers = buffers
        self._scoreboard = scoreboard
        self._is_host = is_host

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation, scoreboard = self.simulation, self._scoreboard
        while True:
            self.waiting = None
            if (filled := self.queue.filled()) is not None:
                yield filled
            instruction, base, handed_ps = self.queue.take()
            depends = [base + index for index in instruction.depends]
            if (ready := scoreboard.pending(depends)) is not None:
                self.waiting = f"instruction {instruction.index} needs {instruction.depends}"
                yield ready
            if isinstance(instruction, Store):
                self._hand_over(instruction, base, self._buffers["outputs"])
                continue
            buffer = self._buffers[instruction.buffer]
            ready_ps = simulation.now_ps
            if not buffer.space.try_take(instruction.buffer_bytes):
                self.waiting = (
                    f"load {instruction.index} needs {instruction.buffer_bytes} bytes of {buffer.space.name}, "
                    + (f"free {buffer.space.free} of {buffer.space.capacity}")
                )
                yield buffer.space.wait(instruction.buffer_bytes)
            scoreboard.waited[base + instruction.index] = (
                (handed_ps, "wait_controller"),
                (ready_ps, self._cause(depends, base)),
                (simulation.now_ps, "wait_buffer"),
            )
            self._hand_over(instruction, base, buffer)

    def _cause(self, depends: Sequence[int], base: int) -> Cause:
        """What a load waited for: the last of its dependencies was the host's or a store's."""
        completed = self._scoreboard.completed_ps
        last = max(depends, key=lambda index: completed[index] or 0, default=None)
        return "wait_host" if last is not None and self._is_host(last - base) else "wait_outputs"

    def _hand_over(self, instruction: Load | Store, base: int, buffer: Buffer) -> None:
        write = isinstance(instruction, Store)
        self._scoreboard.start(base + instruction.index)
        self.issuer.submit(
            instruction.regions,
            write=write,
            layer=instruction.layer,
            progress=partial(buffer.moved, write=not write),
            done=partial(self._complete, instruction, base, self.simulation.now_ps),
        )

    def _complete(self, instruction: Load | Store, base: int, start_ps: int) -> None:
        if isinstance(instruction, Store):
            self._buffers["outputs"].space.give(instruction.buffer_bytes)
        recorder = self.simulation.recorder
        if recorder is not None:
            kind = "store" if isinstance(instruction, Store) else "load"
            recorder.slice(
                self.name, f"{kind} {instruction.index}", start_ps, self.simulation.now_ps, instruction.layer
            )
        self._scoreboard.complete(base + instruction.index)
