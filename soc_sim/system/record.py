"""What happened in a run, as integers: the only thing statistics, energy and reports are derived from."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

from soc_sim.compiler.program import Program
from soc_sim.config.soc import Soc
from soc_sim.kernel import Cause, Reason
from soc_sim.system.domains import Phase


@dataclass(frozen=True)
class OperandRecord:
    """What passed the ports of a buffer for one operand."""

    array_read_bytes: int
    array_write_bytes: int
    dma_read_bytes: int
    dma_write_bytes: int


@dataclass(frozen=True)
class BufferRecord:
    """Traffic and fill of one buffer of one core."""

    capacity_bytes: int
    peak_bytes: int
    array_read_bytes: int
    array_write_bytes: int
    dma_read_bytes: int
    dma_write_bytes: int
    left_bytes: int
    """Space that was not given back; zero unless something is wrong."""
    operands: dict[str, OperandRecord] = field(default_factory=dict)
    """Operands in it → their part of the traffic."""


@dataclass(frozen=True)
class CoreRecord:
    """One accelerator core."""

    array_ps: dict[tuple[int, Cause], int]
    """(layer, cause) → time of the array; sums to the makespan."""
    reasons_ps: dict[tuple[int, Cause, Reason], int]
    """Its waits again, by who made them last and why."""
    units_ps: dict[str, dict[tuple[int, Cause], int]]
    """Controller and DMA channels by name → (layer, cause) → time; each sums to the makespan."""
    buffers: dict[str, BufferRecord]
    dispatched: int
    """Instructions its controller handed over."""
    idle_spans: tuple[tuple[str, int, int], ...] = ()
    """(power state, from, until) of its PEs; powered at all other times."""


@dataclass(frozen=True)
class LayerRecord:
    """When a layer's instructions ran, and what they moved (first inference start to last inference end)."""

    start_ps: int
    end_ps: int
    read_bytes: int
    """Asked of all memories."""
    write_bytes: int


@dataclass(frozen=True)
class TrafficRecord:
    """Transfers of one initiator over the interconnect."""

    moved_bytes: int
    latencies_ps: array[int]
    """Of each transfer that was answered, in order of the memories' answers."""
    waited_ps: dict[str, int]
    """Reason → time for which transfers waited for a turn, in the words of the interconnect's ``Traffic``."""


@dataclass(frozen=True)
class Times:
    """When instructions ran: an entry for each completion, columns side by side."""

    instructions: array[int] = field(default_factory=lambda: array("q"))
    """Index in the program."""
    started_ps: array[int] = field(default_factory=lambda: array("q"))
    """When its own work began."""
    completed_ps: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True)
class RunRecord:
    """One simulation."""

    soc: Soc
    program: Program
    inferences: int
    """That have ended."""
    executions: tuple[int, ...]
    """Index of an instruction → how often it was completed."""
    makespan_ps: int
    inference_end_ps: tuple[int, ...]
    """When the last instruction of each inference was complete."""
    events: int
    cores: tuple[CoreRecord, ...]
    host_ps: dict[tuple[int, Cause], int]
    host_operations: int
    memories: dict[str, dict[str, Any]]
    """Memory → its counters, ``peak_bytes_per_s`` among them."""
    asked_bytes: dict[tuple[int, str, bool], int]
    """(layer, memory, write) → bytes that initiators asked for."""
    interconnect_bytes: dict[str, int]
    """Initiator → bytes that passed the interconnect."""
    interconnect_busy_ps: dict[str, int]
    """Data path → time it moved data."""
    traffic: dict[str, TrafficRecord]
    """Initiator → its transfers."""
    background_bytes: dict[tuple[str, bool], int]
    """(background initiator, write) → bytes that it asked for."""
    layers: tuple[LayerRecord, ...]
    times: Times = field(default_factory=lambda: Times())
    phases: dict[str, tuple[Phase, ...]] = field(default_factory=dict)
    """Clock domain → its frequencies and voltages, the first from time zero on."""

    @property
    def array_cycles(self) -> int:
        """Cycles of the array's clock in the makespan, at whatever frequencies."""
        return self.phases[self.soc.domain_of("array").name][-1].cycles_at(self.makespan_ps)
