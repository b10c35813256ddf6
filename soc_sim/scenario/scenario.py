"""Puts a scenario together, in Python or from a description, and runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from soc_sim import system
from soc_sim.compiler.program import Program
from soc_sim.config.background import Background
from soc_sim.config.core import BufferUse, Policy
from soc_sim.config.loader import load
from soc_sim.config.run import Choice, InputShape, NetworkFile, Objective, Split
from soc_sim.config.scenario import RequestStream
from soc_sim.config.scenario import Scenario as Description
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.errors import ConfigurationError, suggestion
from soc_sim.kernel import Recorder
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.power import PowerRecorder
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import DEFAULT, Selection
from soc_sim.scenario.arrivals import arrivals_ps
from soc_sim.scenario.outcome import Outcome, outcome_document
from soc_sim.scenario.programs import programs_of
from soc_sim.system import Demand, Live
from soc_sim.units import PS_PER_S

Zeros = Literal["dense"] | Sparsity | Mapping[str, object]


class Scene:
    """The machine at work, as an action at a time of the scenario sees it."""

    def __init__(self, live: Live, names: Sequence[str]) -> None:
        self._live = live
        self._names = list(names)

    @property
    def now_s(self) -> float:
        """Simulated time."""
        return self._live.now_ps / PS_PER_S

    def set_frequency(self, domain: str, clock_hz: float) -> None:
        """Change the frequency of a clock domain (``array``, ``dma``, …), from now on.

        Raises:
            ConfigurationError: there is no such domain, or it does not have the frequency.
        """
        self._live.set_frequency(domain, clock_hz)

    def request(self, stream: str) -> None:
        """Ask for one more inference of a stream, now.

        Raises:
            ConfigurationError: there is no such stream.
        """
        self._live.request(self._number(stream))

    def pending(self, stream: str) -> int:
        """Requests of a stream that have arrived and are not complete.

        Raises:
            ConfigurationError: there is no such stream.
        """
        return self._live.pending(self._number(stream))

    def _number(self, stream: str) -> int:
        if stream not in self._names:
            hint = suggestion(stream, self._names)
            raise ConfigurationError(f"'{stream}' is no stream; allowed: {', '.join(self._names)}{hint}")
        return self._names.index(stream)


class Scenario:
    """Streams of requests on one SoC, traffic beside them, and events in time.

    >>> import soc_sim
    >>> scenario = soc_sim.Scenario(soc_sim.load_soc("mcu_8x8"), seed=1)
    >>> spotter = scenario.stream(soc_sim.load_network("ds_cnn"), name="spotter", period_s=0.1, deadline_s=0.1)
    >>> scenario.run(until_s=0.25).streams[0].completed
    3

    Args:
        soc: The hardware; its background initiators are part of the scenario.
        seed: Of everything random: arrivals, jitter, addresses.
        scheduling: Whose layer is next where streams share cores: ``fifo``, ``fixed_priority`` or ``edf``.
        layers_ahead: Layers handed out beyond the one at work (not with ``fifo``).
        buffers: What streams that share cores have of their buffers: all while a layer runs (``shared``), or an equal
            part each, in which weights and results may stay (``divided``).
    """

    def __init__(
        self,
        soc: Soc,
        *,
        seed: int = 0,
        scheduling: Policy = "fifo",
        layers_ahead: int | None = None,
        buffers: BufferUse = "shared",
    ) -> None:
        self._soc = soc
        self._seed = seed
        ahead = {} if layers_ahead is None else {"layers_ahead": layers_ahead}
        self._scheduling = {"policy": scheduling, "buffers": buffers} | ahead
        self._streams: list[RequestStream] = []
        self._networks: dict[str, Network | Program] = {}
        self._background: list[Background] = []
        self._interconnect: Mapping[str, object] | None = None
        self._actions: list[tuple[int, Callable[[Scene], object]]] = []

    def stream(
        self,
        network: Network | Program,
        *,
        name: str | None = None,
        period_s: float | None = None,
        arrivals: Literal["periodic", "poisson", "trace"] = "periodic",
        times_s: Sequence[float] = (),
        offset_s: float = 0.0,
        jitter: float = 0.0,
        requests: int | None = None,
        deadline_s: float | None = None,
        priority: int = 0,
        cores: Sequence[int] = (),
        dataflow: Choice | dict[str, Choice] = "auto",
        objective: Objective = "latency",
        split: Split = "auto",
        sparsity: Zeros = "dense",
    ) -> RequestStream:
        """Add a stream of requests for one network (or a program compiled for the stream's cores).

        Args:
            network: What each request asks for.
            name: In the results; by default the network's, numbered where it repeats.
            period_s: Time between two requests, on average if they are random.
            arrivals: ``periodic``, ``poisson``, or ``trace``: at ``times_s``.
            times_s: Arrival times, ascending.
            offset_s: When the first periodic request comes.
            jitter: A periodic request is late by up to this share of the period.
            requests: At most so many.
            deadline_s: How long after its arrival a request should be answered.
            priority: For ``fixed_priority``: the larger, the more urgent.
            cores: That work on it together; by default all.
            dataflow: As in :func:`soc_sim.compile`.
            objective: As in :func:`soc_sim.compile`.
            split: As in :func:`soc_sim.compile`.
            sparsity: As in :func:`soc_sim.compile`.

        Raises:
            ConfigurationError: an argument is out of range, or does not fit the others.
        """
        chosen = name or self._free_name(network.network if isinstance(network, Program) else network.name)
        fields: dict[str, Any] = {
            "name": chosen,
            "network": _named(network),
            "batch": 1 if isinstance(network, Program) else network.batch,
            "arrivals": arrivals,
            "times": [_time(time_s) for time_s in times_s],
            "offset": _time(offset_s),
            "jitter": float(jitter),
            "cores": list(cores),
            "priority": priority,
            "mapping": {"dataflow": dataflow, "objective": objective, "split": split},
            "sparsity": sparsity.model_dump(mode="json", exclude_none=True)
            if isinstance(sparsity, Sparsity)
            else sparsity,
        }
        optional = {
            "period": None if period_s is None else _time(period_s),
            "deadline": None if deadline_s is None else _time(deadline_s),
            "requests": requests,
        }
        stream = load(fields | {key: value for key, value in optional.items() if value is not None}, RequestStream)
        self._streams.append(stream)
        self._networks[chosen] = network
        return stream

    def background(self, name: str, *, bytes_per_s: float | None = None, **fields: object) -> Background:
        """Add an initiator that only moves data.

        Args:
            name: In the results, priorities and weights.
            bytes_per_s: Bytes it asks for, on average.
            **fields: What ``soc.background`` has in a description: ``pattern="frame"``, ``frame_rate="60 Hz"``,
                ``read_share=0.5``, ``trace="requests.csv"`` …

        Raises:
            ConfigurationError: an argument is unknown, out of range, or does not fit the others.
        """
        rate = {} if bytes_per_s is None else {"bandwidth": f"{round(bytes_per_s)} B/s"}
        background = load({"name": name} | rate | fields, Background)
        self._background.append(background)
        return background

    def interconnect(self, **fields: object) -> None:
        """Change keys of the SoC's interconnect, as in ``arbitration="fixed_priority", priorities=["display"]``."""
        self._interconnect = self._soc.interconnect.model_dump(mode="json", exclude_none=True) | fields

    def at(self, time_s: float, action: Callable[[Scene], object]) -> None:
        """Do something at a time: ``action`` gets a scene (``now_s``, ``set_frequency``, ``request``, ``pending``)."""
        self._actions.append((round(time_s * PS_PER_S), action))

    def run(self, until_s: float, *, trace: str | Path | None = None, selection: Selection = DEFAULT) -> Outcome:
        """Simulate up to ``until_s``.

        Args:
            until_s: When the simulation ends.
            trace: A file for what was busy when; its suffix says in which format.
            selection: What the trace contains.

        Raises:
            InputError: the trace cannot be written.
            ConfigurationError: parts do not fit each other.
            MappingError: a network cannot be mapped, or all together do not fit in a memory.
            DeadlockError: requests are pending, and nothing can go on.
        """
        description = self._describe(until_s)
        if trace is None:
            return run_description(description, networks=self._networks, actions=self._actions)
        with writing(Path(trace)) as sink:
            recorder = TraceRecorder(sink, selection=selection)
            return run_description(description, networks=self._networks, actions=self._actions, recorder=recorder)

    def _describe(self, until_s: float) -> Description:
        fields: dict[str, Any] = {
            "kind": "scenario",
            "soc": self._soc.model_dump(mode="json", exclude_none=True),
            "until": _time(until_s),
            "streams": [stream.model_dump(mode="json", exclude_none=True) for stream in self._streams],
            "scheduling": self._scheduling,
            "background": [one.model_dump(mode="json", exclude_none=True) for one in self._background],
            "seed": self._seed,
        }
        return load(fields | ({} if self._interconnect is None else {"interconnect": self._interconnect}), Description)

    def _free_name(self, name: str) -> str:
        taken = {stream.name for stream in self._streams}
        number = 2
        chosen = name
        while chosen in taken:
            chosen, number = f"{name}_{number}", number + 1
        return chosen


def run_description(
    description: Description,
    *,
    networks: Mapping[str, Network | Program] | None = None,
    actions: Iterable[tuple[int, Callable[[Scene], object]]] = (),
    recorder: Recorder | None = None,
) -> Outcome:
    """What ``soc-sim scenario`` does.

    Args:
        description: The scenario.
        networks: Stream → its network, where the caller has it already.
        actions: (time in ps, what to do then), beside the description's.
        recorder: Is told what was busy when.

    Raises:
        NetworkError, MappingError, DeadlockError: as in :meth:`Scenario.run`.
    """
    began_s = time.perf_counter()
    soc, seed = description.whole_soc, description.seed
    mapped, warnings = programs_of(description, soc, networks or {})
    names = [stream.name for stream in description.streams]
    added = list(actions)
    timed = [*added]
    for change in description.frequency_changes:
        timed.append((change.at_ps, lambda scene, change=change: scene.set_frequency(change.domain, change.clock_hz)))  # type: ignore[misc]
    powered = None if recorder is None else PowerRecorder(recorder, soc)
    record = system.run_streams(
        soc,
        [
            Demand(
                one.program,
                one.cores,
                arrivals_ps(one.stream, seed),
                one.stream.priority,
                one.stream.deadline_ps,
                one.stream.name,
            )
            for one in mapped
        ],
        description.until_ps,
        scheduling=description.scheduling,
        actions=[(at_ps, _on_scene(action, names)) for at_ps, action in timed],
        seed=seed,
        recorder=powered,
    )
    config = description.model_dump(mode="json", exclude_none=True)
    document = outcome_document(record, mapped, config=config, seed=seed, power=description.power)
    if powered is not None:
        powered.finish(document)
    document["simulation"]["wall_s"] = time.perf_counter() - began_s
    if added:
        warnings.append("the embedded configuration does not hold the actions that Python added")
    document["warnings"] += warnings
    return Outcome(document)


def _on_scene(action: Callable[[Scene], object], names: Sequence[str]) -> Callable[[Live], None]:
    def act(live: Live) -> None:
        action(Scene(live, names))

    return act


def _time(seconds: float) -> str:
    return f"{round(seconds * PS_PER_S)} ps"


def _named(network: Network | Program) -> str | dict[str, Any]:
    """What the description calls it: a zoo name or a file, so that it can be loaded again."""
    if isinstance(network, Program):
        return network.network
    if network.name in zoo.names():
        return network.name
    shapes = tuple(InputShape(name=name, shape=network.tensors[name].shape) for name in network.inputs)
    file = NetworkFile(kind="network", model=network.source, input_shapes=shapes, allow_unknown=True)
    return file.model_dump(mode="json", exclude_none=True)
