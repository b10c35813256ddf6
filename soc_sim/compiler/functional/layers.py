"""Executes the layers of a program: loads into buffers, tiles on the array, stores into memory, operators on the host.

Buffers are shadows of the memories: at the address of each word stands what a load has brought, NaN elsewhere. So a
tile can read only what the program loads for it, and only what the program stores arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.functional.finish import BIAS, FACTOR, SCALE, aligned, constants, dequantise, finish
from soc_sim.compiler.functional.gemm import (
    Folds,
    accumulate,
    accumulate_side_by_side,
    channels_as_k,
    patches,
)
from soc_sim.compiler.functional.memory import Memory, Words, constant_values, copy, erase
from soc_sim.compiler.fusion import Group
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import Compute, Layer, Load, Program, Region, Store
from soc_sim.compiler.tiles import Step, Tiles
from soc_sim.compiler.views import View
from soc_sim.config.array import Array, dense_family
from soc_sim.network.evaluation import evaluate
from soc_sim.network.integers import IntegerGemm
from soc_sim.sparsity.bitmap import Bitmap

Numbers = npt.NDArray[Any]


class Reading(NamedTuple):
    """What an activation in memory stands for: (integer − zero point) · scale."""

    zero_point: float = 0.0
    scale: float = 1.0


@dataclass(slots=True)
class ArrayLayer:
    """An array layer with its numbers."""

    layer: Layer
    group: Group
    nest: Nest
    operands: Operands
    weights: Numbers | None
    """Groups × m × k; None for a product of two activations."""
    nonzero: Bitmap | None
    """Where they are not zero, if the program leaves zeros out."""
    exact: IntegerGemm | None
    """How it computes in integers; None: in real numbers."""
    w_reading: Reading
    x_reading: Reading
    order: npt.NDArray[np.int64] | None
    """Groups × m, row of ``weights`` → output channel; None: in order."""
    k_order: npt.NDArray[np.int64] | None
    """Groups × k, column of ``weights`` → row of X; None: in order."""


@dataclass(slots=True)
class Executed:
    """What came of a layer, beside its numbers."""

    macs: int = 0
    faults: list[str] = field(default_factory=list)


def run_on_array(memory: Memory, program: Program, array: Array, layer: ArrayLayer) -> Executed:
    """Executes the instructions of an array layer in program order."""
    return _ArrayRun(memory, program, array, layer).run()


class _ArrayRun:
    def __init__(self, memory: Memory, program: Program, array: Array, layer: ArrayLayer) -> None:
        if layer.layer.tiling is None or layer.layer.dataflow is None:
            raise ValueError(f"{layer.layer.name} does not run on the array")
        self.memory, self.program, self.layer = memory, program, layer
        self.word_bytes, self.accumulator_bytes = array.operand_bytes, array.accumulator_bytes
        self.tiles = Tiles(layer.nest, layer.layer.tiling)
        self.folds = Folds(array, layer.layer.dataflow, self.tiles, layer.nonzero)
        self.loads: dict[int, Load] = {}
        self.held: dict[str, tuple[Region, ...]] = {"weights": (), "inputs": ()}
        self.sums: Numbers = np.zeros(0)
        group = layer.group
        # What it reads as another tensor's words: dequantised, or scaled by one number.
        read_as = {operator.outputs[0]: operator.inputs for operator in (*group.dequantisers, *group.scalings)}
        operands = [name for read in (*group.head.inputs, *group.residuals) for name in read_as.get(read, (read,))]
        self.source = memory.in_file_order(operands)
        self.constants = {name: self._like_output(name) for name in constants(memory.network, layer.group)}
        self.largest_sum = 0.0
        if layer.exact is not None:
            exact, view = layer.exact, memory.layout.views[group.output]
            parts = {BIAS: exact.bias, SCALE: exact.scale, FACTOR: exact.factor}
            self.constants |= {name: memory.like(view, part) for name, part in parts.items() if part is not None}

    def run(self) -> Executed:
        done = Executed()
        cores = self.program.cores
        steps = [iter(self.tiles.of_core(core)) for core in range(cores)]
        for instruction in self.program.of_layer(self.layer.layer.index):
            match instruction:
                case Load():
                    self.loads[instruction.index] = instruction
                case Compute():
                    step = next(steps[instruction.core], None)
                    if step is None:
                        done.faults.append(f"instruction {instruction.index} computes a tile that does not exist")
                        continue
                    macs = self._compute(instruction, step)
                    done.macs += macs
                    if macs != instruction.counts.macs:
                        done.faults.append(
                            f"instruction {instruction.index} executes {macs} MACs, its counts say "
                            f"{instruction.counts.macs}"
                        )
                case Store():
                    outputs = self.memory.buffers["outputs"]
                    copy(outputs, self.memory.words, instruction.regions, self.word_bytes)
                    erase(outputs, instruction.regions, self.word_bytes)
        for buffer in self.held:
            self._hold(buffer, ())
        limit = 2.0 ** (8 * self.accumulator_bytes - 1)
        if self.layer.exact is not None and self.largest_sum >= limit:
            done.faults.append(
                f"a sum of {self.largest_sum:.0f} exceeds an accumulator of {self.accumulator_bytes} bytes"
            )
        left = sum(len(list(rest)) for rest in steps)
        if left:
            done.faults.append(f"{left} tiles are never computed")
        return done

    def _compute(self, compute: Compute, step: Step) -> int:
        nest, tiles, operands = self.layer.nest, self.tiles, self.layer.operands
        groups, m, pixels = tiles.groups[step.group], tiles.m[step.m], tiles.pixels[step.n]
        self._hold("inputs", self._regions(compute.inputs) + compute.kept)
        zero_point, scale = self.layer.x_reading
        inputs = patches(self._buffer("inputs", operands.x), nest, pixels, groups, tiles.channels[step.k], zero_point)
        inputs = inputs * scale if scale != 1 else inputs
        if self.layer.k_order is not None:
            inputs = np.take_along_axis(inputs, self.layer.k_order[slice(*groups)][..., None], axis=1)
        weights = self.layer.weights
        if weights is None:
            self._hold("weights", self._regions(compute.weights))
            assert operands.w is not None  # noqa: S101 # the first operand of a product of two activations
            weights = self._buffer("weights", operands.w)
            weights = weights.reshape(nest.groups, nest.m, nest.gemm.k)
            weights = (weights - self.layer.w_reading.zero_point) * self.layer.w_reading.scale
        if step.k == 0:
            self.sums = np.zeros((groups.size, m.size, pixels.size))
        part, macs = weights[slice(*groups), slice(*m), slice(*channels_as_k(tiles, step))], 0
        if tiles.tiling.side_by_side:
            macs = accumulate_side_by_side(self.sums, part, inputs, self.folds.array, dense_family(self.folds.flow))
        else:
            for index in range(groups.size):
                folds = self.folds.of(step, groups.start + index)
                macs += accumulate(self.sums[index], part[index], inputs[index], folds)
        if step.k == len(tiles.channels) - 1:
            self._finish(step)
        return macs

    def _finish(self, step: Step) -> None:
        tiles, operands = self.tiles, self.layer.operands
        groups, m, pixels = tiles.groups[step.group], tiles.m[step.m], tiles.pixels[step.n]
        box = tuple(slice(*extent) for extent in (pixels.images, pixels.rows, pixels.cols, groups, m))
        shape = (*(extent.size for extent in (groups, m, pixels.images, pixels.rows, pixels.cols)),)
        if self.layer.order is not None:
            # Rows change places within a tile: the outputs buffer takes each result at its own place.
            places = self.layer.order[slice(*groups), slice(*m)] - m.start
            ordered = np.empty_like(self.sums)
            np.put_along_axis(ordered, places[..., None], self.sums, axis=1)
            self.sums = ordered
        sums = self.sums.reshape(shape).transpose(2, 3, 4, 0, 1)
        self.largest_sum = max(self.largest_sum, float(np.abs(sums).max(initial=0.0)))
        group, network = self.layer.group, self.memory.network
        residuals = dict(zip(group.residuals, operands.residuals, strict=True))
        stored = {operator.outputs[0]: operator for operator in group.dequantisers}

        def operand(name: str) -> Numbers:
            if name in residuals:
                values = self._buffer("inputs", residuals[name])[box]
                return dequantise(network, stored[name], values) if name in stored else values
            return self.memory.within(operands.o, self.constants[name])[box]

        results = finish(network, group, sums, operand, self.layer.exact)
        self._buffer("outputs", operands.o)[box] = results

    def _hold(self, buffer: str, regions: tuple[Region, ...]) -> None:
        """Lets a buffer contain what some regions hold, and nothing else."""
        if self.held[buffer] != regions:
            erase(self.memory.buffers[buffer], self.held[buffer], self.word_bytes)
            copy(self.source, self.memory.buffers[buffer], regions, self.word_bytes)
            self.held[buffer] = regions

    def _regions(self, loads: tuple[int, ...]) -> tuple[Region, ...]:
        return tuple(region for index in loads for region in self.loads[index].regions)

    def _buffer(self, buffer: str, view: View) -> Numbers:
        return self.memory.at(view, self.memory.buffers[buffer])

    def _like_output(self, name: str) -> Words:
        """A constant, repeated and laid out as the layer's output is, so that a tile finds its part of it."""
        group, values = self.layer.group, constant_values(self.memory.network, name)
        view = self.memory.layout.views[group.output]
        return self.memory.like(view, aligned(group, name, values, len(view.shape) - 1))


