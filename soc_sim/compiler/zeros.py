"""Where the weights of each array layer are zero: synthetic, from the network's own values, or from a file.

A layer's weights are one matrix a group, m × k, with k over channels and then the kernel, as in ONNX. Products of two
activations are always dense. Batch normalisation scales rows of W; it makes no zeros.

A weight of a quantised network is zero where its integer equals the zero point.

Left out: the order in which a flattened image lies in memory: the zeros of the layer behind it stay in the order of the
file.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.compiler.nest import Nest
from soc_sim.config.array import Array
from soc_sim.config.sparsity import Sparsity
from soc_sim.errors import suggestion
from soc_sim.network.base import Network, Operator
from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.patterns import prune


class Zeros:
    """The zeros of a network's weights; faults are collected until the end."""

    def __init__(self, network: Network, sparsity: Sparsity, array: Array) -> None:
        self.network, self.sparsity, self.array = network, sparsity, array
        self.faults: list[str] = []
        self._own = {layer.name: layer for layer in sparsity.layers}
        self._file = self._read(sparsity.weights) if sparsity.weights else {}
        self._layers: list[str] = []
        self._used: set[str] = set()
        self._without: list[str] = []

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
            )
            return kept.reshape(shape)
        name, turned = _weights(self.network, head)
        tensor = self.network.tensors[name]
        if self.sparsity.from_weights:
            if tensor.values is None:
                self._without.append(layer)
                return np.ones(shape, dtype=bool)
            return _matrix(tensor.values(), shape, turned=turned)
        found = next((key for key in (layer, tensor.name) if key in self._file), None)
        if found is None:
            return np.ones(shape, dtype=bool)
        self._used.add(found)
        values = self._file[found]
        rows = (nest.groups * nest.m, nest.gemm.k)
        if values.shape == rows:
            return _matrix(values, shape, turned=False)
        if values.shape == tensor.shape:
            return _matrix(values, shape, turned=turned)
        self.faults.append(
            f"workload.sparsity.weights: '{found}' has the shape {_times(values.shape)}; allowed: "
            f"{_times(tensor.shape)}, or {_times(rows)}"
        )
        return np.ones(shape, dtype=bool)

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
            file = np.load(Path(path), allow_pickle=False)
            if isinstance(file, np.lib.npyio.NpzFile):
                with file:
                    return {name: file[name] for name in file.files}
        except FileNotFoundError:
            self.faults.append(f"workload.sparsity.weights: no such file: '{path}'")
            return {}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            pass
        self.faults.append(
            f"workload.sparsity.weights: '{path}' is no readable .npz file; allowed: what numpy.savez writes"
        )
        return {}


def _weights(network: Network, head: Operator) -> tuple[str, bool]:
    """The tensor of a layer's weights, and whether it is k × m instead of m × k."""
    first, second = head.inputs[:2]
    if head.op_type == "Conv":
        return second, False
    tensor = network.tensors[second]
    if tensor.constant and all(size == 1 for size in tensor.shape[:-2]):
        return second, not head.attributes.get("transB", 0)
    return first, bool(head.attributes.get("transA", 0))


def _matrix(values: npt.NDArray[Any], shape: tuple[int, int, int], *, turned: bool) -> Bitmap:
    """Where the weights of an operator are not zero, groups × m × k."""
    groups, m, k = shape
    nonzero: Bitmap = values != 0
    return nonzero.reshape(k, m).T[None] if turned else nonzero.reshape(groups, m, k)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
