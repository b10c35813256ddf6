"""Several streams of requests on one SoC, with other traffic beside them and events in time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError

from soc_sim.config.background import Background, Share
from soc_sim.config.base import Delay, Description, Picoseconds, repeated
from soc_sim.config.core import Scheduling
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.power import PowerReport
from soc_sim.config.run import Mapping, NetworkFile, NetworkName, change_faults
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity


class RequestStream(Description):
    """Requests for inferences of one network."""

    name: str
    """How the stream is called in the results."""
    network: NetworkName | NetworkFile
    """A zoo name, the path of an .onnx file, or a network description."""
    batch: PositiveInt = 1
    """Inputs processed at once."""
    sparsity: Literal["dense"] | Sparsity = "dense"
    """`dense`: no weight is taken for zero; or where the zeros are."""
    mapping: Mapping = Mapping()
    cores: Annotated[tuple[NonNegativeInt, ...], Field(strict=False)] = ()
    """Cores that work on it together; default: all. Two streams have all cores in common, or none."""
    arrivals: Literal["periodic", "poisson", "trace"] = "periodic"
    """When requests come: each `period`; at random, a `period` apart on average (a Poisson process); at `times`."""
    period_ps: Picoseconds | None = None
    """Time between two requests, on average if they are random; for example 33.3 ms."""
    offset_ps: Delay = 0
    """`periodic`: when the first request comes."""
    jitter: Share = 0.0
    """`periodic`: each request is late by up to this share of the period, at random."""
    times: Annotated[tuple[Delay, ...], Field(strict=False)] = ()
    """`trace`: when requests come, ascending."""
    requests: PositiveInt | None = None
    """At most so many; default: until the scenario ends."""
    priority: int = 0
    """`fixed_priority`: the larger, the more urgent."""
    deadline_ps: Picoseconds | None = None
    """How long after its arrival a request should be answered."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """What belongs to other arrivals."""
        traced = self.arrivals == "trace"
        if traced == (self.period_ps is not None):
            yield "period", f"{'has no effect' if traced else 'is missing'} with arrivals {self.arrivals}"
        if traced != bool(self.times):
            yield "times", f"{'is missing' if traced else 'has no effect'} with arrivals {self.arrivals}"
        if list(self.times) != sorted(self.times):
            yield "times", "are not in order"
        for key, value in (("offset", self.offset_ps), ("jitter", self.jitter)):
            if value and self.arrivals != "periodic":
                yield key, f"has no effect with arrivals {self.arrivals}; allowed: periodic"
        yield from repeated("cores", self.cores)


class Scenario(Description):
    """What `soc-sim scenario` simulates."""

    kind: Literal["scenario"]
    soc: Soc
    until_ps: Picoseconds
    """When the simulation ends, for example 2 s; what is under way then is not complete."""
    streams: Annotated[tuple[RequestStream, ...], Field(strict=False)] = ()
    scheduling: Scheduling = Scheduling()
    """Whose layer is next where streams share cores."""
    background: Annotated[tuple[Background, ...], Field(strict=False)] = ()
    """Initiators beside those that the SoC has already."""
    interconnect: Interconnect | None = None
    """In place of the SoC's, for priorities, weights or limits of this scenario's initiators."""
    frequency_changes: Annotated[tuple[FrequencyChange, ...], Field(strict=False)] = ()
    """Changes of clock frequencies."""
    power: PowerReport = PowerReport()
    """How power over time is reported."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of everything random."""

    @property
    def whole_soc(self) -> Soc:
        """The SoC with the scenario's background initiators and interconnect.

        Raises:
            ValidationError: they do not fit.
        """
        parts = {"background": (*self.soc.background, *self.background)}
        changed = self.soc.model_copy(
            update=parts | ({"interconnect": self.interconnect} if self.interconnect is not None else {})
        )
        return Soc.model_validate(changed.model_dump(mode="json", exclude_none=True))

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Names given twice, cores that do not exist or are shared in part, initiators that do not fit the SoC."""
        yield from repeated("streams", [stream.name for stream in self.streams])
        for position, stream in enumerate(self.streams):
            for core in stream.cores:
                if core >= self.soc.cores:
                    allowed = f"0 to {self.soc.cores - 1}" if self.soc.cores > 1 else "0"
                    yield f"streams[{position}].cores", f"the SoC has no core {core}; allowed: {allowed}"
            own = len(self.cores_of(stream))
            if stream.mapping.cores is not None and stream.mapping.cores > own:
                yield (
                    f"streams[{position}].mapping.cores",
                    f"{stream.mapping.cores} is more than the stream's cores; allowed: 1 to {own}",
                )
            if stream.mapping.sram_weights != "off" and self.soc.system_sram is None:
                what = f"'{stream.mapping.sram_weights}' needs soc.system_sram; allowed: off"
                yield f"streams[{position}].mapping.sram_weights", what
        for (_, one), (position, other) in combinations(enumerate(self.streams), 2):
            ours, theirs = (set(self.cores_of(stream)) for stream in (one, other))
            if ours != theirs and ours & theirs:
                yield (
                    f"streams[{position}].cores",
                    f"'{other.name}' and '{one.name}' have some cores in common; allowed: all or none",
                )
        yield from change_faults(self.soc, self.frequency_changes)
        if not self.streams and not self.background and not self.soc.background:
            yield "streams", "there is nothing to simulate; give a stream or a background initiator"
        try:
            _ = self.whole_soc
        except ValidationError as error:
            for fault in error.errors():
                yield from fault.get("ctx", {}).get("faults", ())

    def cores_of(self, stream: RequestStream) -> tuple[int, ...]:
        """The cores of a stream."""
        return tuple(sorted(stream.cores)) or tuple(range(self.soc.cores))
