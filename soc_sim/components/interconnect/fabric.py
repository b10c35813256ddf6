"""Crossbar and bus: transfers wait their turn for a target, then their data pass a path of limited width.

Modelled: one arbiter per target; a data path per target and direction (crossbar) or one for all (bus); whole beats, so
that short lines waste width; cut-through (data flow on while they arrive); one latency for request and response.
With fixed priorities, each priority has room of its own at the target (as virtual networks of a QoS interconnect give
it), so that a queue full of less urgent requests keeps nobody out; the DRAM's scheduler honours the same priority.
Left out: links between routers, address phases that compete with data, ordering by transaction identifiers.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial

from soc_sim.components.interconnect.arbiter import Arbiter, Turns, Weighted
from soc_sim.components.interconnect.holding import Holding
from soc_sim.components.interconnect.regulator import Regulator
from soc_sim.config.interconnect import Interconnect
from soc_sim.kernel import Clock, Component, InitiatorPort, Simulation, Timeline, Track, Transfer


class Output:
    """The fabric's end before one target."""

    __slots__ = (
        "answers",
        "arbiter",
        "before_last",
        "counters",
        "done",
        "holding",
        "in_flight",
        "last",
        "max_outstanding",
        "moved_ps",
        "moved_ps_of",
        "port",
        "read_path",
        "tracks",
        "waits",
        "wake_ps",
        "write_path",
    )

    def __init__(
        self,
        simulation: Simulation,
        port: InitiatorPort,
        arbiter: Arbiter,
        holding: Holding,
        max_outstanding: int,
        levels: int,
        paths: tuple[Timeline, Timeline],
        served: Callable[[Output, Transfer], None],
    ) -> None:
        self.port = port
        self.arbiter = arbiter
        self.holding = holding
        self.done = partial(served, self)
        """Called for each transfer that the target has served."""
        self.answers: dict[Transfer, Callable[[Transfer], None]] = {}
        """Transfer at the target → whom its initiator wants to be told."""
        self.max_outstanding = max_outstanding
        self.in_flight = [0] * levels
        """Priority → requests at the target."""
        self.waits: dict[Transfer, tuple[int, ...]] = {}
        """Transfer that waits → how long each initiator had held the target when it came."""
        self.wake_ps: int | None = None
        """When somebody whose bytes are used up is looked at again."""
        self.read_path, self.write_path = paths
        self.tracks = tuple(simulation.track(f"{port.name}.{kind}", "transfers") for kind in ("read", "write"))
        counters = (
            simulation.counter(f"{port.name}.outstanding", "request"),
            simulation.counter(f"{port.name}.waiting", "transfer"),
        )
        self.counters = None if counters == (None, None) else counters
        """Requests that the target holds, and transfers that wait before it, where somebody wants to know."""
        self.moved_ps = 0
        """What the target has moved so far would have taken at its peak rate."""
        self.moved_ps_of: dict[str, int] = {}
        """The same, by initiator."""
        self.last = self.before_last = ""
        """The initiator served last, and the last one before that was another."""

    def arrived(self, transfer: Transfer) -> None:
        """Remember what the target has done so far for others."""
        transfer.others_ps = self.moved_ps - self.moved_ps_of.get(transfer.initiator, 0)

    def served(self, transfer: Transfer) -> None:
        """Say what the target did for others meanwhile."""
        name = transfer.initiator
        own_ps = self.moved_ps_of.get(name, 0)
        transfer.others_ps = self.moved_ps - own_ps - transfer.others_ps
        if self.last != name:
            self.last, self.before_last = name, self.last
        transfer.waited_for = self.before_last
        self.moved_ps += transfer.data_ps
        self.moved_ps_of[name] = own_ps + transfer.data_ps

    def has_room(self, transfer: Transfer) -> bool:
        """Whether the target takes it now: what is there of its priority and higher counts.

        A transfer larger than what the target holds goes alone.
        """
        held = self.in_flight[-1]
        if transfer.priority < len(self.in_flight) - 1:
            held = sum(self.in_flight[transfer.priority :])
        return not held or held + transfer.requests <= self.max_outstanding


