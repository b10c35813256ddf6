"""Fixes the dimensions of the network's inputs: from the file, from the caller, or 1 for a leading batch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from onnx import GraphProto, TensorProto, ValueInfoProto

from soc_sim.network.onnx_import.faults import Faults, did_you_mean, size
from soc_sim.network.onnx_import.structure import run_time_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Dimension = int | str

UNSUPPORTED = (TensorProto.UNDEFINED, TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.COMPLEX128)


def fix_inputs(graph: GraphProto, given: Mapping[str, tuple[int, ...]], faults: Faults) -> dict[str, tuple[int, ...]]:
    """Shape of every run-time input.

    A symbolic leading dimension is the batch and becomes 1 unless given; a symbol stands for one number in all inputs.

    Raises:
        NetworkError: a dimension is open, zero or negative, or a given shape does not suit.
    """
    names = run_time_inputs(graph)
    values = [value for value in graph.input if value.name in names]
    for name in given:
        if name not in names:
            faults.add(
                f'input_shapes: there is no input "{name}"; allowed: {", ".join(names)}{did_you_mean(name, names)}'
            )
    stated = {value.name: _stated(value, faults) for value in values}
    known: dict[str, int] = {}
    for name in names:
        _bind(name, stated[name], given.get(name), known, faults)
    for name in names:
        match stated[name]:
            case [str(batch), *_] if batch:
                known.setdefault(batch, 1)
    shapes = {}
    for name in names:
        shape = given.get(name) or _resolve(name, stated[name], known, faults)
        if any(dimension < 1 for dimension in shape):
            faults.add(f'input "{name}": shape {size(shape)}; allowed: dimensions of 1 or more')
        shapes[name] = tuple(shape)
    faults.check()
    return shapes


def _stated(value: ValueInfoProto, faults: Faults) -> Sequence[Dimension] | None:
    """The file's own shape; a dimension without a number is a string ("" if it has no name); None without a shape.

    Some exporters write -1 or "?" for an open dimension.
    """
    if value.type.WhichOneof("value") != "tensor_type":
        faults.add(f'input "{value.name}" is not a tensor; allowed: tensors')
        return []
    kind = value.type.tensor_type
    if kind.elem_type in UNSUPPORTED:
        faults.add(f'input "{value.name}" holds {TensorProto.DataType.Name(kind.elem_type)}; allowed: real numbers')
    if not kind.HasField("shape"):
        return None
    dimensions: list[Dimension] = []
    for index, d in enumerate(kind.shape.dim):
        if not d.HasField("dim_value") or d.dim_value == -1:
            dimensions.append("" if d.dim_param == "?" else d.dim_param)
        else:
            dimensions.append(d.dim_value)
        if re.fullmatch(r"[+-]?(nan|inf(inity)?)", d.dim_param, re.IGNORECASE):
            faults.add(
                f'input "{value.name}": dimension {index} is {d.dim_param}; allowed: a number of 1 or more, or a name'
            )
    return dimensions


def _bind(
    name: str, stated: Sequence[Dimension] | None, given: tuple[int, ...] | None, known: dict[str, int], faults: Faults
) -> None:
    """Learns what the symbols stand for from a shape that the caller gave."""
    if given is None or stated is None:
        return
    if len(given) != len(stated):
        faults.add(f'input "{name}" has {len(stated)} dimensions; input_shapes gives {len(given)} ({size(given)})')
        return
    for symbol, number in zip(stated, given, strict=True):
        if isinstance(symbol, str) and symbol and known.setdefault(symbol, number) != number:
            faults.add(f'input "{name}": dimension "{symbol}" is given as {number} and as {known[symbol]}')


def _resolve(name: str, stated: Sequence[Dimension] | None, known: dict[str, int], faults: Faults) -> tuple[int, ...]:
    if stated is None:
        faults.add(f'input "{name}" has no shape; set it, for example input_shapes={{"{name}": (1, 3, 224, 224)}}')
        return ()
    shape: list[Dimension] = [
        d if isinstance(d, int) else known.get(d, 1 if index == 0 else d or "?") for index, d in enumerate(stated)
    ]
    example = f'input_shapes={{"{name}": ({", ".join(map(str, shape))}{"," if len(shape) == 1 else ""})}}'
    for index, d in enumerate(shape):
        if isinstance(d, str):
            faults.add(
                f'input "{name}": dimension {index} ("{d}") is not fixed; set it by {example} with a number for it'
            )
    return tuple(d if isinstance(d, int) else 1 for d in shape)
