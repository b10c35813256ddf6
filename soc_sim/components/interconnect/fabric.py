"""Crossbar and bus: transfers wait their turn for a target, then their data pass a path of limited width.

Modelled: one arbiter per target; a data path per target and direction (crossbar) or one for all (bus); whole beats, so
that short lines waste width; cut-through (data flow on while they arrive); one latency for request and response.
Left out: links between routers, address phases that compete with data, ordering by transaction identifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from soc_sim.components.interconnect.arbiter import Arbiter
from soc_sim.config.interconnect import Interconnect
from soc_sim.kernel import Clock, Component, InitiatorPort, Simulation, Timeline, Transfer


class Output:
    """The fabric's end before one target."""

    __slots__ = (
        "arbiter",
        "before_last",
        "in_flight",
        "last",
        "max_outstanding",
        "moved_ps",
        "moved_ps_of",
        "port",
        "read_path",
        "write_path",
    )

    def __init__(
        self, port: InitiatorPort, arbiter: Arbiter, max_outstanding: int, paths: tuple[Timeline, Timeline]
    ) -> None:
        self.port = port
        self.arbiter = arbiter
        self.max_outstanding = max_outstanding
        self.in_flight = 0
        self.read_path, self.write_path = paths
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
        """Whether the target takes it now. A transfer larger than what the target holds goes alone."""
        return not self.in_flight or self.in_flight + transfer.requests <= self.max_outstanding


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
        self._width_bytes = description.width_bytes
        self._latency_ps = self.clock.span_ps(description.latency_cycles)
        priorities = description.priorities if description.arbitration == "fixed_priority" else ()
        shared = Timeline()
        bus = description.kind == "bus"
        self.outputs = {
            target: Output(
                InitiatorPort(f"{name}.{target}"),
                Arbiter(initiators, priorities),
                max_outstanding,
                (shared, shared) if bus else (Timeline(), Timeline()),
            )
            for target, max_outstanding in targets.items()
        }
        self.moved_bytes: dict[str, int] = dict.fromkeys(initiators, 0)
        """Initiator → bytes it moved."""

    def submit(self, transfer: Transfer) -> None:
        """Forward now if nobody waits and the target has room, else wait for a turn."""
        output = self.outputs[transfer.memory]
        output.arrived(transfer)
        if not output.arbiter and output.has_room(transfer):
            self._forward(output, transfer)
        else:
            output.arbiter.push(transfer)

    def busy_ps(self) -> dict[str, int]:
        """Data path → time it moved data (a bus has one path)."""
        if self.description.kind == "bus":
            return {self.name: next(iter(self.outputs.values())).read_path.busy_ps}
        return {
            f"{self.name}.{target}.{direction}": path.busy_ps
            for target, output in self.outputs.items()
            for direction, path in (("read", output.read_path), ("write", output.write_path))
        }

    def _forward(self, output: Output, transfer: Transfer) -> None:
        output.in_flight += transfer.requests
        transfer.done = partial(self._served, output, transfer.done)
        if transfer.write:
            # A write arrives with its first data: while the path is busy, others may use the memory.
            now_ps = self.simulation.now_ps
            start_ps, transfer.data_end_ps = self._move(output.write_path, now_ps, transfer)
            if start_ps > now_ps:
                self.simulation.call_at(start_ps, partial(output.port.submit, transfer))
                return
        output.port.submit(transfer)

    def _served(self, output: Output, done: Callable[[Transfer], None], transfer: Transfer) -> None:
        """The target has served the transfer: read data leave the fabric, and whoever waits may go."""
        simulation = self.simulation
        now_ps = end_ps = transfer.served_ps = simulation.now_ps
        output.served(transfer)
        if not transfer.write:
            # Cut-through: data pass while the memory still delivers, so only a busy path adds time.
            end_ps = max(now_ps, self._move(output.read_path, transfer.data_start_ps, transfer)[1])
        self.moved_bytes[transfer.initiator] += transfer.size_bytes
        output.in_flight -= transfer.requests
        while output.arbiter and output.has_room(output.arbiter.peek()):
            self._forward(output, output.arbiter.pop())
        transfer.delivered_ps = end_ps
        end_ps += self._latency_ps
        if end_ps == now_ps:
            done(transfer)
        else:
            simulation.call_at(end_ps, partial(done, transfer))

    def _move(self, path: Timeline, earliest_ps: int, transfer: Transfer) -> tuple[int, int]:
        """Book the data path; returns when the transfer's data start and end on it."""
        beats = -(-transfer.line_bytes // self._width_bytes) * transfer.lines
        duration_ps = self.clock.span_ps(beats)
        start_ps = path.book(earliest_ps, duration_ps)
        recorder = self.simulation.recorder
        if recorder is not None:
            track = f"{self.name}.{transfer.memory}.{'write' if transfer.write else 'read'}"
            recorder.slice(track, transfer.initiator, start_ps, start_ps + duration_ps, transfer.layer)
        return start_ps, start_ps + duration_ps
