"""Seeded random values for weights and inputs that have a shape only.

Weights keep the magnitude of what passes through: standard deviation √(2 / fan-in), as He et al., *Delving Deep into
Rectifiers*, ICCV 2015, section 2.2. Scales and variances of normalisations are drawn around 1. Each tensor has a
generator of its own, so it keeps its values when others come and go.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.network.base import Network, Tensor

Array = NDArray[Any]
_POSITIVE = {
    "BatchNormalization": (1, 4),
    "LayerNormalization": (1,),
    "InstanceNormalization": (1,),
    "GroupNormalization": (1,),
}
"""Operator → positions of its scales and variances."""


def with_values(network: Network, seed: int) -> Network:
    """The network with values for every constant; those it has stay."""

    def filled(tensor: Tensor) -> Tensor:
        if not tensor.constant or tensor.values is not None:
            return tensor
        return replace(tensor, values=lambda: _values(network, tensor, seed))

    return replace(network, tensors={name: filled(tensor) for name, tensor in network.tensors.items()})


def random_inputs(network: Network, seed: int) -> dict[str, Array]:
    """Values for each input, (batch, *shape): normal float32, integers of the file's type, row numbers of a table."""
    found: dict[str, Array] = {}
    for name in network.inputs:
        rng, shape = _generator(seed, name), (network.batch, *network.tensors[name].shape)
        tables = [
            network.tensors[reader.inputs[0]].shape[int(str(reader.attributes.get("axis", 0)))]
            for reader in network.consumers.get(name, ())
            if reader.op_type == "Gather" and reader.inputs[1] == name
        ]
        dtype = np.dtype(network.tensors[name].dtype)
        if tables:
            found[name] = rng.integers(0, min(tables), shape)
        elif dtype.kind in "iu":
            limits = np.iinfo(dtype)
            found[name] = rng.integers(max(limits.min, -128), min(limits.max, 255), shape, dtype, endpoint=True)
        else:
            found[name] = rng.standard_normal(shape, np.float32)
    return found


def _values(network: Network, tensor: Tensor, seed: int) -> Array:
    rng = _generator(seed, tensor.name)
    reader = network.consumers[tensor.name][0]
    position = reader.inputs.index(tensor.name)
    if position in _POSITIVE.get(reader.op_type, ()):
        return rng.uniform(0.5, 1.5, tensor.shape).astype(np.float32)
    normal = rng.standard_normal(tensor.shape, np.float32)
    if reader.op_type == "Gather" or len(tensor.shape) < 2:
        return normal * np.float32(1 if reader.op_type == "Gather" else 0.1)
    if reader.op_type == "Conv":
        fan_in = math.prod(tensor.shape[1:])
    else:
        turned = reader.attributes.get("transB" if position else "transA", 0)
        fan_in = tensor.shape[-2 if bool(position) != bool(turned) else -1]
    return normal * np.float32(math.sqrt(2 / fan_in))


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng((seed, zlib.crc32(name.encode())))