class Traffic:
    """What one initiator has moved, and how long it took."""

    __slots__ = ("latencies_ps", "moved_bytes", "waited_ps")

    def __init__(self) -> None:
        self.moved_bytes = 0
        self.latencies_ps = array("q")
        """Of each transfer, from its arrival at the fabric to its last byte."""
        self.waited_ps: dict[str, int] = {}
        """Reason → time for which transfers waited for a turn: ``transfer`` (the target held earlier transfers of the
        initiator itself), ``arbitration:<other initiator>``, ``regulation``. Times of transfers that wait side by side
        add up."""


class Fabric(Component):
    """A target for all initiators; routes by ``transfer.memory``."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        description: Interconnect,
        initiators: Sequence[str],
        targets: dict[str, int],
    ) -> None:
        """``targets``: name of each memory → bus requests it holds."""
        super().__init__(simulation, name)
        self.description = description
        self.clock = Clock(description.clock_hz)
        self._width_bytes, self._latency_cycles = description.width_bytes, description.latency_cycles
        self._ideal = description.kind == "ideal"
        priorities = description.priorities if description.arbitration == "fixed_priority" else ()
        self._priorities = {initiator: len(priorities) - place for place, initiator in enumerate(priorities)}
        self._regulator = Regulator(description.regulation) if description.regulation else None
        shared = Timeline()
        bus = description.kind == "bus"
        self.outputs = {
            target: Output(
                simulation,
                InitiatorPort(f"{name}.{target}"),
                Weighted(initiators, description.weights)
                if description.arbitration == "weighted"
                else Turns(initiators, priorities),
                Holding(initiators),
                max_outstanding,
                len(priorities) + 1,
                (shared, shared) if bus else (Timeline(), Timeline()),
                self._served,
            )
            for target, max_outstanding in targets.items()
        }
        self.traffic = {initiator: Traffic() for initiator in initiators}
        """Initiator → what it moved."""

    def submit(self, transfer: Transfer) -> None:
        """Forward now if nobody waits and the target has room, else wait for a turn."""
        output, now_ps = self.outputs[transfer.memory], self.simulation.now_ps
        transfer.submitted_ps = now_ps
        output.arrived(transfer)
        if self._priorities:
            transfer.priority = self._priorities.get(transfer.initiator, 0)
        arbiter, regulator = output.arbiter, self._regulator
        if not arbiter and output.has_room(transfer) and (regulator is None or regulator.allows(transfer, now_ps)):
            arbiter.passes(transfer)
            self._forward(output, transfer)
            return
        arbiter.push(transfer)
        output.waits[transfer] = output.holding.held_ps(now_ps)
        if output.counters is not None:
            self._count(output)
        if self._priorities or regulator is not None:
            # It may go before those that wait.
            self._grant(output)

    def busy_ps(self) -> dict[str, int]:
        """Data path → time it has moved data so far (a bus has one path)."""
        now_ps = self.simulation.now_ps
        if self.description.kind == "bus":
            return {self.name: next(iter(self.outputs.values())).read_path.busy_until(now_ps)}
        return {
            f"{self.name}.{target}.{direction}": path.busy_until(now_ps)
            for target, output in self.outputs.items()
            for direction, path in (("read", output.read_path), ("write", output.write_path))
        }

    def _grant(self, output: Output) -> None:
        """Let those go whose turn it is, as long as there is room."""
        arbiter, regulator, now_ps = output.arbiter, self._regulator, self.simulation.now_ps
        allowed = None if regulator is None else partial(regulator.allows, now_ps=now_ps)
        while arbiter and (transfer := arbiter.pick(output.has_room, allowed)) is not None:
            self._account(output, transfer, now_ps)
            self._forward(output, transfer)
        if regulator is not None and arbiter:
            self._look_again(output, regulator, now_ps)

    def _look_again(self, output: Output, regulator: Regulator, now_ps: int) -> None:
        """Plan the next grant for when somebody who waits has bytes again."""
        heads = (queue[0] for queue in output.arbiter.queues.values() if queue)
        times_ps = (
            regulator.allowed_from_ps(head.initiator, now_ps) for head in heads if not regulator.allows(head, now_ps)
        )
        wake_ps = min(times_ps, default=None)
        if wake_ps is not None and (output.wake_ps is None or wake_ps < output.wake_ps):
            output.wake_ps = wake_ps
            self.simulation.call_at(wake_ps, partial(self._wake, output, wake_ps))

    def _wake(self, output: Output, planned_ps: int) -> None:
        if output.wake_ps == planned_ps:
            output.wake_ps = None
            self._grant(output)

    def _account(self, output: Output, transfer: Transfer, now_ps: int) -> None:
        """Say what the transfer has waited for until now."""
        parts = output.holding.split(output.waits.pop(transfer), now_ps)
        waited_ps = self.traffic[transfer.initiator].waited_ps
        rest_ps = now_ps - transfer.submitted_ps
        for name, part_ps in parts.items():
            rest_ps -= part_ps
            reason = "transfer" if name == transfer.initiator else f"arbitration:{name}"
            waited_ps[reason] = waited_ps.get(reason, 0) + part_ps
        if rest_ps:
            # The target was free: only a budget can have kept it.
            waited_ps["regulation"] = waited_ps.get("regulation", 0) + rest_ps

    def _forward(self, output: Output, transfer: Transfer) -> None:
        now_ps = self.simulation.now_ps
        output.in_flight[transfer.priority] += transfer.requests
        output.holding.enter(transfer, now_ps)
        if output.counters is not None:
            self._count(output)
        if self._regulator is not None:
            self._regulator.charge(transfer, now_ps)
        output.answers[transfer] = transfer.done
        transfer.done = output.done
        if transfer.write:
            # A write arrives with its first data: while the path is busy, others may use the memory.
            start_ps, transfer.data_end_ps = self._move(output.write_path, now_ps, transfer, output.tracks[1])
            if start_ps > now_ps:
                self.simulation.send(transfer, start_ps, output.port.submit)
                return
        output.port.submit(transfer)

    def _served(self, output: Output, transfer: Transfer) -> None:
        """The target has served the transfer: read data leave the fabric, and whoever waits may go."""
        simulation = self.simulation
        now_ps = end_ps = transfer.served_ps = simulation.now_ps
        output.served(transfer)
        if not transfer.write:
            # Cut-through: data pass while the memory still delivers, so only a busy path adds time.
            passed_ps = self._move(output.read_path, transfer.data_start_ps, transfer, output.tracks[0])[1]
            if passed_ps > now_ps:
                end_ps = passed_ps
        transfer.delivered_ps = end_ps
        end_ps += self.clock.span_ps(self._latency_cycles)
        traffic = self.traffic[transfer.initiator]
        traffic.moved_bytes += transfer.size_bytes
        traffic.latencies_ps.append(end_ps - transfer.submitted_ps)
        output.in_flight[transfer.priority] -= transfer.requests
        output.holding.leave(transfer, now_ps)
        if output.counters is not None:
            self._count(output)
        if output.arbiter:
            self._grant(output)
        transfer.done = done = output.answers.pop(transfer)
        if end_ps == now_ps:
            done(transfer)
        else:
            simulation.send(transfer, end_ps, done)

    def _count(self, output: Output) -> None:
        """Tell how many requests the target holds, and how many transfers wait before it."""
        assert output.counters is not None  # noqa: S101 # only then it is called
        outstanding, waiting = output.counters
        if outstanding is not None:
            outstanding.set(self.simulation.now_ps, sum(output.in_flight))
        if waiting is not None:
            waiting.set(self.simulation.now_ps, len(output.arbiter))

    def _move(self, path: Timeline, earliest_ps: int, transfer: Transfer, track: Track | None) -> tuple[int, int]:
        """Book the data path; returns when the transfer's data start and end on it."""
        duration_ps, clock = 0, self.clock
        if not self._ideal:
            beats = -(-transfer.line_bytes // self._width_bytes) * transfer.lines
            duration_ps = clock.span_ps(beats)
        # A clock whose frequency is being changed has its next edge only then.
        start_ps = path.book(earliest_ps if earliest_ps > clock.start_ps else clock.start_ps, duration_ps)
        if track is not None and duration_ps:
            track.slice(transfer.initiator, start_ps, start_ps + duration_ps, transfer.layer)
        return start_ps, start_ps + duration_ps
