"""The systolic array as a unit: runs one Compute after another and accounts for every picosecond in between.

A Compute starts on a clock edge, once its loads are complete and the outputs buffer has room. It takes the cycles of
its dataflow's closed form; longer where the decompression unit cannot keep up (``wait_metadata``: metadata travel with
the weights, so there is no other wait for them), or a buffer's ports with the array and the DMA together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from soc_sim.compiler.program import Compute
from soc_sim.components.accelerator.idle import IdleStates
from soc_sim.components.accelerator.scratchpad import Scratchpad
from soc_sim.config.array import Array as Description
from soc_sim.config.domain import IdleState
from soc_sim.kernel import Clock, CompletionLog, Component, Reason, Scoreboard, Simulation
from soc_sim.kernel.ledger import Cause, Ledger
from soc_sim.kernel.mailbox import Dispatched, Mailbox
from soc_sim.kernel.simulation import Process


class Array(Component):
    """Takes Compute instructions in order."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Description,
        buffers: dict[str, Scratchpad],
        logs: Mapping[str, CompletionLog],
        queue: Mailbox[Dispatched[Compute]],
        idle_states: Sequence[IdleState] = (),
    ) -> None:
        """``logs``: buffer → completions of the DMA channel that fills or empties it."""
        super().__init__(simulation, name)
        self.clock = Clock(description.clock_hz)
        self.ledger = Ledger()
        self.queue = queue
        self.idle = IdleStates(idle_states, simulation.track(f"{name}.power", "tiles") if idle_states else None)
        self._buffers = buffers
        self._pads = list(dict.fromkeys(buffer.pad for buffer in buffers.values()))
        self._logs = logs
        self.stores: tuple[CompletionLog, ...] = (logs["outputs"],)
        """Completions of the stores of all cores that work on the same programs, its own first."""
        self.at_work: int | None = None
        """The layer of the tile that is being computed."""
        self._track = simulation.track(name, "tiles")
        self._stalls = simulation.track(f"{name}.stalls", "stalls")

    def start(self) -> None:
        """Start the process."""
        self.simulation.start(self._run(), self.report_wait)

    def _run(self) -> Process:
        simulation, outputs = self.simulation, self._buffers["outputs"]
        while True:
            self.waiting = None
            if (filled := self.queue.filled()) is not None:
                yield filled
            compute, inference, handed_ps, space = self.queue.take()
            scoreboard, layer = inference.scoreboard, inference.first_layer + compute.layer
            if (loaded := scoreboard.pending(compute.depends)) is not None:
                self.waiting = f"compute {compute.index} needs {compute.depends}"
                yield loaded
            loaded_ps = simulation.now_ps
            if outputs.pad.shared:
                yield from self.await_space(space, outputs.space, compute.output_bytes, f"compute {compute.index}")
            else:
                yield from self.take(outputs.space, compute.output_bytes, f"compute {compute.index}")
            space_ps = simulation.now_ps if simulation.now_ps > loaded_ps else 0
            scoreboard.start(compute.index)
            # What was not asked for is not waited for.
            self.ledger.record(inference.submitted_ps, "idle", layer)
            waited_for = self._account(scoreboard, compute, layer, handed_ps, space_ps)
            # Sums of a tile in parts stand in the PEs, but for the first part.
            if wake_up_ps := self.idle.wake_up_ps(simulation.now_ps, empty=compute.output_bytes > 0):
                yield simulation.wait_until(simulation.now_ps + wake_up_ps)
                self._record_stall(self.clock.after_ps(simulation.now_ps, 0), "wait_power", layer, _WAKING)
            self.at_work = layer
            yield from self._compute(compute, layer, inference.first_index, waited_for)
            self.at_work = None
            self.idle.rest(simulation.now_ps)
            self._buffers["weights"].space.give(compute.frees_weights_bytes)
            self._buffers["inputs"].space.give(compute.frees_inputs_bytes)
            scoreboard.complete(compute.index)

    def _compute(self, compute: Compute, layer: int, first_index: int, waited_for: int) -> Process:
        """Be busy for the tile's cycles, and for as long as decompression and a buffer's ports need."""
        counts, clock, simulation = compute.counts, self.clock, self.simulation
        traffic = {
            "weights": (counts.weight_bytes, 0),
            "inputs": (counts.input_bytes, 0),
            "outputs": (counts.output_read_bytes, counts.output_write_bytes),
        }
        before = [pad.dma_bytes for pad in self._pads]
        start_ps = self.ledger.covered_ps
        yield clock.wait(simulation, counts.cycles)
        waited_for = first_index + waited_for if waited_for >= 0 else -1
        self._record_work(start_ps, layer, first_index + compute.index, waited_for)
        cycles = counts.cycles + counts.decompression_stall_cycles
        if counts.decompression_stall_cycles:
            yield clock.wait(simulation, counts.decompression_stall_cycles)
            reason = Reason(f"{self.name}.decompression", "busy")
            self._record_stall(simulation.now_ps, "wait_metadata", layer, reason)
        busiest = None
        while True:
            # What the DMA moves meanwhile shares the ports; it is known only once that time has passed.
            needed = [
                pad.port_cycles(counts.cycles, traffic, pad.dma_bytes - moved)
                for pad, moved in zip(self._pads, before, strict=True)
            ]
            if (most := max(needed)) <= cycles:
                break
            yield clock.wait(simulation, most - cycles)
            cycles, busiest = most, self._pads[needed.index(most)]
        if busiest:
            ports = Reason(busiest.name, "transfer")
            self._record_stall(simulation.now_ps, "wait_buffer", layer, ports)
        for name, (read_bytes, written_bytes) in traffic.items():
            self._buffers[name].array_read_bytes += read_bytes
            self._buffers[name].array_write_bytes += written_bytes

    def _account(self, scoreboard: Scoreboard, compute: Compute, layer: int, handed_ps: int, space_ps: int) -> int:
        """Say what the time since the last Compute was spent on: what arrived last, and what held that up before.

        The time up to the next edge belongs to it; a clock that stands still has its next edge later.

        Returns:
            The load for which the array waited, where that is what came last; else -1.
        """
        covered_ps, waited_for = self.ledger.covered_ps, -1
        arrivals: list[tuple[int, Cause, tuple[int, ...]]] = [
            (scoreboard.time_ps(compute.weights), "wait_weights", compute.weights),
            (scoreboard.time_ps(compute.inputs), "wait_inputs", compute.inputs),
            (scoreboard.time_ps(compute.stores), "wait_outputs", compute.stores),
            (space_ps, "wait_outputs", ()),
            (handed_ps, "wait_controller", ()),
        ]
        # max() keeps the first of equals: ties go in the order of the causes.
        arrived_ps, cause, loads = max(arrivals, key=lambda arrival: arrival[0])
        for load in loads:
            if scoreboard.completed_ps[load] == arrived_ps:
                held_ps, held_cause = scoreboard.held[load]
                self._record_stall(held_ps, held_cause, layer, self._holder(held_cause, cause, held_ps))
                if arrived_ps > covered_ps and cause != "wait_outputs":
                    waited_for = load
                break
        now_ps, holder = self.simulation.now_ps, self._holder(cause, cause, arrived_ps)
        start_ps = self.clock.after_ps(now_ps, 0)
        for stop_ps, _ in self.clock.stopped_within(now_ps, start_ps):
            self._record_stall(stop_ps, cause, layer, holder)
            cause, holder = "wait_power", _STOPPED
        self._record_stall(start_ps, cause, layer, holder)
        for log in {*self._logs.values(), *self.stores}:
            log.forget(start_ps, self.name)
        return waited_for

    def _record_work(self, start_ps: int, layer: int, index: int, waited_for: int) -> None:
        """The tile was computed from ``start_ps`` until now, but for the time in which the clock stood still."""
        now_ps, track = self.simulation.now_ps, self._track
        for stop_ps, go_ps in [*self.clock.stopped_within(start_ps, now_ps), (now_ps, now_ps)]:
            self.ledger.record(stop_ps, "busy", layer)
            if track is not None and start_ps < stop_ps:
                track.slice("compute", start_ps, stop_ps, layer, index, waited_for)
            self._record_stall(go_ps, "wait_power", layer, _STOPPED)
            start_ps = go_ps

    def _holder(self, cause: Cause, buffer_of: Cause, until_ps: int) -> Reason | CompletionLog:
        """Who can say why: the log of the channel that moves the data, or a component that is the whole reason."""
        match cause:
            case "wait_controller":
                return Reason(f"{self.name.removesuffix('.array')}.controller", "latency")
            case "wait_host":
                return Reason("host", "busy")
            case "wait_buffer":
                return Reason(self._buffers[_BUFFER_OF[buffer_of]].pad.name, "credit")
            case "wait_outputs":
                # Another core's store may have ended the wait.
                return next((log for log in self.stores if log.completed_at(until_ps)), self.stores[0])
            case _:
                return self._logs[_BUFFER_OF[cause]]

    def _record_stall(self, end_ps: int, cause: Cause, layer: int, holder: Reason | CompletionLog) -> None:
        start_ps = self.ledger.covered_ps
        if end_ps <= start_ps:
            return
        span_ps = end_ps - start_ps
        reasons = {holder: span_ps} if isinstance(holder, Reason) else holder.explain(start_ps, end_ps)
        self.ledger.record_wait(end_ps, cause, layer, reasons)
        if self._stalls is not None:
            self._stalls.slice(cause, start_ps, end_ps, layer)


_BUFFER_OF: dict[Cause, str] = {"wait_weights": "weights", "wait_inputs": "inputs", "wait_outputs": "outputs"}
"""What a load that was held up would have filled; a wait of an array for room is one for its own stores."""
_STOPPED = Reason("clock", "transition")
_WAKING = Reason("power", "wake_up")
