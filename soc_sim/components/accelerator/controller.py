"""The controller: hands the instructions whose turn it is to the units of its core, in program order.

Each costs ``dispatch_cycles``; a unit whose queue is full holds up all that come later. Which inference's turn it is
says the scheduler. Space of a memory that several operands share is asked for here, in program order: what an earlier
instruction needs cannot be taken by a later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soc_sim.compiler.program import Compute, Instruction, Load
from soc_sim.components.accelerator.scheduler import Scheduler, Turn
from soc_sim.config.core import Controller as Description
from soc_sim.kernel import Clock, Component, CreditPool, Dispatched, Ledger, Mailbox, Simulation
from soc_sim.kernel.simulation import Event, Process


class Controller(Component):
    """Hands out step after step, as long as there are any."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        queues: Mapping[str, Mailbox[Dispatched[Any]]],
        scheduler: Scheduler,
        core: int,
        shared: Mapping[str, CreditPool] | None = None,
    ) -> None:
        """``shared``: operand → space of the memory that it shares with others."""
        super().__init__(simulation, name)
        self.clock = Clock(description.clock_hz)
        self._dispatch_cycles = description.dispatch_cycles
        self._queues = queues
        self._scheduler = scheduler
        self._core = core
        self._shared = shared or {}
        self.dispatched = 0
        self.ledger = Ledger()
        """``busy`` handing over, ``wait_buffer`` while a unit's instruction queue is full."""
        self._track = simulation.track(name, "tiles")

    @property
    def longest_dispatch_ps(self) -> int:
        """One instruction, and the edge before it."""
        return self.clock.span_ps(self._dispatch_cycles + 1)

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        position = 0
        while True:
            turn = self._scheduler.turn(self._core, position)
            if turn is None:
                return
            if not isinstance(turn, Turn):
                yield turn
                continue
            yield from self._hand_out(turn)
            position += 1

    def _hand_out(self, turn: Turn) -> Process:
        simulation, cycles, inference = self.simulation, self._dispatch_cycles, turn.inference
        for instruction, unit in turn.step.routes.get(self._core, ()):
            if instruction.index in inference.settled:
                continue
            queue, layer = self._queues[unit], inference.first_layer + instruction.layer
            # There was nothing to hand out until now.
            self.ledger.record(simulation.now_ps, "idle", layer)
            if (room := queue.room()) is not None:
                self.waiting = f"instruction {instruction.index} needs room in the queue of {unit}, depth {queue.depth}"
                yield room
                self.ledger.record(simulation.now_ps, "wait_buffer", layer)
            start_ps = simulation.now_ps
            if cycles:
                yield self.clock.wait(simulation, cycles)
                self.ledger.record(simulation.now_ps, "busy", layer)
            space = self._ask(instruction) if self._shared else None
            queue.put(Dispatched(instruction, inference, simulation.now_ps, space))
            self.dispatched += 1
            if self._track is not None:
                self._track.slice(unit, start_ps, simulation.now_ps, layer, inference.first_index + instruction.index)
        self.waiting = None

    def _ask(self, instruction: Instruction) -> Event | None:
        match instruction:
            case Load(buffer=operand, buffer_bytes=size_bytes):
                pass
            case Compute(output_bytes=size_bytes):
                operand = "outputs"
            case _:
                return None
        pool = self._shared.get(operand)
        return None if pool is None or not size_bytes else pool.ask(size_bytes)
