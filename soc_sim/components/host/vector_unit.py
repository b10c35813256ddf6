"""The host: streams an operator's tensors from memory, computes, and streams the results back, block by block.

Modelled: start of an operator, operations at a fixed rate, memory traffic through a port of its own; reading,
computing and writing overlap from block to block. Left out: caches, vector register files, instruction fetch.
"""

from __future__ import annotations

from soc_sim.compiler.program import VectorOp
from soc_sim.config.host import Host as Description
from soc_sim.kernel import Clock, Component, Dispatched, InitiatorPort, Issuer, Ledger, Mailbox, Scoreboard, Simulation
from soc_sim.kernel.simulation import Event, Process


class Host(Component):
    """Takes vector operations in order, one at a time."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        scoreboard: Scoreboard,
        queue: Mailbox[Dispatched[VectorOp]],
    ) -> None:
        super().__init__(simulation, name)
        self.port = InitiatorPort(name)
        self.clock = Clock(description.clock_hz)
        self.queue = queue
        self.ledger = Ledger()
        self.operations = 0
        self._description = description
        self._scoreboard = scoreboard
        self._track = simulation.track(name, "tiles")
        # Reads and writes have queues of their own, so that a block can be written while the next is read.
        self.readers, self.writers = (
            Issuer(
                simulation,
                self.port,
                self.clock,
                burst_bytes=description.burst_bytes,
                chunk_bytes=description.block_bytes,
                max_outstanding=description.max_outstanding,
                setup_cycles=0,
                name=f"{name}.{queue}",
            )
            for queue in ("reads", "writes")
        )

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation, scoreboard = self.simulation, self._scoreboard
        while True:
            self.waiting = None
            if (filled := self.queue.filled()) is not None:
                yield filled
            operator, base, handed_ps = self.queue.take()
            depends = [base + index for index in operator.depends]
            if (ready := scoreboard.pending(depends)) is not None:
                self.waiting = f"vector operation {operator.index} needs {operator.depends}"
                yield ready
            late = handed_ps > scoreboard.time_ps(depends)
            self.ledger.record(simulation.now_ps, "wait_controller" if late else "wait_inputs", operator.layer)
            start_ps = simulation.now_ps
            scoreboard.start(base + operator.index)
            yield from self._execute(operator)
            index = base + operator.index
            if self._track is not None:
                self._track.slice("operator", start_ps, simulation.now_ps, operator.layer, index)
            scoreboard.complete(index)

    def _execute(self, operator: VectorOp) -> Process:
        simulation, clock, ledger = self.simulation, self.clock, self.ledger
        read_bytes = sum(region.size_bytes for region in operator.reads)
        write_bytes = sum(region.size_bytes for region in operator.writes)
        cycles = -(-operator.operations // self._description.lanes)
        blocks = max(1, -(-max(read_bytes, write_bytes) // self._description.block_bytes))
        yield clock.wait(simulation, self._description.start_cycles)
        ledger.record(simulation.now_ps, "busy", operator.layer)
        stream = _Stream(self, operator)
        for block in range(1, blocks + 1):
            if (arrived := stream.arrived(read_bytes * block // blocks)) is not None:
                self.waiting = f"vector operation {operator.index} needs {read_bytes} bytes from memory"
                yield arrived
                ledger.record(simulation.now_ps, "wait_inputs", operator.layer)
            spent = cycles * block // blocks - cycles * (block - 1) // blocks
            if spent:
                yield clock.wait(simulation, spent)
                ledger.record(simulation.now_ps, "busy", operator.layer)
            stream.release(write_bytes * block // blocks)
        if (written := stream.written()) is not None:
            self.waiting = f"vector operation {operator.index} writes {write_bytes} bytes to memory"
            yield written
            ledger.record(simulation.now_ps, "wait_outputs", operator.layer)
        self.operations += operator.operations


class _Stream:
    """Reads and writes of one operator: what has arrived, what may leave."""

    def __init__(self, host: Host, operator: VectorOp) -> None:
        self._simulation = host.simulation
        self._writers = host.writers
        self._arrived_bytes = 0
        self._wanted_bytes = 0
        self._waiter: Event | None = None
        self._writing = True
        host.readers.submit(
            operator.reads, write=False, layer=operator.layer, done=_nothing, progress=self._one_arrived
        )
        self._job = host.writers.submit(
            operator.writes, write=True, layer=operator.layer, done=self._all_written, gated=True
        )

    def arrived(self, wanted_bytes: int) -> Event | None:
        """An event that fires when so much has been read; None where it has."""
        if self._arrived_bytes >= wanted_bytes:
            return None
        self._wanted_bytes = wanted_bytes
        self._waiter = self._simulation.event()
        return self._waiter

    def release(self, allowed_bytes: int) -> None:
        """So much has been computed and may be written."""
        self._writers.release(self._job, allowed_bytes)

    def written(self) -> Event | None:
        """An event that fires when all has been written; None where it has."""
        if not self._writing:
            return None
        self._waiter = self._simulation.event()
        return self._waiter

    def _one_arrived(self, size_bytes: int) -> None:
        self._arrived_bytes += size_bytes
        if self._waiter is not None and self._arrived_bytes >= self._wanted_bytes:
            self._wake()

    def _all_written(self) -> None:
        self._writing = False
        if self._waiter is not None:
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.succeed()


def _nothing() -> None:
    """The end of the reads is seen by their bytes."""
