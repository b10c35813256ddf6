"""A pruning job from its description to the pruned model and what is to be said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soc_sim import __version__
from soc_sim.config.prune import Prune
from soc_sim.errors import InputError, suggestion
from soc_sim.explore.pruning import data, digits, quantise
from soc_sim.explore.pruning import model as trained
from soc_sim.explore.pruning.data import Part, Parts
from soc_sim.explore.pruning.model import TrainedModel
from soc_sim.explore.pruning.repair import Reference
from soc_sim.explore.pruning.search import FineTune, Level, Search
from soc_sim.explore.pruning.sensitivity import Sensitivity, accuracy_of
from soc_sim.explore.pruning.units import patterns_of
from soc_sim.units import PS_PER_S

if TYPE_CHECKING:
    from onnx import ModelProto

SCHEMA = 1


@dataclass(frozen=True)
class Pruned:
    """The outcome of a job."""

    document: dict[str, Any]
    """What ``soc-sim prune --json`` prints."""
    model: ModelProto | None
    """None where a target is out of reach."""
    int8: ModelProto | None
    curve: list[dict[str, Any]]
    """One row for each level, rising sparsity; the first is the dense model."""
    sensitivity: list[Sensitivity]
    failure: str = ""
    """What could not be reached, and what could."""


def prune(job: Prune, *, fine_tune: FineTune | None = None, progress: Callable[[str], None] | None = None) -> Pruned:
    """Prune a trained model for an SoC.

    Args:
        job: What to do.
        fine_tune: Called after the repair of each level with the ONNX model and, for each initializer with pruned
            weights, where its values may differ from zero; returns new values for initializers.
        progress: Gets a line for each level.

    Raises:
        InputError: faults of the model, the data or the job, one line each.
    """
    warnings: list[str] = []
    search = search_of(job, fine_tune=fine_tune, progress=progress, warnings=warnings)
    parts, dense, patterns = search.parts, search.dense, search.patterns
    found = search.run()
    if found is not None and job.repair.all_images:
        found = search.again(found)
    curve = [_row(search, level) for level in search.levels]
    failure = "" if found else _failure(job, search)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "config": job.model_dump(mode="json", exclude_none=True),
        "seed": job.seed,
        "network": dense.network.name,
        "images": {name: len(getattr(parts, name)) for name in ("calibration", "validation", "evaluation")},
        "weights": sum(layer.size for layer in dense.layers),
        "patterns": dict(patterns),
        "dense": {**curve[0], "evaluation_accuracy": _accuracy(dense, parts.evaluation)},
        "curve": curve,
        "sensitivity": [
            {"layer": one.layer, "sparsity": one.sparsity, "accuracy": one.accuracy, "output_error": one.output_error}
            for one in search.sensitivity
        ],
        "reached": found is not None,
        "warnings": warnings,
    }
    if found is None:
        document["failure"] = failure
        return Pruned(document, None, None, curve, search.sensitivity, failure)
    document["result"] = {**_row(search, found), "evaluation_accuracy": _accuracy(found.model, parts.evaluation)}
    document["result"]["layers"] = [
        {
            "name": layer.name,
            "weights": layer.size,
            "sparsity": 1 - float(np.mean(found.masks[layer.name])),
            "dataflow": found.measurement.dataflows.get(layer.name),
            "latency_s": found.measurement.layer_latency_ps.get(layer.name, 0) / PS_PER_S,
        }
        for layer in found.model.layers
    ]
    int8 = None
    if job.quantise != "none":
        int8 = quantise.quantised(found.model, parts.calibration.images)
        document["int8"] = {
            f"{name}_accuracy": accuracy_of(quantise.answers(int8, found.model, part.images), part)
            for name, part in (("validation", parts.validation), ("evaluation", parts.evaluation))
        }
    return Pruned(document, found.model.proto, int8, curve, search.sensitivity)


def search_of(
    job: Prune,
    *,
    fine_tune: FineTune | None = None,
    progress: Callable[[str], None] | None = None,
    warnings: list[str] | None = None,
) -> Search:
    """The search that a job describes, before its first level; arguments and errors as of :func:`prune`.

    ``warnings`` gets a line for each layer that cannot be pruned.
    """
    parts = data.load(job.data)
    dense, left_out = _load(job, parts)
    if warnings is not None:
        warnings += left_out
    _check(dense, parts, job)
    start = quantise.rounded(dense) if job.quantise == "before" else dense
    reference = Reference.of(start, parts.calibration.images, job.repair.samples, job.seed)

    def report(level: Level) -> None:
        if progress is not None:
            time = level.measurement.latency_s
            progress(f"sparsity {level.sparsity:.3f}: accuracy {level.accuracy:.4f}, latency {time * 1e6:.1f} µs")

    return Search(job, reference, patterns_of(job, start), parts, dense, fine_tune, report)


def _load(job: Prune, parts: Parts) -> tuple[TrainedModel, list[str]]:
    if job.network == digits.NAME:
        return digits.train(parts.calibration, job.seed)
    if not job.network.endswith(".onnx"):  # of the zoo there are shapes alone
        raise InputError(
            f"network: '{job.network}' is no trained model; allowed: {digits.NAME}, the path of an .onnx file, "
            f"package://NAME/path{suggestion(job.network, [digits.NAME])}"
        )
    return trained.load(job.network)


def _check(model: TrainedModel, parts: Parts, job: Prune) -> None:
    """Images of the right size, and labels that the model can answer.

    Raises:
        InputError: they do not fit.
    """
    source = model.network.tensors[model.network.inputs[0]]
    size, wanted = parts.calibration.images[0].size, int(np.prod(source.shape[1:]))
    if size != wanted:
        raise InputError(
            f"data.source: an image of '{job.data.source}' has {size} values and the input '{source.name}' of "
            f"{model.network.name} {'×'.join(map(str, source.shape[1:]))} = {wanted}"
        )
    (answer,) = model.run(parts.calibration.images[:1])
    classes = answer.size
    labels = np.concatenate([part.labels for part in (parts.calibration, parts.validation, parts.evaluation)])
    if labels.min() < 0 or labels.max() >= classes:
        wrong = int(labels.min() if labels.min() < 0 else labels.max())
        raise InputError(
            f"data.source: '{job.data.source}' has the label {wrong} and {model.network.name} {classes} outputs; "
            f"allowed: 0 to {classes - 1}"
        )


def _accuracy(model: TrainedModel, part: Part) -> float:
    return accuracy_of(model.run(part.images)[0], part)


def _row(search: Search, level: Level) -> dict[str, Any]:
    return {
        "sparsity": level.sparsity,
        "accuracy": level.accuracy,
        "accuracy_drop": search.drop(level),
        "latency_s": level.measurement.latency_s,
        "speedup": search.speedup(level),
        "energy_j": level.measurement.energy_j,
        "weight_bytes": level.measurement.weight_bytes,
    }


def _failure(job: Prune, search: Search) -> str:
    good = [level for level in search.levels if search.within(level)]
    target = job.target
    named = {
        "sparsity": target.sparsity,
        "speedup": target.speedup,
        "latency": None if target.latency_ps is None else f"{target.latency_ps / 1e6:g} µs",
        "accuracy drop": target.max_accuracy_drop,
    }
    wishes = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
    best = max(good, key=search.speedup) if target.sparsity is None else max(good, key=lambda level: level.sparsity)
    return (
        f"target is out of reach ({wishes}); best reached: sparsity {best.sparsity:.3f}, speedup "
        f"{search.speedup(best):.2f}, latency {best.measurement.latency_ps / 1e6:.1f} µs, accuracy drop "
        f"{search.drop(best):.4f} on the validation part; no model is written"
    )
