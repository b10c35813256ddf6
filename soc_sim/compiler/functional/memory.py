"""The memories of an SoC as words that carry numbers, and what the tensors in them are worth.

Each word is a float64, wherever it lies: the values of float32 networks fit, and integers up to 2⁵³. A word that nobody
has written is NaN, so what reads it shows. Host operators read and write whole tensors through their views.

A view operator may leave a channels-last image as it is and give it a shape whose elements then stand in another order
than in the file (Flatten before a Gemm: the program packs the weights to match). ``order`` keeps that order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.layout import Layout
from soc_sim.compiler.program import Program, Region
from soc_sim.compiler.views import View
from soc_sim.config.soc import MemoryName
from soc_sim.errors import VerificationError
from soc_sim.network.base import Network, Operator
from soc_sim.network.evaluation import evaluate

Words = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]
Memories = dict[MemoryName, Words]


class Memory:
    """Where the tensors of a program lie, and their values."""

    def __init__(self, network: Network, program: Program, layout: Layout, word_bytes: int) -> None:
        self.network, self.layout, self.word_bytes = network, layout, word_bytes
        self.words, *buffers = (self._blank(program) for _ in range(4))
        self.buffers = dict(zip(("weights", "inputs", "outputs"), buffers, strict=True))
        # The packed weights of a layer come first in the list; a tensor of the same name follows.
        self._homes = {
            place.tensor: (place.memory, place.address // word_bytes) for place in program.memory_map.placements
        }
        self._order: dict[str, npt.NDArray[np.int64]] = {}
        for root in layout.constants:
            if root in self._homes:
                self.at(layout.views[root])[...] = constant_values(network, root)

    def _blank(self, program: Program) -> Memories:
        return {
            name: np.full(-(-size // self.word_bytes), np.nan) for name, size in program.memory_map.used_bytes.items()
        }

    def at(self, view: View, words: Memories | None = None) -> Words:
        """The elements of a view, writable, in this memory or in ``words`` of the same size."""
        memory, base = self._homes[view.root]
        found: Words = _strided((words or self.words)[memory], base, view, self.word_bytes)
        return found

    def like(self, view: View, values: Numbers) -> Words:
        """A storage beside the memory: ``values`` repeated to the shape of a view, laid out as it is."""
        words = np.empty(self.layout.storages[view.root] // self.word_bytes)
        _strided(words, 0, view, self.word_bytes)[...] = values
        return words

    def within(self, view: View, storage: Words) -> Words:
        """The elements of a view in a storage that :meth:`like` has made."""
        found: Words = _strided(storage, 0, view, self.word_bytes)
        return found

    def read(self, tensor: str) -> Words:
        """The values of a tensor in the file's order, (batch, *shape)."""
        found = self.at(self.layout.views[tensor])
        order = self._order.get(tensor)
        if order is None:
            return found.copy()
        values = np.empty(found.size)
        values[order.ravel()] = found.ravel()
        return values.reshape(found.shape)

    def write(self, tensor: str, values: Numbers) -> None:
        """Sets a tensor that nobody has renamed."""
        self.at(self.layout.views[tensor])[...] = values

    def in_file_order(self, tensors: Iterable[str]) -> Memories:
        """The memories, with the elements of some tensors in the file's order; the same object where they are."""
        renamed = [name for name in tensors if name in self._order]
        if not renamed:
            return self.words
        words = {name: memory.copy() for name, memory in self.words.items()}
        for name in renamed:
            self.at(self.layout.views[name], words)[...] = self.read(name)
        return words

    def rename(self, operator: Operator) -> None:
        """Follows an operator that moves nothing: its results are other names of what its input already is."""
        layout, source = self.layout, operator.inputs[0]
        before = layout.views[source]
        results = [name for name in operator.outputs if name and not self.network.tensors[name].constant]
        if self.network.tensors[source].constant or any(layout.views[name].root != before.root for name in results):
            return
        numbers = np.arange(math.prod(before.shape)).reshape(before.shape)
        order = self._order.get(source, numbers)
        # What lies in each word: the number of the element of the source.
        words = np.full(before.offset // self.word_bytes + _extent(before, self.word_bytes), -1, np.int64)
        _strided(words, 0, before, self.word_bytes)[...] = order
        parameters = [constant_values(self.network, name) if name else None for name in operator.inputs[1:]]
        images = [evaluate(operator, [image, *parameters]) for image in numbers]
        for index, name in enumerate(operator.outputs):
            if name not in results:
                continue
            expected = np.stack([image[index] for image in images])
            found = _strided(words, 0, layout.views[name], self.word_bytes)
            if not np.array_equal(found, expected):
                position = np.full(numbers.size, -1)
                position[expected.ravel()] = np.arange(expected.size)
                self._order[name] = position[found]


def constant_values(network: Network, name: str) -> Numbers:
    """The values of a constant, which the caller of functional execution has seen to."""
    read = network.tensors[name].values
    if read is None:
        raise ValueError(f"{name} has no values")
    return read()


def copy(source: Memories, target: Memories, regions: Iterable[Region], word_bytes: int) -> None:
    """Moves regions, as a DMA would, to the same addresses of another memory."""
    for region in regions:
        _lines(target, region, word_bytes)[...] = _lines(source, region, word_bytes)


def erase(memories: Memories, regions: Iterable[Region], word_bytes: int) -> None:
    """Makes the words of some regions unknown."""
    for region in regions:
        _lines(memories, region, word_bytes)[...] = np.nan


def _lines(memories: Memories, region: Region, word_bytes: int) -> Words:
    memory, end = memories[region.memory], region.address + (region.lines - 1) * region.pitch_bytes + region.line_bytes
    if region.address < 0 or end > memory.size * word_bytes:
        raise VerificationError(f"{region} leaves the {memory.size * word_bytes} bytes that are in use")
    words = memory[region.address // word_bytes :]
    shape, strides = (region.lines, region.line_bytes // word_bytes), (region.pitch_bytes // word_bytes * 8, 8)
    return np.lib.stride_tricks.as_strided(words, shape, strides)


def _strided(words: Numbers, base: int, view: View, word_bytes: int) -> Any:
    start = base + view.offset // word_bytes
    if start + _extent(view, word_bytes) > words.size:
        raise VerificationError(f"{view} leaves the {words.size} words that are in use")
    strides = [stride // word_bytes * words.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(words[start:], view.shape, strides)


def _extent(view: View, word_bytes: int) -> int:
    return 1 + sum((size - 1) * stride // word_bytes for size, stride in zip(view.shape, view.strides, strict=True))
