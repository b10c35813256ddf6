"""One entry of a study: a network on an array, with zeros and without.

Three speedups. *Compute*: cycles of the array alone, by the closed forms of the program that the compiler chooses for
memories without limits. *With DRAM*: simulated time of the layers that run on the array, without the time for which it
waits for the host. *With host*: simulated latency of the whole network. The dense side of each is the best of dOS, dWS
and dIS for every operator, dense format, same SoC, same search for tiles, same ``tile_overlap``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from soc_sim import compiler, system
from soc_sim.compiler.program import Program
from soc_sim.compiler.zeros import Zeros
from soc_sim.config.memory import IdealMemory
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import PatternName, Sparsity
from soc_sim.config.study import Study
from soc_sim.errors import InputError
from soc_sim.explore.study.trained import trained_model
from soc_sim.network.base import Network
from soc_sim.network.resolve import load_network
from soc_sim.observe.statistics import statistics


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which entry."""

    network: str
    array: int
    pattern: PatternName
    level: float

    def __str__(self) -> str:
        return f"{self.network}/{self.array}/{self.pattern}/{self.level:g}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one inference takes."""

    compute_cycles: int
    array_s: float
    latency_s: float
    energy_j: float | None
    dataflows: str
    """How many layers run each dataflow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table."""

    key: Key
    sparsity: float
    """Of all weights, as reached."""
    accuracy_drop: float | None
    """Of a trained network on its validation part."""
    dense: Cost
    sparse: Cost


def keys_of(study: Study) -> Iterator[Key]:
    """All entries, levels of one network on one array together."""
    for name in (*(one.name for one in study.trained), *study.labels):
        for array in study.arrays:
            for pattern in study.patterns:
                for level in pattern.levels:
                    yield Key(name, array, pattern.pattern, level)


def in_parts(keys: Iterable[Key], part: int, parts: int) -> list[Key]:
    """All entries, those of one part first, the others from the end.

    Entries of one network and array stay together, because they share the dense side. Several processes, each of which
    begins with another part, meet where nothing is left.
    """
    groups = [list(group) for _, group in groupby(keys, key=lambda key: (key.network, key.array))]
    own = groups[part - 1 :: parts]
    others = [group for group in groups if group not in own]
    return [key for group in own for key in group] + [key for group in reversed(others) for key in reversed(group)]


def run_entry(study: Study, key: Key) -> Entry:
    """Compiles and simulates one entry; the dense side of the last network and array is remembered.

    Raises:
        InputError: the network cannot be read, pruned or mapped.
    """
    soc = with_array(study.soc, key.array)
    trained = next((one for one in study.trained if one.name == key.network), None)
    if trained is None:
        name = study.labels[key.network]
        network = load_network(name)
        zeros = Zeros(network, Sparsity(pattern=key.pattern, level=key.level, score="norm", seed=study.seed), soc.array)
        program = compiler.compile(network, soc, None, zeros)
        if zeros.seeded and name.endswith(".onnx"):
            raise InputError(f"{name}: has no values for the weights of '{zeros.seeded[0]}'; allowed: a file that has")
        sparse = _cost(soc, program, compiler.compile(network, without_limits(soc), None, zeros))
        return Entry(key, _sparsity(program), None, _dense(study, key, network), sparse)
    model, whole, share, drop = trained_model(trained, soc, key.pattern, key.level)
    zeros = Zeros(model, Sparsity(from_weights=True), soc.array)
    program = compiler.compile(model, soc, None, zeros)
    sparse = _cost(soc, program, compiler.compile(model, without_limits(soc), None, zeros))
    return Entry(key, share, drop, _dense(study, key, whole), sparse)


def with_array(soc: Soc, size: int) -> Soc:
    """The SoC with a square array of another size."""
    return soc.model_copy(update={"array": soc.array.model_copy(update={"rows": size, "cols": size})})


def without_limits(soc: Soc) -> Soc:
    """The SoC whose memories and interconnect answer at once and at any rate."""
    ideal = IdealMemory(kind="ideal_memory")
    return soc.model_copy(
        update={
            "dram": ideal,
            "weight_memory": soc.weight_memory and ideal,
            "interconnect": soc.interconnect.model_copy(update={"kind": "ideal", "latency_cycles": 0}),
            "dma": soc.dma.model_copy(update={"descriptor_cycles": 0}),
        }
    )


_known: dict[tuple[int, str, int], Cost] = {}


def _dense(study: Study, key: Key, network: Network) -> Cost:
    place = (id(study), key.network, key.array)
    if place not in _known:
        _known.clear()
        soc = with_array(study.soc, key.array)
        programs = (compiler.compile(network, one, None, "dense") for one in (soc, without_limits(soc)))
        _known[place] = _cost(soc, *programs)
    return _known[place]


def _cost(soc: Soc, program: Program, unlimited: Program) -> Cost:
    document = statistics(system.run(soc, program), config={}, seed=0)
    array_ps = sum(
        span
        for layer in document["layers"]
        if layer["dataflow"]
        for cause, span in layer["array_time_ps"].items()
        if cause != "wait_host"
    )
    flows = Counter(layer.dataflow for layer in program.layers if layer.dataflow)
    return Cost(
        sum(layer.estimate.compute_cycles for layer in unlimited.layers if layer.estimate),
        array_ps / 1e12,
        document["latency_s"],
        document["energy_j"],
        " ".join(f"{flow} {count}" for flow, count in sorted(flows.items())),
    )


def _sparsity(program: Program) -> float:
    layers = [layer for layer in program.layers if layer.sparsity is not None and layer.gemm is not None]
    sizes = [layer.gemm.groups * layer.gemm.m * layer.gemm.k for layer in layers if layer.gemm]
    return sum(size * float(layer.sparsity or 0) for size, layer in zip(sizes, layers, strict=True)) / sum(sizes)