def run_on_host(memory: Memory, group: Group, reference: Mapping[str, Numbers]) -> None:
    """Executes the operators of a host layer, on each image of the batch."""
    network, layout = memory.network, memory.layout
    if group.head.name in layout.copies:
        for name, piece in layout.copies[group.head.name]:
            memory.at(piece)[...] = memory.read(name)
        return
    known: dict[str, Any] = {}
    for operator in (*group.dequantisers, *group.operators):
        for name in operator.inputs:
            if name and name not in known and not network.tensors[name].constant:
                known[name] = memory.read(name).astype(reference[name].dtype)
        if all(
            np.array_equal(known[name], reference[name], equal_nan=True) for name in operator.inputs if name in known
        ):
            # The same operator on the same numbers.
            results = [reference.get(name) for name in operator.outputs]
        else:
            results = _on_each_image(memory, operator, known)
        known |= {name: value for name, value in zip(operator.outputs, results, strict=False) if name}
    for name in group.operators[-1].outputs:
        if name:
            memory.write(name, known[name])


def _on_each_image(memory: Memory, operator: Any, known: Mapping[str, Numbers]) -> list[Any]:
    def value(name: str, image: int) -> Numbers | None:
        if not name:
            return None
        return known[name][image] if name in known else constant_values(memory.network, name)

    images = [
        evaluate(operator, [value(name, image) for name in operator.inputs]) for image in range(memory.network.batch)
    ]
    return [np.stack(results) for results in zip(*images, strict=True)]
