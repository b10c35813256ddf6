"""The functions of the package for scripts and for the command line: load, compile, simulate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from soc_sim import kernel, system
from soc_sim.compiler.program import Program
from soc_sim.config.loader import load
from soc_sim.config.run import Choice, InputShape, NetworkFile, Objective, Run, Split, Workload
from soc_sim.config.run import Mapping as MappingDescription
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.energy.prices import prices
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.resolve import load_network as _load_network
from soc_sim.observe.result import Result
from soc_sim.observe.statistics import pipeline_statistics, statistics
from soc_sim.observe.trace.power import PowerRecorder
from soc_sim.scenario import Outcome, Scenario
from soc_sim.system import RunRecord
from soc_sim.system.registry import load_plugins, register
from soc_sim.units import PS_PER_S

Zeros = Literal["dense"] | Sparsity | Mapping[str, object]

__all__ = [
    "Outcome",
    "Result",
    "Scenario",
    "compile",
    "load_network",
    "load_soc",
    "register",
    "simulate",
    "simulate_run",
]

load_plugins()


def load_soc(source: str | Path | Mapping[str, object], overrides: Iterable[str] = ()) -> Soc:
    """An SoC description.

    Args:
        source: Path of a YAML file, the name of a shipped SoC (``edge_16x16``), or a mapping with a file's keys.
        overrides: ``PATH=VALUE`` texts as in ``--set``, with paths relative to the SoC (``array.rows=32``).

    Raises:
        ConfigurationError: all faults, one line each.
    """
    return load(source, Soc, overrides)


def load_network(
    spec: str | Path,
    batch: int = 1,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    allow_unknown: bool = False,
) -> Network:
    """A network of the zoo, or from an ``.onnx`` file (also ``package://NAME/path``), on ``batch`` inputs at once.

    Args:
        spec: Name or path.
        batch: Multiplies the batch of the file or zoo network.
        input_shapes: Graph input → its shape, where the file leaves sizes open.
        allow_unknown: Cost operators nobody knows as copies on the host instead of refusing them.

    Raises:
        ConfigurationError: a shape is none.
        NetworkError: nobody has it, or the file cannot be used.
    """
    shapes = ({"name": name, "shape": list(shape)} for name, shape in (input_shapes or {}).items())
    description = NetworkFile(
        kind="network",
        model=str(spec),
        input_shapes=tuple(load(shape, InputShape) for shape in shapes),
        allow_unknown=allow_unknown,
    )
    return _load_network(description, batch)


def compile(  # noqa: A001 # the word of the field
    soc: Soc,
    network: Network,
    dataflow: Choice | dict[str, Choice] = "auto",
    *,
    objective: Objective = "latency",
    split: Split = "auto",
    sparsity: Zeros = "dense",
) -> Program:
    """Map a network onto an SoC.

    Args:
        soc: The hardware.
        network: What runs on it.
        dataflow: ``auto``, one for all layers, or layer name → dataflow.
        objective: What dataflow and tiles are chosen by: expected ``latency``, ``energy``, or their product, ``edp``;
            ``throughput``: by latency, and as a pipeline of layers where that gives more on several cores.
        split: How several cores share the work: ``channels`` or ``rows`` of each layer, a ``pipeline`` of layers, or as
            the estimate says.
        sparsity: Where weights are zero: a mapping as under ``workload.sparsity``, or ``dense``.

    Raises:
        ConfigurationError: ``dataflow`` or ``sparsity`` is not understood.
        MappingError: a tile does not fit a buffer, the network does not fit a memory, or a named layer does not exist.
    """
    mapping = load({"dataflow": dataflow, "objective": objective, "split": split}, MappingDescription)
    return _compile(soc, network, mapping, _zeros(sparsity))


def compile_run(run: Run, network: Network) -> Program:
    """The program of a run whose network is loaded already.

    Raises:
        ConfigurationError, MappingError: as in :func:`compile`.
    """
    return _compile(run.soc, network, run.mapping, run.workload.sparsity)


def _compile(soc: Soc, network: Network, mapping: MappingDescription, sparsity: Literal["dense"] | Sparsity) -> Program:
    known = None if mapping.layer_objective == "latency" else prices(soc)
    return system.compile_by_trial(network, soc, mapping, sparsity, known)


def simulate(
    soc: Soc,
    network: Network | Program,
    dataflow: Choice | dict[str, Choice] = "auto",
    *,
    objective: Objective = "latency",
    split: Split = "auto",
    sparsity: Zeros = "dense",
    inferences: int = 1,
    seed: int = 0,
) -> Result:
    """Compile (unless it is a program already) and simulate; arguments as in :func:`compile`.

    Raises:
        ConfigurationError, MappingError: as in :func:`compile`.
        DeadlockError: the program cannot make progress.
    """
    named: str | NetworkFile
    if isinstance(network, Program):
        named, batch = network.network, 1
    else:
        # What the embedded configuration names can be loaded again: a zoo name, or the file.
        named, batch = network.name if network.name in zoo.names() else _file(network), network.batch
    run = Run.model_construct(
        kind="run",
        soc=soc,
        workload=Workload(network=named, batch=batch, inferences=inferences, sparsity=_zeros(sparsity)),
        mapping=load({"dataflow": dataflow, "objective": objective, "split": split}, MappingDescription),
        seed=seed,
    )
    return simulate_run(run, network)


def simulate_run(
    run: Run, network: Network | Program | None = None, *, recorder: kernel.Recorder | None = None
) -> Result:
    """What ``soc-sim run`` does.

    Args:
        run: The job.
        network: What the run's workload names, where the caller has it already.
        recorder: Is told what happens in the (first) inference.

    Raises:
        NetworkError, MappingError, DeadlockError: as in the functions above.
    """
    began_s = time.perf_counter()
    soc = run.soc
    if network is None:
        network = _load_network(run.workload.network, run.workload.batch)
    program = network if isinstance(network, Program) else compile_run(run, network)
    changes = run.frequency_changes

    def simulated(recorder: kernel.Recorder | None) -> RunRecord:
        return system.run(soc, program, frequency_changes=changes, seed=run.seed, recorder=recorder)

    powered = None if recorder is None else PowerRecorder(recorder, soc)
    record = simulated(powered)
    document = statistics(record, config=run.model_dump(mode="json", exclude_none=True), seed=run.seed, power=run.power)
    if powered is not None:
        powered.finish(document)
    several = _several(run, program)
    if several is not None:
        document["steady_latency_s"] = _steady_latency_s(several)
    if program.stages:
        document["pipeline"] = pipeline_statistics(program, several)
        if several is None:
            document["warnings"].append("in a pipeline of layers one inference is no faster; see workload.inferences")
    document["simulation"]["wall_s"] = time.perf_counter() - began_s

    def again(recorder: kernel.Recorder) -> RunRecord:
        powered = PowerRecorder(recorder, soc)
        record = simulated(powered)
        powered.finish(document)
        return record

    return Result(document, again)


def _file(network: Network) -> NetworkFile:
    """The file of a network, with all that was said when it was loaded."""
    shapes = (InputShape(name=name, shape=network.tensors[name].shape) for name in network.inputs)
    return NetworkFile(kind="network", model=network.source, input_shapes=tuple(shapes), allow_unknown=True)


def _several(run: Run, program: Program) -> RunRecord | None:
    """Inferences that follow one another without a pause; None where one is asked for."""
    inferences, changes = run.workload.inferences, run.frequency_changes
    if inferences == 1:
        return None
    return system.run(run.soc, program, inferences=inferences, frequency_changes=changes, seed=run.seed)


def _steady_latency_s(record: RunRecord) -> float:
    """Mean distance between the ends of inferences."""
    ends_ps = record.inference_end_ps
    return (ends_ps[-1] - ends_ps[0]) / (len(ends_ps) - 1) / PS_PER_S


def _zeros(sparsity: Zeros) -> Literal["dense"] | Sparsity:
    return sparsity if sparsity == "dense" or isinstance(sparsity, Sparsity) else load(sparsity, Sparsity)
