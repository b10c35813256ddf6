"""The host: streams an operator's tensors from memory, computes, and streams the results back, block by block.

Modelled: start of an operator, operations at a fixed rate, memory traffic through a port of its own; reading,
computing and writing overlap from block to block. Left out: caches, vector register files, instruction fetch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from soc_sim.compiler.program import VectorOp
from soc_sim.config.host import Host as Description
from soc_sim.kernel import Clock, Component, Dispatched, Inference, InitiatorPort, Issuer, Ledger, Mailbox, Simulation
from soc_sim.kernel.simulation import Event, Process


class Host(Component):
    """Takes vector operations in order, one at a time."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        queues: Sequence[Mailbox[Dispatched[VectorOp]]],
        most_requests: int | None = None,
    ) -> None:
        """``queues``: one from each set of cores that work together; ``most_requests``: in one transfer."""
        super().__init__(simulation, name)
        self.port = InitiatorPort(name)
        self.clock = Clock(description.clock_hz)
        self.queues = queues
        self.at_work = False
        """Whether an operation is under way."""
        self.ledger = Ledger()
        self.operations = 0
        self._description = description
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
                most_requests=most_requests,
                setup_cycles=0,
                name=f"{name}.{queue}",
            )
            for queue in ("reads", "writes")
        )

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation = self.simulation
        while True:
            self.waiting = None
            queue = self.queues[0]
            if len(self.queues) > 1:
                while (ready_queue := self._ready()) is None:
                    yield simulation.first_of(self._news())
                queue = ready_queue
            elif (filled := queue.filled()) is not None:
                yield filled
            operator, inference, handed_ps, _ = queue.take()
            scoreboard, layer = inference.scoreboard, inference.first_layer + operator.layer
            if (ready := scoreboard.pending(operator.depends)) is not None:
                self.waiting = f"vector operation {operator.index} needs {operator.depends}"
                yield ready
            # What was not asked for is not waited for.
            self.ledger.record(inference.submitted_ps, "idle", layer)
            late = handed_ps > scoreboard.time_ps(operator.depends)
            self.ledger.record(simulation.now_ps, "wait_controller" if late else "wait_inputs", layer)
            start_ps = simulation.now_ps
            scoreboard.start(operator.index)
            self.at_work = True
            yield from self._execute(operator, inference, layer)
            self.at_work = False
            if self._track is not None:
                index = inference.first_index + operator.index
                self._track.slice("operator", start_ps, simulation.now_ps, layer, index)
            scoreboard.complete(operator.index)

    def _ready(self) -> Mailbox[Dispatched[VectorOp]] | None:
        """Of the queues whose oldest operation has all it needs, the one that was handed it first."""
        waiting = ((queue, queue.peek()) for queue in self.queues)
        ready = [
            (head.handed_ps, place, queue)
            for place, (queue, head) in enumerate(waiting)
            if head is not None and head.inference.scoreboard.all_complete(head.instruction.depends)
        ]
        return min(ready)[2] if ready else None

    def _news(self) -> Iterator[Event]:
        """What to wait for where no queue is ready: for each, its next operation, or what its oldest one needs."""
        for queue in self.queues:
            head = queue.peek()
            event = queue.filled() if head is None else head.inference.scoreboard.pending(head.instruction.depends)
            if event is not None:
                yield event

    def _execute(self, operator: VectorOp, inference: Inference, layer: int) -> Process:
        simulation, clock, ledger = self.simulation, self.clock, self.ledger
        read_bytes = sum(region.size_bytes for region in operator.reads)
        write_bytes = sum(region.size_bytes for region in operator.writes)
        cycles = operator.cycles
        if cycles is None:
            cycles = -(-operator.operations // self._description.lanes)
        blocks = max(1, -(-max(read_bytes, write_bytes) // self._description.block_bytes))
        if not operator.goes_on:
            yield clock.wait(simulation, self._description.start_cycles)
            ledger.record(simulation.now_ps, "busy", layer)
        stream = _Stream(self, operator, inference, layer)
        for block in range(1, blocks + 1):
            if (arrived := stream.arrived(read_bytes * block // blocks)) is not None:
                self.waiting = f"vector operation {operator.index} needs {read_bytes} bytes from memory"
                yield arrived
                ledger.record(simulation.now_ps, "wait_inputs", layer)
            spent = cycles * block // blocks - cycles * (block - 1) // blocks
            if spent:
                yield clock.wait(simulation, spent)
                ledger.record(simulation.now_ps, "busy", layer)
            stream.release(write_bytes * block // blocks)
        if (written := stream.written()) is not None:
            self.waiting = f"vector operation {operator.index} writes {write_bytes} bytes to memory"
            yield written
            ledger.record(simulation.now_ps, "wait_outputs", layer)
        self.operations += operator.operations


class _Stream:
    """Reads and writes of one operator: what has arrived, what may leave."""

    def __init__(self, host: Host, operator: VectorOp, inference: Inference, layer: int) -> None:
        self._simulation = host.simulation
        self._writers = host.writers
        self._arrived_bytes = 0
        self._wanted_bytes = 0
        self._waiter: Event | None = None
        self._writing = True
        address_of = inference.address_of
        host.readers.submit(
            operator.reads,
            write=False,
            layer=layer,
            done=_nothing,
            progress=self._one_arrived,
            address_of=address_of,
        )
        self._job = host.writers.submit(
            operator.writes, write=True, layer=layer, done=self._all_written, gated=True, address_of=address_of
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
