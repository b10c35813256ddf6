"""Runs several streams of inferences on an SoC up to a given time, and collects what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from soc_sim.compiler.program import Instruction, Layer, Load, MemoryMap, Program
from soc_sim.config.core import Scheduling
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.kernel import Recorder, Simulation, Track
from soc_sim.system.builder import Machine, build
from soc_sim.system.executable import Executable
from soc_sim.system.layout import lay_out
from soc_sim.system.record import RunRecord
from soc_sim.system.soc import collect, core_sets_of
from soc_sim.system.stream import InferenceRecord, Stream
from soc_sim.system.traffic import background_requests
from soc_sim.system.watchdog import Watchdog


@dataclass(frozen=True)
class Demand:
    """What one stream asks for."""

    program: Program
    cores: tuple[int, ...]
    """Of the machine; as many as the program was compiled for."""
    arrivals_ps: Iterator[int]
    """When it asks, ascending."""
    priority: int = 0
    """The larger, the more urgent."""
    deadline_ps: int | None = None
    """After each arrival."""
    name: str = ""
    """In traces; by default the program's network."""


@dataclass(frozen=True)
class StreamRecord:
    """What became of one stream."""

    inferences: tuple[InferenceRecord, ...]
    """In order of submission."""
    layers: range
    """Its layers among those of all streams."""
    instructions: range
    """Its instructions among those of all streams."""


@dataclass(frozen=True)
class ScenarioRecord:
    """One simulation of several streams."""

    machine: RunRecord
    """What the machine did, with the programs of all streams in a row as its program."""
    streams: tuple[StreamRecord, ...]


class Live:
    """A machine at work, as actions at a time of a scenario see it."""

    def __init__(self, machine: Machine, streams: Sequence[Stream], ask: Callable[[int], None]) -> None:
        """``ask`` asks for one more inference of a stream."""
        self._machine = machine
        self._streams = streams
        self._ask = ask

    @property
    def now_ps(self) -> int:
        """Simulated time."""
        return self._machine.simulation.now_ps

    def set_frequency(self, domain: str, clock_hz: float) -> None:
        """Change the frequency of a clock domain, from now on.

        Raises:
            ConfigurationError: there is no such domain, or it does not have the frequency.
        """
        self._machine.set_frequency(domain, clock_hz)

    def request(self, stream: int) -> None:
        """Ask for an inference of stream number ``stream``, now."""
        self._ask(stream)

    def pending(self, stream: int) -> int:
        """Inferences of stream number ``stream`` that have been asked for and are not complete."""
        return len(self._streams[stream].inferences) - self._streams[stream].ended


Action = Callable[[Live], None]


def run_streams(
    soc: Soc,
    demands: Sequence[Demand],
    until_ps: int,
    *,
    scheduling: Scheduling = Scheduling(),  # noqa: B008 # it is frozen
    actions: Sequence[tuple[int, Action]] = (),
    seed: int = 0,
    recorder: Recorder | None = None,
) -> ScenarioRecord:
    """Simulate all streams beside the SoC's background traffic, up to ``until_ps``.

    Args:
        soc: The hardware.
        demands: The streams; two have all their cores in common, or none.
        until_ps: When the simulation ends; what is under way then stays incomplete.
        scheduling: Whose layer is next where streams share cores.
        actions: (time, what to do then).
        seed: Of whatever is random in the background traffic.
        recorder: Is told what was busy when, and when each inference was asked for and done.

    Raises:
        MappingError: programs and background traffic do not fit in a memory, or programs that keep weights in buffers
            share cores.
        InputError: a recording of traffic cannot be used.
        DeadlockError: inferences are pending, and nothing can go on.
    """
    simulation = Simulation(recorder)
    names = [demand.name or demand.program.network for demand in demands]
    tracks = [simulation.track(f"streams.{name}", "layers") for name in names]
    programs = [demand.program for demand in demands]
    layout = lay_out(soc, programs, [program.requests_under_way for program in programs])
    core_sets = _core_sets(soc, demands)
    _check_residency(demands, divided=scheduling.buffers == "divided")
    together = list(dict.fromkeys([demand.cores for demand in demands]))
    machine = build(soc, simulation, core_sets, scheduling, background_requests(soc, layout, seed), together=together)
    streams, merged = [], _merge(programs)
    first_layer = first_index = 0
    for demand, sets in zip(demands, layout.sets, strict=True):
        executable = Executable(
            demand.program,
            demand.cores,
            soc.dma.channel_of,
            first_layer=first_layer,
            first_index=first_index,
            interruptible=scheduling.policy != "fifo",
        )
        own = [core_sets.index(core_set) for core_set in core_sets_of(demand.program, demand.cores)]
        schedulers = [machine.schedulers[place] for place in own]
        streams.append(Stream(simulation, executable, schedulers, sets, len(merged.instructions)))
        first_layer += len(demand.program.layers)
        first_index += len(demand.program.instructions)

    if recorder is not None:
        named = zip(names, demands, strict=True)
        recorder.begin([f"{name}: {layer.name}" for name, demand in named for layer in demand.program.layers])
    arrivals = _Arrivals(simulation, demands, streams, until_ps)
    live = Live(machine, streams, arrivals.ask)
    for time_ps, action in actions:
        if time_ps < until_ps:
            simulation.call_at(time_ps, partial(action, live))
    for component in machine.components():
        component.start()
    arrivals.start()
    stuck = simulation.event()

    def stop() -> None:
        stuck.succeed()

    Watchdog(machine, lambda: sum(len(stream.under_way) for stream in streams), stop).start()
    end = simulation.wait_until(until_ps)
    simulation.run(lambda: end.processed, simulation.first_of([end, stuck]))
    record = collect(soc, merged, machine, streams, until_ps)
    for track, stream in zip(tracks, streams, strict=True):
        if track is not None:
            _tell_inferences(track, stream.inferences)
    if recorder is not None:
        recorder.end(until_ps)
    return ScenarioRecord(record, tuple(_stream_record(stream) for stream in streams))


