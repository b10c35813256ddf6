"""Where the weights of each array layer are zero: a pattern at a level, from the network's own values, or from a file.

A layer's weights are one matrix a group, m × k, with k over channels and then the kernel, as in ONNX. Products of two
activations are always dense. Batch normalisation scales rows of W; it makes no zeros.

A weight of a quantised network is zero where its integer equals the zero point.

Left out: the order in which a flattened image lies in memory: the zeros of the layer behind it stay in the order of the
file.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.nest import Nest
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.config.array import Array
from soc_sim.config.npz import read_npz
from soc_sim.config.sparsity import FormatName, Sparsity
from soc_sim.errors import InputError, suggestion
from soc_sim.network.base import Network, Operator
from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.patterns import prune
from soc_sim.sparsity.realistic import realistic_weights


class Zeros:
    """The zeros of a network's weights; faults are collected until the end.

    May serve several compilations for arrays of one size: what has been found out of a layer is remembered.
    """

    def __init__(self, network: Network, sparsity: Sparsity, array: Array) -> None:
        self.network, self.sparsity, self.array = network, sparsity, array
        self.faults: list[str] = []
        self._own = {layer.name: layer for layer in sparsity.layers}
        self._file = self._read(sparsity.weights) if sparsity.weights else {}
        self._layers: list[str] = []
        self._used: set[str] = set()
        self._without: list[str] = []
        self.seeded: list[str] = []
        """Layers of which not even the values of the weights are real."""
        self._known: dict[tuple[str, FormatName | None, bool], SparseLayer | None] = {}

    def layer(
        self, layer: str, head: Operator, nest: Nest, wanted: FormatName | None, *, expanded: bool = False
    ) -> SparseLayer | None:
        """The weights of a layer, stored in the format that is wanted; None for a product of two activations."""
        key = layer, wanted, expanded
        if key not in self._known:
            nonzero = self.of(layer, head, nest)
            found = None if nonzero is None else SparseLayer(nonzero, nest, self.array, wanted, expanded=expanded)
            self._known[key] = found
        return self._known[key]

    def of(self, layer: str, head: Operator, nest: Nest) -> Bitmap | None:
        """Groups × m × k, true where a weight is not zero; None for a product of two activations."""
        if not nest.constant_weights:
            return None
        self._layers.append(layer)
        shape = nest.groups, nest.m, nest.gemm.k
        if self.sparsity.pattern is not None:
            own = self._own.get(layer)
            pattern, level = self.sparsity.pattern, self.sparsity.level or 0.0
            if own is not None:
                pattern, level = own.pattern or pattern, own.level
            kept = prune(
                pattern,
                nest.m,
                nest.gemm.k,
                level,
                rows=self.array.rows,
                cols=self.array.cols,
                # By name: a layer keeps its zeros when others come and go.
                seed=(self.sparsity.seed, zlib.crc32(layer.encode())),
                groups=nest.groups,
                weights=self._values(layer, head, nest) if self.sparsity.score == "norm" else None,
            )
            return kept.reshape(shape)
        name, turned = _weights(self.network, head)
        tensor = self.network.tensors[name]
        if self.sparsity.from_weights:
            if tensor.values is None:
                self._without.append(layer)
                return np.ones(shape, dtype=bool)
            return _bitmap(tensor.values(), shape, turned=turned)
        found = next((key for key in (layer, tensor.name) if key in self._file), None)
        if found is None:
            return np.ones(shape, dtype=bool)
        self._used.add(found)
        values = self._file[found]
        rows = (nest.groups * nest.m, nest.gemm.k)
        if values.shape == rows:
            return _bitmap(values, shape, turned=False)
        if values.shape == tensor.shape:
            return _bitmap(values, shape, turned=turned)
        self.faults.append(
            f"workload.sparsity.weights: '{found}' has the shape {_times(values.shape)}; allowed: "
            f"{_times(tensor.shape)}, or {_times(rows)}"
        )
        return np.ones(shape, dtype=bool)

    def _values(self, layer: str, head: Operator, nest: Nest) -> npt.NDArray[np.floating[Any]]:
        """Weights whose norms decide, groups · m × k: the network's own, or seeded ones."""
        name, turned = _weights(self.network, head)
        values = self.network.tensors[name].values
        if values is None:
            self.seeded.append(layer)
            seed = self.sparsity.seed, zlib.crc32(layer.encode())
            return realistic_weights(nest.groups, nest.m, nest.channels, nest.kernel, seed)
        shape = nest.groups, nest.m, nest.gemm.k
        return _matrix(values().astype(np.float64), shape, turned=turned).reshape(-1, nest.gemm.k)

    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results should know."""
        if not self.seeded:
            return ()
        what = f"layers whose weights have no values: {len(self.seeded)}; seeded ones decide what is zero"
        return (f"{self.network.name}: {what} (workload.sparsity.score)",)

    def found_wrong(self) -> list[str]:
        """After the last layer: all faults, names that no layer bears among them."""
        known = [*self._layers, *(name for name in self._file if name in self._used)]
        named = [(f"workload.sparsity.layers: '{name}'", name) for name in self._own]
        named += [(f"workload.sparsity.weights: '{name}'", name) for name in self._file]
        tensors = [name for name, tensor in self.network.tensors.items() if tensor.constant]
        for what, name in named:
            if name not in known:
                guess = suggestion(name, [*self._layers, *(tensors if name in self._file else ())])
                self.faults.append(f"{what} is no layer of {self.network.name} that multiplies by weights{guess}")
        if self._without:
            more = f" and {len(self._without) - 1} more" if len(self._without) > 1 else ""
            self.faults.append(
                f"workload.sparsity.from_weights: {self.network.name} has no values for the weights of "
                f"'{self._without[0]}'{more}; allowed: an .onnx file with its weights, or a pattern"
            )
        return self.faults

    def _read(self, path: str) -> Mapping[str, npt.NDArray[Any]]:
        try:
            return read_npz(path, "workload.sparsity.weights")
        except InputError as error:
            self.faults += error.faults
            return {}


def zeros_of(network: Network, sparsity: Sparsity | Zeros, array: Array) -> Zeros:
    """The zeros that a description means; those that are known already serve networks and arrays of their own alone."""
    if isinstance(sparsity, Sparsity):
        return Zeros(network, sparsity, array)
    if sparsity.network is not network or sparsity.array != array:
        raise ValueError("zeros of another network or array")
    return sparsity


def _weights(network: Network, head: Operator) -> tuple[str, bool]:
    """The tensor of a layer's weights, and whether it is k × m instead of m × k."""
    first, second = head.inputs[:2]
    if head.op_type == "Conv":
        return second, False
    tensor = network.tensors[second]
    if tensor.constant and all(size == 1 for size in tensor.shape[:-2]):
        return second, not head.attributes.get("transB", 0)
    return first, bool(head.attributes.get("transA", 0))


def _matrix(values: npt.NDArray[Any], shape: tuple[int, int, int], *, turned: bool) -> npt.NDArray[Any]:
    """The weights of an operator, groups × m × k."""
    groups, m, k = shape
    return values.reshape(k, m).T[None] if turned else values.reshape(groups, m, k)


def _bitmap(values: npt.NDArray[Any], shape: tuple[int, int, int], *, turned: bool) -> Bitmap:
    nonzero: Bitmap = _matrix(values, shape, turned=turned) != 0
    return nonzero


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
