"""Builds the components of an SoC. The only place that connects ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from soc_sim.compiler.program import VectorOp
from soc_sim.components.accelerator.array import Array
from soc_sim.components.accelerator.controller import Controller
from soc_sim.components.accelerator.scheduler import Scheduler
from soc_sim.components.accelerator.scratchpad import Scratchpad, scratchpads
from soc_sim.components.background.initiator import Background
from soc_sim.components.background.patterns import Due
from soc_sim.components.dma.engine import DmaChannel
from soc_sim.components.host.vector_unit import Host
from soc_sim.components.interconnect.fabric import Fabric
from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.config.core import Scheduling
from soc_sim.config.soc import Soc
from soc_sim.kernel import (
    CompletionLog,
    Component,
    Dispatched,
    InitiatorPort,
    Issuer,
    Mailbox,
    Simulation,
    check_wiring,
    tapped,
)
from soc_sim.system.domains import Domains
from soc_sim.system.registry import make_memory

CHUNKS_HELD = 8
"""With priorities or weights, a memory holds at least so many chunks: each decision is about one of them, and an
initiator whose chunks are all in the memory has none that could be chosen. By turns, any number is shared evenly.
"""


@dataclass(frozen=True)
class Core:
    """One accelerator core."""

    array: Array
    buffers: dict[str, Scratchpad]
    channels: tuple[DmaChannel, ...]
    controller: Controller


@dataclass(frozen=True)
class Machine:
    """All components of an SoC, connected."""

    simulation: Simulation
    memories: dict[str, Memory]
    fabric: Fabric
    cores: tuple[Core, ...]
    host: Host
    schedulers: tuple[Scheduler, ...]
    """One for each set of cores that work together."""
    domains: Domains
    background: tuple[Background, ...]

    @property
    def issuers(self) -> list[Issuer]:
        """Whoever asks for a program's data."""
        channels = [channel.issuer for core in self.cores for channel in core.channels]
        return [*channels, self.host.readers, self.host.writers]

    def set_frequency(self, domain: str, clock_hz: float) -> None:
        """Change the frequency of a clock domain now, as :meth:`Domains.set_frequency` does."""
        self.domains.set_frequency(domain, clock_hz)

    def components(self) -> list[Component]:
        """Everything that may have a process, in the order of starting."""
        found: list[Component] = [*self.memories.values(), self.fabric]
        for core in self.cores:
            found += [core.controller, *core.channels, core.array]
        return [*found, self.host, *self.background]


def build(
    soc: Soc,
    simulation: Simulation,
    core_sets: Sequence[Sequence[int]],
    scheduling: Scheduling,
    traffic: Sequence[Iterator[Due]] = (),
    *,
    together: Sequence[Sequence[int]] | None = None,
) -> Machine:
    """Construct and connect everything.

    Args:
        soc: The hardware.
        simulation: The time it lives in.
        core_sets: Cores that take the same turns; each core is in one set.
        scheduling: Of each of these sets.
        traffic: What each background initiator of the SoC asks for.
        together: Cores that wait for one another's results, stages of a pipeline among them; default: each set.

    Raises:
        ConfigurationError: ports are left unconnected.
    """
    memories: dict[str, Memory] = {
        name: make_memory(simulation, name, description) for name, description in soc.memories.items()
    }
    fabric = Fabric(
        simulation,
        "interconnect",
        soc.interconnect,
        soc.initiators,
        {name: memory.max_outstanding for name, memory in memories.items()},
    )
    most_requests = None
    if soc.interconnect.arbitration != "round_robin":
        most_requests = max(1, min(memory.max_outstanding for memory in memories.values()) // CHUNKS_HELD)
    depth = soc.controller.queue_depth
    host_queues = [Mailbox[Dispatched[VectorOp]](simulation, depth) for _ in core_sets]
    schedulers = [Scheduler(simulation, scheduling.policy, core_set, scheduling.limit) for core_set in core_sets]
    cores = []
    for index in range(soc.cores):
        place = next(place for place, core_set in enumerate(core_sets) if index in core_set)
        cores.append(_core(index, soc, simulation, schedulers[place], host_queues[place], most_requests))
    for core_set in core_sets if together is None else together:
        stores = [log for core in core_set for log in cores[core].array.stores]
        for core in core_set:
            array = cores[core].array
            array.stores = (*array.stores, *(log for log in stores if log not in array.stores))
            for log in array.stores:
                log.subscribe(array.name)
    host = Host(simulation, "host", soc.host, host_queues, most_requests)
    background = tuple(
        Background(simulation, description.name, description, asked, most_requests)
        for description, asked in zip(soc.background, traffic, strict=True)
    )

    initiator_ports = [channel.port for core in cores for channel in core.channels] + [host.port]
    initiator_ports += [initiator.port for initiator in background]
    for port in initiator_ports:
        port.connect(tapped(simulation, port.name, fabric))
    for name, memory in memories.items():
        fabric.outputs[name].port.connect(tapped(simulation, name, memory))
    ports: list[InitiatorPort] = [*initiator_ports, *(output.port for output in fabric.outputs.values())]
    check_wiring(ports)
    domains = Domains(
        soc,
        simulation,
        {
            "array": [core.array.clock for core in cores],
            "dma": [channel.clock for core in cores for channel in core.channels],
            "controller": [core.controller.clock for core in cores],
            "interconnect": [fabric.clock],
            "host": [host.clock],
        },
        dram if isinstance(dram := memories["dram"], DramModel) and soc.dram_domain is not None else None,
    )
    return Machine(simulation, memories, fabric, tuple(cores), host, tuple(schedulers), domains, background)


def _core(
    index: int,
    soc: Soc,
    simulation: Simulation,
    scheduler: Scheduler,
    host_queue: Mailbox[Dispatched[VectorOp]],
    most_requests: int | None,
) -> Core:
    name = f"core{index}"
    buffers = scratchpads(simulation, name, soc)
    shared = {operand: buffer.space for operand, buffer in buffers.items() if buffer.pad.shared}
    channel_of = soc.dma.channel_of
    depth = soc.controller.queue_depth
    queues: dict[str, Mailbox[Dispatched[Any]]] = {
        unit: Mailbox(simulation, depth) for unit in (*dict.fromkeys(channel_of.values()), "array")
    }
    queues["host"] = host_queue
    controller = Controller(simulation, f"{name}.controller", soc.controller, queues, scheduler, index, shared)
    channels = tuple(
        DmaChannel(
            simulation, f"{name}.{channel}", soc.dma, buffers, queues[channel], soc.local_width_bytes, most_requests
        )
        for channel in dict.fromkeys(channel_of.values())
    )
    logs: dict[str, CompletionLog] = {
        buffer: channel.issuer.log
        for buffer, unit in channel_of.items()
        for channel in channels
        if channel.name == f"{name}.{unit}"
    }
    idle_states = soc.domain_of("array").idle_states
    array = Array(simulation, f"{name}.array", soc.array, buffers, logs, queues["array"], idle_states)
    return Core(array, buffers, channels, controller)
