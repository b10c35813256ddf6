"""The controller: hands the instructions of the program to the units, in program order.

Each costs ``dispatch_cycles``; a unit whose queue is full holds up all that come later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soc_sim.compiler.program import Instruction
from soc_sim.config.core import Controller as Description
from soc_sim.kernel import Clock, Component, Dispatched, Ledger, Mailbox, Simulation
from soc_sim.kernel.simulation import Process


class Controller(Component):
    """Runs a list of instructions, ``inferences`` times over."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        queues: Mapping[str, Mailbox[Dispatched[Any]]],
        route: Sequence[tuple[Instruction, str]],
        inferences: int,
        stride: int,
    ) -> None:
        """``route``: each instruction and its queue's name; ``stride``: instructions of an inference, all cores."""
        super().__init__(simulation, name)
        self.clock = Clock(description.clock_hz)
        self._dispatch_cycles = description.dispatch_cycles
        self._queues = queues
        self._route = route
        self._inferences = inferences
        self._stride = stride
        self.dispatched = 0
        self.ledger = Ledger()
        """``busy`` handing over, ``wait_buffer`` while a unit's instruction queue is full."""
        self._track = simulation.track(name, "tiles")

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation, cycles = self.simulation, self._dispatch_cycles
        for inference in range(self._inferences):
            base = inference * self._stride
            for instruction, unit in self._route:
                queue = self._queues[unit]
                if (room := queue.room()) is not None:
                    self.waiting = (
                        f"instruction {instruction.index} needs room in the queue of {unit}, depth {queue.depth}"
                    )
                    yield room
                    self.ledger.record(simulation.now_ps, "wait_buffer", instruction.layer)
                start_ps = simulation.now_ps
                if cycles:
                    yield self.clock.wait(simulation, cycles)
                    self.ledger.record(simulation.now_ps, "busy", instruction.layer)
                queue.put(Dispatched(instruction, base, simulation.now_ps))
                self.dispatched += 1
                if self._track is not None:
                    end_ps = simulation.now_ps
                    self._track.slice(unit, start_ps, end_ps, instruction.layer, base + instruction.index)
        self.waiting = None