def _tell_inferences(track: Track, inferences: Sequence[InferenceRecord]) -> None:
    """From asking to answer; what is under way at the end has no end."""
    for inference in inferences:
        if inference.end_ps is not None:
            late = inference.deadline_ps is not None and inference.end_ps > inference.deadline_ps
            name = "late inference" if late else "inference"
            track.slice(name, inference.submitted_ps, inference.end_ps, -1)


class _Arrivals:
    """Asks for inferences as their times come."""

    def __init__(
        self, simulation: Simulation, demands: Sequence[Demand], streams: Sequence[Stream], until_ps: int
    ) -> None:
        self._simulation = simulation
        self._demands = demands
        self._streams = streams
        self._until_ps = until_ps
        self._asked = 0

    def start(self) -> None:
        """Plan the first request of each stream."""
        for place in range(len(self._demands)):
            self._plan(place)

    def ask(self, place: int) -> None:
        """Ask for an inference of a stream, now."""
        demand, now_ps = self._demands[place], self._simulation.now_ps
        deadline_ps = None if demand.deadline_ps is None else now_ps + demand.deadline_ps
        self._streams[place].submit(self._asked, deadline_ps, demand.priority)
        self._asked += 1

    def _plan(self, place: int) -> None:
        time_ps = next(self._demands[place].arrivals_ps, None)
        if time_ps is not None and time_ps < self._until_ps:
            self._simulation.call_at(time_ps, partial(self._arrived, place))

    def _arrived(self, place: int) -> None:
        self.ask(place)
        self._plan(place)


def _core_sets(soc: Soc, demands: Sequence[Demand]) -> list[tuple[int, ...]]:
    """Cores that take the same turns, and each core that nobody uses by itself.

    Raises:
        MappingError: of streams that share cores, some are pipelines and others not.
    """
    used = list(dict.fromkeys(cores for demand in demands for cores in core_sets_of(demand.program, demand.cores)))
    taken = {core for cores in used for core in cores}
    if len(taken) < sum(map(len, used)):
        mixed = {demand.cores for demand in demands if demand.program.stages and len(demand.cores) > 1}
        names = [demand.name or demand.program.network for demand in demands if demand.cores in mixed]
        raise MappingError(
            f"streams {', '.join(names)} share cores, and only some are pipelines (mapping.split); "
            "allowed: all or none of those that share cores"
        )
    return [*used, *((core,) for core in range(soc.cores) if core not in taken)]


def _check_residency(demands: Sequence[Demand], *, divided: bool) -> None:
    """What one program keeps in the buffers for good would be in the way of the others on its cores.

    ``divided``: each has a part of the buffers to itself.
    """
    for demand in demands:
        sharing = sum(other.cores == demand.cores for other in demands)
        if divided and demand.program.buffer_parts < sharing:
            raise MappingError(
                f"{demand.program.network} was compiled for more than one of {sharing} parts of the buffers, and "
                f"{sharing} streams divide them; allowed: a network in its place, or scheduling.buffers: shared"
            )
        if divided:
            continue
        keeps = any(isinstance(demand.program.instructions[index], Load) for index in demand.program.once)
        if keeps and sharing > 1:
            raise MappingError(
                f"{demand.program.network} keeps its weights in the buffers, and another stream uses its cores; "
                "allowed: cores of its own, mapping.residency off, or scheduling.buffers: divided"
            )


def _merge(programs: Sequence[Program]) -> Program:
    """One after another, with layers and instructions numbered through: what statistics count by."""
    if len(programs) == 1:
        return programs[0]
    layers: list[Layer] = []
    instructions: list[Instruction] = []
    for program in programs:
        first_layer, first_index = len(layers), len(instructions)
        layers += (replace(layer, index=first_layer + layer.index) for layer in program.layers)
        instructions += (
            replace(instruction, index=first_index + instruction.index, layer=first_layer + instruction.layer)
            for instruction in program.instructions
        )
    return Program(
        network=" + ".join(program.network for program in programs),
        layers=tuple(layers),
        instructions=tuple(instructions),
        memory_map=MemoryMap((), sum(program.memory_map.weight_bytes for program in programs), 0, {}),
        cores=max((program.cores for program in programs), default=1),
        warnings=tuple(dict.fromkeys(warning for program in programs for warning in program.warnings)),
        sparse=any(program.sparse for program in programs),
    )


def _stream_record(stream: Stream) -> StreamRecord:
    executable = stream.executable
    layers, instructions = len(executable.program.layers), len(executable.program.instructions)
    return StreamRecord(
        tuple(stream.inferences),
        range(executable.first_layer, executable.first_layer + layers),
        range(executable.first_index, executable.first_index + instructions),
    )
