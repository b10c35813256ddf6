"""Levels of rising sparsity until a budget is met, and between the last two levels the one that just meets it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.prune import Prune
from soc_sim.config.sparsity import PatternName
from soc_sim.explore.pruning.data import Part, Parts
from soc_sim.explore.pruning.measure import Measurement, measure
from soc_sim.explore.pruning.model import TrainedModel
from soc_sim.explore.pruning.repair import Masks, Orders, Reference, orders_of, repaired
from soc_sim.explore.pruning.sensitivity import Sensitivity, accuracy_of, masks_after, prices, sensitivities
from soc_sim.explore.pruning.units import bounds_of, cut
from soc_sim.sparsity.patterns import GROUP
from soc_sim.sparsity.pruning import select

FineTune = Callable[[Any, Mapping[str, NDArray[np.bool_]]], Mapping[str, NDArray[Any]]]
"""(ONNX model, initializer → where its values may differ from zero) → initializer → new values."""

REFINEMENTS = 3
"""How often the last step is halved."""
PROBE = 0.2
"""Share of what is left of a layer that goes to see what a removal saves."""


@dataclass(frozen=True)
class Level:
    """The model at one sparsity."""

    sparsity: float
    """Zeros over all weights."""
    model: TrainedModel
    masks: Masks
    accuracy: float
    """On the validation part."""
    measurement: Measurement


@dataclass
class Search:
    """Walks from level to level; :meth:`run` finds the one that a job asks for."""

    job: Prune
    reference: Reference
    patterns: Mapping[str, PatternName]
    parts: Parts
    dense: TrainedModel
    """As it was handed in; the reference may have rounded weights."""
    fine_tune: FineTune | None = None
    progress: Callable[[Level], None] = lambda _: None
    levels: list[Level] = field(default_factory=list)
    sensitivity: list[Sensitivity] = field(default_factory=list)

    @property
    def validation(self) -> Part:
        """Where all choices are made."""
        return self.parts.validation

    def begin(self) -> Level:
        """The dense model, and how sensitive its layers are."""
        model = self.reference.model
        masks = {layer.name: np.ones((layer.groups, layer.m, layer.k), bool) for layer in model.layers}
        (answers,) = model.run(self.validation.images)
        dense = Level(0.0, model, masks, accuracy_of(answers, self.validation), measure(self.job, model, None))
        self._add(dense)
        units = cut(self.job, model, self.patterns, 1.0)
        orders = orders_of(self.reference, model, masks, units, self.job.pruning.score, self.job.repair.ridge)
        self.sensitivity = sensitivities(self.job, self.reference, orders, units, self.validation)
        return dense

    def run(self) -> Level | None:
        """The level that meets the targets, None if there is none; ``levels`` holds all that were looked at."""
        last = self.begin()
        for share in self._ladder():
            level = self.step(last, share)
            if level.sparsity <= last.sparsity:
                break  # bounds leave nothing more to take
            self._add(level)
            if not self.within(level):
                return self._between(last, level, self.within, keep_low=True) if not self._goals() else None
            if self._goals() and self.met(level):
                only_sparsity = self._goals() == ["sparsity"]
                return level if only_sparsity else self._between(last, level, self.met, keep_low=False)
            last = level
        return None if self._goals() else last

    def again(self, found: Level) -> Level:
        """The level once more, from the dense model on, with all images that are not for evaluation.

        What an error in a layer means stays as it was measured. The level's accuracy is that of ``found``, because the
        validation images no longer tell anything. Should the targets not hold any more, ``found`` itself.
        """
        model, parts = self.reference.model, self.parts
        images = np.concatenate((parts.calibration.images, parts.validation.images))
        reference = Reference.of(model, images, self.job.repair.samples, self.job.seed)
        walk = replace(self, reference=reference, progress=lambda _: None)
        last = self.levels[0]
        for share in [*(share for share in self._ladder() if share < found.sparsity - 1e-3), found.sparsity]:
            last = walk.step(last, share)
        level = replace(last, accuracy=found.accuracy)
        return level if self.met(level) else found

    def speedup(self, level: Level) -> float:
        """Latency of the dense model over the level's."""
        return self.levels[0].measurement.latency_ps / level.measurement.latency_ps

    def drop(self, level: Level) -> float:
        """Accuracy lost on the validation part."""
        # Both are shares of some images: what subtraction leaves behind the twelfth digit is no image.
        return round(self.levels[0].accuracy - level.accuracy, 12)

    def within(self, level: Level) -> bool:
        """Whether the accuracy is good enough."""
        most = self.job.target.max_accuracy_drop
        return most is None or self.drop(level) <= most

    def met(self, level: Level) -> bool:
        """Whether all other targets hold."""
        target = self.job.target
        model = self.reference.model
        units = cut(self.job, model, self.patterns, 1.0).values()
        # A level is reached within one unit.
        unit = max(int(one.heights[0] * one.widths[0]) for one in units) / sum(layer.size for layer in model.layers)
        return (
            (target.sparsity is None or level.sparsity >= target.sparsity - unit)
            and (target.speedup is None or self.speedup(level) >= target.speedup)
            and (target.latency_ps is None or level.measurement.latency_ps <= target.latency_ps)
        )

    def _goals(self) -> list[str]:
        target = self.job.target
        named = {"sparsity": target.sparsity, "speedup": target.speedup, "latency": target.latency_ps}
        return [name for name, value in named.items() if value is not None]

    def _ladder(self) -> list[float]:
        pruning = self.job.pruning
        step, end = pruning.step, pruning.max_sparsity
        if self.job.target.sparsity is not None:
            end = self.job.target.sparsity if self._goals() == ["sparsity"] else max(end, self.job.target.sparsity)
        if "n_of_m" in self.patterns.values():
            step, end = 1 / GROUP, math.ceil(end * GROUP - 1e-9) / GROUP
        count = math.ceil(end / step - 1e-9)
        return [min(end, step * (index + 1)) for index in range(count)]

    def _between(self, low: Level, high: Level, good: Callable[[Level], bool], *, keep_low: bool) -> Level | None:
        """The sparsest level that is good (``keep_low``), or the least sparse one."""
        if "n_of_m" in self.patterns.values():
            return low if keep_low else high
        begin, end = low.sparsity, high.sparsity
        best = low if keep_low else high
        for _ in range(REFINEMENTS):
            middle = (begin + end) / 2
            level = self.step(low, middle)
            if level.sparsity <= low.sparsity:
                break
            self._add(level)
            if good(level) == keep_low:
                begin = middle
            else:
                end = middle
            if good(level):
                best = level
        self.levels.sort(key=lambda entry: entry.sparsity)
        return best

    def step(self, last: Level, share: float) -> Level:
        """From one level to a sparser one."""
        job, model = self.job, last.model
        units = cut(job, model, self.patterns, share)
        orders = orders_of(self.reference, model, last.masks, units, job.pruning.score, job.repair.ridge)
        total = sum(layer.size for layer in model.layers)
        wanted = max(0, round(share * total) - round(last.sparsity * total))
        if "n_of_m" in self.patterns.values():
            wanted = total
        price = self._prices(last, orders)
        bounds = bounds_of(job, model.layers, units, last.masks)
        taken = select(orders, wanted, price=price, bounds=bounds)
        masks = dict(last.masks)
        for layer in model.layers:
            if layer.name in units:
                masks[layer.name] = masks_after(
                    layer, units[layer.name], orders, taken[layer.name], last.masks[layer.name]
                )
        found = repaired(self.reference, masks, job.repair)
        if self.fine_tune is not None:
            found = self._tuned(found, masks)
        (answers,) = found.run(self.validation.images)
        kept = sum(int(np.count_nonzero(mask)) for mask in masks.values())
        return Level(1 - kept / total, found, masks, accuracy_of(answers, self.validation), measure(job, found, masks))

    def _prices(self, last: Level, orders: Orders) -> dict[str, float]:
        """What the cost of a unit of each layer is multiplied by."""
        found = dict.fromkeys(orders, 1.0)
        if self.job.pruning.score == "second_order":
            found |= prices(self.sensitivity)
        if self.job.pruning.saving != "none":
            savings = self._savings(last, orders)
            found = {layer: value / savings[layer] for layer, value in found.items()}
        return found

    def _savings(self, last: Level, orders: Orders) -> dict[str, float]:
        """What the removal of one weight saves in each layer, from two simulations of the whole network."""
        model, units = self.reference.model, cut(self.job, self.reference.model, self.patterns, 1.0)
        masks, removed = dict(last.masks), {}
        for layer in model.layers:
            if layer.name not in orders:
                continue
            kept = int(np.count_nonzero(last.masks[layer.name]))
            taken = select({layer.name: orders[layer.name]}, max(1, round(PROBE * kept)))[layer.name]
            masks[layer.name] = masks_after(layer, units[layer.name], orders, taken, last.masks[layer.name])
            removed[layer.name] = max(1, kept - int(np.count_nonzero(masks[layer.name])))
        before, after = last.measurement, measure(self.job, model, masks)
        if last.sparsity == 0:  # what the dense program takes is no measure of the sparse dataflows' steps
            before = measure(self.job, model, last.masks)
        found = {}
        for name, weights in removed.items():
            if self.job.pruning.saving == "energy":
                saved = before.layer_energy_j.get(name, 0.0) - after.layer_energy_j.get(name, 0.0)
            else:
                saved = before.layer_latency_ps.get(name, 0) - after.layer_latency_ps.get(name, 0)
            found[name] = saved / weights
        # A layer that saves nothing now may do so later: it is dear, not forbidden.
        floor = max(found.values(), default=1.0) / 100
        return {name: max(value, floor, 1e-30) for name, value in found.items()}

    def _tuned(self, model: TrainedModel, masks: Masks) -> TrainedModel:
        """What the user's callback makes of the model; what has been pruned stays zero."""
        assert self.fine_tune is not None  # noqa: S101  the caller has looked
        free = {}
        for layer in model.layers:
            array = np.ones(model.values[layer.home.tensor].shape, bool)
            array.reshape(-1)[layer.home.places] = masks[layer.name]
            free[layer.home.tensor] = array
        values = self.fine_tune(model.proto, free)
        return model.changed(
            {},
            others={name: np.where(free[name], array, 0) if name in free else array for name, array in values.items()},
        )

    def _add(self, level: Level) -> None:
        self.levels.append(level)
        self.progress(level)
