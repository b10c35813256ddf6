"""Runs a program on an SoC and collects what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from soc_sim.compiler.program import Program
from soc_sim.components.accelerator.scratchpad import Scratchpad
from soc_sim.config.core import BufferName, PadName, Scheduling
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.soc import Soc
from soc_sim.kernel import Ledger, Recorder, Simulation
from soc_sim.kernel.simulation import Event
from soc_sim.system.builder import Core, Machine, build
from soc_sim.system.executable import Executable
from soc_sim.system.layout import lay_out
from soc_sim.system.record import BufferRecord, CoreRecord, LayerRecord, OperandRecord, RunRecord, Times, TrafficRecord
from soc_sim.system.stream import Stream
from soc_sim.system.traffic import background_requests
from soc_sim.system.watchdog import Watchdog


def run(
    soc: Soc,
    program: Program,
    *,
    inferences: int = 1,
    frequency_changes: Sequence[FrequencyChange] = (),
    seed: int = 0,
    recorder: Recorder | None = None,
) -> RunRecord:
    """Simulate ``inferences`` inferences one after another, beside the SoC's background traffic.

    Args:
        soc: The hardware.
        program: What runs on it.
        inferences: How often.
        frequency_changes: Of its clock domains.
        seed: Of whatever is random in the background traffic.
        recorder: Is told what was busy when.

    Raises:
        ConfigurationError: a change names no domain, or a frequency that the domain does not have.
        MappingError: program and background traffic do not fit in a memory.
        InputError: a recording of traffic cannot be used.
        DeadlockError: the program cannot make progress.
    """
    simulation = Simulation(recorder)
    layers = simulation.track("layers", "layers")
    cores = range(soc.cores)
    layout = lay_out(soc, [program], [min(inferences, program.requests_under_way)])
    core_sets = core_sets_of(program, cores)
    traffic = background_requests(soc, layout, seed)
    machine = build(soc, simulation, core_sets, Scheduling(), traffic, together=[cores])
    executable = Executable(program, cores, soc.dma.channel_of)
    stream = Stream(simulation, executable, machine.schedulers, layout.sets[0], len(program.instructions))
    for number in range(inferences):
        stream.submit(number)
    for scheduler in machine.schedulers:
        scheduler.close()
    if recorder is not None:
        recorder.begin([layer.name for layer in program.layers])
    for change in frequency_changes:
        simulation.call_at(change.at_ps, partial(machine.set_frequency, change.domain, change.clock_hz))
    until = _end_of_inferences(machine, stream, inferences) if soc.background or frequency_changes else None
    for component in machine.components():
        component.start()
    simulation.run(lambda: stream.ended == inferences, until)
    makespan_ps = max((inference.end_ps or 0 for inference in stream.inferences), default=0)
    record = collect(soc, program, machine, [stream], makespan_ps)
    if layers is not None:
        for layer, times in zip(program.layers, record.layers, strict=True):
            layers.slice(layer.name, times.start_ps, times.end_ps, layer.index)
    if recorder is not None:
        recorder.end(record.makespan_ps)
    return record


def core_sets_of(program: Program, cores: Sequence[int]) -> list[tuple[int, ...]]:
    """Cores that take the same turns: all that a program runs on, or each stage of a pipeline its own."""
    return [(core,) for core in cores] if program.stages else [tuple(cores)]


def _end_of_inferences(machine: Machine, stream: Stream, inferences: int) -> Event:
    """An event that ends the run: background traffic never ends by itself, and changes may be due only later."""
    ended = machine.simulation.event()

    def stop() -> None:
        ended.succeed()

    def one_ended() -> None:
        if stream.ended == inferences:
            stop()

    stream.on_end = one_ended
    one_ended()
    if machine.background:
        Watchdog(machine, lambda: inferences - stream.ended, stop).start()
    return ended


def collect(soc: Soc, program: Program, machine: Machine, streams: Sequence[Stream], makespan_ps: int) -> RunRecord:
    """What happened up to ``makespan_ps``; ``program`` holds the layers and instructions of all streams in a row."""
    events = machine.simulation.events
    last_layer = len(program.layers) - 1
    for core in machine.cores:
        if core.array.at_work is not None:
            core.array.ledger.record(makespan_ps, "busy", core.array.at_work)
        else:
            core.array.idle.close(makespan_ps)
    for ledger in _ledgers(machine):
        ledger.close(makespan_ps, last_layer)
    for memory in machine.memories.values():
        memory.finish()
    asked_bytes: dict[tuple[int, str, bool], int] = {}
    for issuer in machine.issuers:
        for key, size in issuer.asked_bytes.items():
            asked_bytes[key] = asked_bytes.get(key, 0) + size
    return RunRecord(
        soc=soc,
        program=program,
        inferences=sum(stream.ended for stream in streams),
        executions=tuple(count for stream in streams for count in stream.executions()),
        makespan_ps=makespan_ps,
        inference_end_ps=tuple(
            inference.end_ps for stream in streams for inference in stream.inferences if inference.end_ps is not None
        ),
        events=events,
        cores=tuple(_core_record(core, soc.buffers.pads) for core in machine.cores),
        host_ps=dict(machine.host.ledger.spans_ps),
        host_operations=machine.host.operations,
        memories={
            name: memory.counters() | {"peak_bytes_per_s": memory.peak_bytes_per_s}
            for name, memory in machine.memories.items()
        },
        asked_bytes=asked_bytes,
        interconnect_bytes={name: traffic.moved_bytes for name, traffic in machine.fabric.traffic.items()},
        interconnect_busy_ps=machine.fabric.busy_ps(),
        traffic={
            name: TrafficRecord(traffic.moved_bytes, traffic.latencies_ps, dict(traffic.waited_ps))
            for name, traffic in machine.fabric.traffic.items()
        },
        background_bytes={
            (initiator.name, write): size
            for initiator in machine.background
            for write, size in initiator.asked_bytes.items()
        },
        times=_times(streams),
        phases={
            name: tuple(phase for phase in phases if phase.start_ps < makespan_ps or phase is phases[0])
            for name, phases in machine.domains.phases.items()
        },
        layers=_layer_records(program, streams, asked_bytes),
    )


def _times(streams: Sequence[Stream]) -> Times:
    """Of all streams, whose programs stand in a row."""
    times, first = Times(), 0
    for stream in streams:
        for index, start_ps, end_ps in stream.times():
            times.instructions.append(first + index)
            times.started_ps.append(start_ps)
            times.completed_ps.append(end_ps)
        first += len(stream.executable.program.instructions)
    return times


def _ledgers(machine: Machine) -> Iterator[Ledger]:
    """Of everything that works or waits."""
    for core in machine.cores:
        yield from (core.array.ledger, core.controller.ledger, *(channel.ledger for channel in core.channels))
    yield machine.host.ledger


def _core_record(core: Core, pads: Mapping[PadName, Sequence[BufferName]]) -> CoreRecord:
    return CoreRecord(
        array_ps=dict(core.array.ledger.spans_ps),
        reasons_ps=dict(core.array.ledger.reasons_ps),
        units_ps={
            core.controller.name: dict(core.controller.ledger.spans_ps),
            **{channel.name: dict(channel.ledger.spans_ps) for channel in core.channels},
        },
        buffers={
            name: _buffer_record([core.buffers[operand] for operand in operands]) for name, operands in pads.items()
        },
        dispatched=core.controller.dispatched,
        idle_spans=tuple(core.array.idle.spans),
    )


def _buffer_record(operands: Sequence[Scratchpad]) -> BufferRecord:
    """Of the operands in one memory."""
    space = operands[0].space
    found = {
        operand.operand: OperandRecord(
            operand.array_read_bytes, operand.array_write_bytes, operand.dma_read_bytes, operand.dma_write_bytes
        )
        for operand in operands
    }
    return BufferRecord(
        capacity_bytes=space.capacity,
        peak_bytes=space.capacity - space.lowest_free,
        array_read_bytes=sum(one.array_read_bytes for one in found.values()),
        array_write_bytes=sum(one.array_write_bytes for one in found.values()),
        dma_read_bytes=sum(one.dma_read_bytes for one in found.values()),
        dma_write_bytes=sum(one.dma_write_bytes for one in found.values()),
        left_bytes=space.capacity - space.free,
        operands=found,
    )


def _layer_records(
    program: Program, streams: Sequence[Stream], asked_bytes: dict[tuple[int, str, bool], int]
) -> tuple[LayerRecord, ...]:
    """Times of each layer, all inferences together; a layer without instructions lasts no time."""
    spans = {
        stream.executable.first_layer + layer: span for stream in streams for layer, span in stream.layer_spans.items()
    }
    moved = {(layer.index, write): 0 for layer in program.layers for write in (False, True)}
    for (layer, _, write), size in asked_bytes.items():
        moved[layer, write] += size
    return tuple(
        LayerRecord(
            start_ps=spans.get(layer.index, (0, 0))[0],
            end_ps=spans.get(layer.index, (0, 0))[1],
            read_bytes=moved[layer.index, False],
            write_bytes=moved[layer.index, True],
        )
        for layer in program.layers
    )
