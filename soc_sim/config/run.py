"""One simulation: which network runs on which SoC, and how it is mapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim import units
from soc_sim.config.array import Flow
from soc_sim.config.base import Description, FileOrName, repeated
from soc_sim.config.domain import FrequencyChange
from soc_sim.config.power import PowerReport
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import FormatName, Sparsity
from soc_sim.config.trace import Trace
from soc_sim.errors import suggestion

Choice = Literal["auto"] | Flow
LayerObjective = Literal["latency", "energy", "edp"]
Objective = LayerObjective | Literal["throughput"]
Split = Literal["auto", "channels", "rows", "pipeline"]
NetworkName = Annotated[str, FileOrName(".onnx", ".csv")]


class InputShape(Description):
    """Sizes for a graph input whose file leaves them open."""

    name: str
    shape: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]


class NetworkFile(Description):
    """A network from a file, with what the file leaves open."""

    kind: Literal["network"]
    model: NetworkName
    """A zoo name, the path of an .onnx file (also `package://NAME/path`), or of a topology of SCALE-Sim (.csv)."""
    input_shapes: Annotated[tuple[InputShape, ...], Field(strict=False)] = ()
    allow_unknown: bool = False
    """Cost operators nobody knows as copies on the host instead of refusing them."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Inputs named twice."""
        yield from repeated("input_shapes", [shape.name for shape in self.input_shapes])


class Workload(Description):
    """What is asked of the SoC."""

    network: NetworkName | NetworkFile
    """A zoo name, the path of an .onnx file or of a topology of SCALE-Sim (.csv), or a network description."""
    batch: PositiveInt = 1
    """Inputs processed at once."""
    inferences: PositiveInt = 1
    """Inferences one after another; later ones may overlap with earlier ones."""
    sparsity: Literal["dense"] | Sparsity = "dense"
    """`dense`: no weight is taken for zero; or where the zeros are."""


class Mapping(Description):
    """How the compiler maps the network."""

    dataflow: Choice | dict[str, Choice] = "auto"
    """`auto`, one flow for all layers, or layer name → flow (`auto` for the rest)."""
    objective: Objective = "latency"
    """What dataflow and tiles of each layer are chosen by: expected time, energy, or their product (`edp`).
    `throughput`: by time, and on several cores (`split: auto`) as a pipeline of layers where that is expected to give
    more results a second."""
    memory_price: Annotated[float, Field(ge=0)] = 0.0
    """What time of the memory with the most to do counts beside a layer's own, where that is the objective. With 1, for
    example, tiles are chosen that leave more of a memory to others that want it, too: background traffic, streams."""
    side_by_side: bool = True
    """Whether small groups (depthwise, grouped) may lie side by side on the array; `false`: one after another."""
    sparse: bool = True
    """Whether zeros of the weights are used; `false` processes and stores them like any other weight."""
    reorder: bool = False
    """Whether output channels may change places within a tile, so that row blocks have more zero columns in common;
    they are written to where they belong."""
    split: Split = "auto"
    """How the network is dealt out to `soc.cores`. Each layer to all of them: by output `channels`, by `rows` of the
    image, or as the estimate says (`auto`, which may also leave cores idle). `pipeline`: each core gets consecutive
    layers, and works on another request than the others: more requests a second, each as fast as on one core."""
    cores: PositiveInt | None = None
    """How many of `soc.cores` the network may use, the first ones. Default: all; for latency with `split: auto`, small
    networks are then tried on fewer, too, and the quickest program is taken."""
    residency: Literal["auto", "off"] = "auto"
    """`auto`: weights stay in their buffer over all inferences, and results on chip until they are read, where they fit
    and it pays by estimate; `off`: everything comes from memory and goes back to it."""
    sram_weights: Literal["off", "resident", "copied"] = "off"
    """Whether weights also lie in `soc.system_sram`, layers and activations by what a byte of it saves by estimate.
    `resident`: they are there before the first inference; `copied`: the host copies those of a layer when the first
    inference comes to it."""
    format: FormatName | None = None
    """How weights with zeros are stored; default: as the format that is smallest for the layer."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Weights in a memory that holds nothing; a price that nobody asks."""
        if self.memory_price and self.layer_objective != "latency":
            yield "memory_price", f"has no effect with objective {self.objective}; allowed: 0"
        if self.residency == "off" and self.sram_weights != "off":
            yield "sram_weights", f"'{self.sram_weights}' has no effect with residency off; allowed: off"

    @property
    def layer_objective(self) -> LayerObjective:
        """What each layer is chosen by."""
        return "latency" if self.objective == "throughput" else self.objective


class Run(Description):
    """The main job of `soc-sim run`."""

    kind: Literal["run"] = "run"
    soc: Soc
    workload: Workload
    mapping: Mapping = Mapping()
    trace: Trace | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    power: PowerReport = PowerReport()
    """How power over time is reported."""
    frequency_changes: Annotated[tuple[FrequencyChange, ...], Field(strict=False)] = ()
    """Changes of clock frequencies while the network runs."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Changes of domains or to frequencies that do not exist; memories or cores that are not there."""
        if self.mapping.cores is not None and self.mapping.cores > self.soc.cores:
            yield "mapping.cores", f"{self.mapping.cores} is more than soc.cores; allowed: 1 to {self.soc.cores}"
        if self.mapping.sram_weights != "off" and self.soc.system_sram is None:
            yield "mapping.sram_weights", f"'{self.mapping.sram_weights}' needs soc.system_sram; allowed: off"
        yield from change_faults(self.soc, self.frequency_changes)


def change_faults(soc: Soc, changes: Sequence[FrequencyChange]) -> Iterator[tuple[str, str]]:
    """Faults for items of `frequency_changes`: domains or frequencies that the SoC does not have."""
    domains = {domain.name: domain for domain in soc.clock_domains}
    for position, change in enumerate(changes):
        path = f"frequency_changes[{position}]"
        domain = domains.get(change.domain)
        if domain is None:
            fixed = change.domain == "dram"
            hint = "; the DRAM's is one once soc.domains names it" if fixed else suggestion(change.domain, domains)
            yield f"{path}.domain", f"'{change.domain}' is no clock domain; allowed: {', '.join(domains)}{hint}"
        elif domain.points and domain.voltage_at(change.clock_hz) is None:
            allowed = ", ".join(units.format_quantity(point.clock_hz, "hz") for point in domain.points)
            yield f"{path}.clock", f"is no point of domain '{domain.name}'; allowed: {allowed}"
        elif domain.of_dram:
            yield from soc.beyond_timing(f"{path}.clock", change.clock_hz)
