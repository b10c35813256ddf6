"""Builds the components of an SoC for one program. The only place that connects ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from soc_sim.compiler.program import Compute, Instruction, Load, Program, Store, VectorOp
from soc_sim.components.accelerator.array import Array
from soc_sim.components.accelerator.controller import Controller
from soc_sim.components.accelerator.scratchpad import Scratchpad
from soc_sim.components.dma.engine import DmaChannel
from soc_sim.components.host.vector_unit import Host
from soc_sim.components.interconnect.fabric import Fabric
from soc_sim.components.memory.base import Memory
from soc_sim.config.core import BUFFERS
from soc_sim.config.soc import Soc
from soc_sim.kernel import (
    CompletionLog,
    Component,
    Dispatched,
    InitiatorPort,
    Mailbox,
    Scoreboard,
    Simulation,
    check_wiring,
)
from soc_sim.system.domains import Domains
from soc_sim.system.registry import make_memory


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
    scoreboard: Scoreboard
    memories: dict[str, Memory]
    fabric: Fabric
    cores: tuple[Core, ...]
    host: Host
    domains: Domains

    def set_frequency(self, domain: str, clock_hz: float) -> None:
        """Change the frequency of a clock domain now, as :meth:`Domains.set_frequency` does."""
        self.domains.set_frequency(domain, clock_hz)

    def components(self) -> list[Component]:
        """Everything that may have a process, in the order of starting."""
        found: list[Component] = [*self.memories.values(), self.fabric]
        for core in self.cores:
            found += [core.controller, *core.channels, core.array]
        return [*found, self.host]


def build(soc: Soc, program: Program, simulation: Simulation, inferences: int) -> Machine:
    """Construct and connect everything.

    Raises:
        ConfigurationError: ports are left unconnected.
    """
    scoreboard = Scoreboard(simulation, len(program.instructions) * inferences)
    memories = {"dram": make_memory(simulation, "dram", soc.dram)}
    if soc.weight_memory is not None:
        memories["weight_memory"] = make_memory(simulation, "weight_memory", soc.weight_memory)
    fabric = Fabric(
        simulation,
        "interconnect",
        soc.interconnect,
        soc.initiators,
        {name: memory.max_outstanding for name, memory in memories.items()},
    )
    host_queue: Mailbox[Dispatched[VectorOp]] = Mailbox(simulation, soc.controller.queue_depth)
    cores = tuple(
        _core(index, soc, program, simulation, scoreboard, inferences, host_queue) for index in range(soc.cores)
    )
    host = Host(simulation, "host", soc.host, scoreboard, host_queue)

    initiator_ports = [channel.port for core in cores for channel in core.channels] + [host.port]
    for port in initiator_ports:
        port.connect(fabric)
    for name, memory in memories.items():
        fabric.outputs[name].port.connect(memory)
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
    )
    return Machine(simulation, scoreboard, memories, fabric, cores, host, domains)


def _core(
    index: int,
    soc: Soc,
    program: Program,
    simulation: Simulation,
    scoreboard: Scoreboard,
    inferences: int,
    host_queue: Mailbox[Dispatched[VectorOp]],
) -> Core:
    name = f"core{index}"
    buffers: dict[str, Scratchpad] = {
        buffer: Scratchpad(simulation, f"{name}.{buffer}", getattr(soc.buffers, buffer), soc.port_width_bytes(buffer))
        for buffer in BUFFERS
    }
    channel_of = soc.dma.channel_of
    depth = soc.controller.queue_depth
    queues: dict[str, Mailbox[Dispatched[Any]]] = {
        unit: Mailbox(simulation, depth) for unit in (*dict.fromkeys(channel_of.values()), "array")
    }
    queues["host"] = host_queue
    route = [
        (instruction, unit)
        for instruction in program.instructions
        if (unit := _unit(instruction, index, channel_of)) is not None
    ]
    controller = Controller(
        simulation, f"{name}.controller", soc.controller, queues, route, inferences, len(program.instructions)
    )
    channels = tuple(
        DmaChannel(
            simulation,
            f"{name}.{channel}",
            soc.dma,
            buffers,
            scoreboard,
            queues[channel],
            lambda instruction: isinstance(program.instructions[instruction % len(program.instructions)], VectorOp),
        )
        for channel in dict.fromkeys(channel_of.values())
    )
    logs: dict[str, CompletionLog] = {
        buffer: channel.issuer.log
        for buffer, unit in channel_of.items()
        for channel in channels
        if channel.name == f"{name}.{unit}"
    }
    array = Array(simulation, f"{name}.array", soc.array, buffers, logs, scoreboard, queues["array"])
    return Core(array, buffers, channels, controller)


def _unit(instruction: Instruction, core: int, channel_of: dict[Any, str]) -> str | None:
    """The queue of ``core`` that takes the instruction; None where another core's does. Core 0 also feeds the host."""
    match instruction:
        case VectorOp():
            return "host" if core == 0 else None
        case Load(core=owner, buffer=buffer):
            unit = channel_of[buffer]
        case Store(core=owner):
            unit = channel_of["outputs"]
        case Compute(core=owner):
            unit = "array"
    return unit if owner == core else None
