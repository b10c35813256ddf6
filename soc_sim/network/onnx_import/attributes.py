"""Attributes of one operator, complete: defaults filled in, and settings that newer opsets pass as inputs.

A setting may be an attribute (``axes`` of Squeeze up to opset 12) or a constant input (from 13 on). Both end up as an
attribute of the older name; the input is kept. Axes count from the front (never negative).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from onnx import AttributeProto, NodeProto, helper

from soc_sim.network.base import AttributeValue
from soc_sim.network.onnx_import.shapes import Analysis
from soc_sim.network.onnx_import.vocabulary import STANDARD_DOMAINS, schema_of

_REDUCTIONS = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")
_SETTINGS: dict[str, dict[str, int]] = {
    "Clip": {"min": 1, "max": 2},
    "Col2Im": {"image_shape": 1, "block_shape": 2},
    "CumSum": {"axis": 1},
    "Expand": {"shape": 1},
    "Pad": {"pads": 1, "value": 2, "axes": 3},
    "Reshape": {"shape": 1},
    "Resize": {"scales": 2, "sizes": 3},
    "Slice": {"starts": 1, "ends": 2, "axes": 3, "steps": 4},
    "Split": {"split": 1},
    "Squeeze": {"axes": 1},
    "Tile": {"repeats": 1},
    "TopK": {"k": 1},
    "Unsqueeze": {"axes": 1},
    "Upsample": {"scales": 1},
    **{name: {"axes": 1} for name in _REDUCTIONS},
}
"""Operator type → attribute → index of the input that may hold it."""


def attributes_of(node: NodeProto, analysis: Analysis) -> dict[str, AttributeValue]:
    """All attributes of a node as plain values.

    Raises:
        ValueError: an attribute is NaN or of a kind that no operator here has (tensors, graphs, types).
    """
    found: dict[str, AttributeValue] = {}
    if node.domain in STANDARD_DOMAINS:
        found.update(_defaults(node.op_type, analysis.opset))
    for attribute in node.attribute:
        found[attribute.name] = _plain(attribute)
    for name, index in _SETTINGS.get(node.op_type, {}).items():
        source = node.input[index] if index < len(node.input) else ""
        if source in analysis.constants and source:
            values = analysis.constants.values(source)
            scalar = values.ndim == 0 or name in ("k", "min", "max", "value")
            if values.size or not scalar:
                found[name] = values.reshape(-1)[0].item() if scalar else tuple(values.reshape(-1).tolist())
    if node.op_type in _COMPLETE:
        _COMPLETE[node.op_type](found, node, analysis)
    _count_from_the_front(found, node, analysis)
    for name, value in found.items():
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, float) and math.isnan(number) for number in numbers):
            raise ValueError(f"attribute {name} is NaN; allowed: numbers")
    return found


def _plain(attribute: AttributeProto) -> AttributeValue:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, int | float | str):
        return value
    if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS):
        return tuple(value)
    raise ValueError(f"attribute {attribute.name} is no number, text or list of numbers")


@cache
def _defaults(op_type: str, opset: int) -> Mapping[str, AttributeValue]:
    schema = schema_of(op_type, opset)
    if schema is None:  # an unknown operator: there is nothing to fill in
        return {}
    return {
        name: _plain(definition.default_value)
        for name, definition in schema.attributes.items()
        if definition.default_value.type != AttributeProto.UNDEFINED
    }


def _count_from_the_front(found: dict[str, AttributeValue], node: NodeProto, analysis: Analysis) -> None:
    data = node.output[0] if node.op_type == "Unsqueeze" else node.input[0] if node.input else ""
    if data not in analysis.types:
        return
    rank = len(analysis.shape(data))
    axis, axes = found.get("axis"), found.get("axes")
    if isinstance(axis, int) and axis < 0:
        found["axis"] = axis + rank
    if isinstance(axes, tuple):
        found["axes"] = tuple(int(a) % rank for a in axes)


# --- settings that follow from shapes where the file leaves them out ---


def _clip(found: dict[str, AttributeValue], *_: object) -> None:
    limits = np.finfo(np.float32)
    found.setdefault("min", float(limits.min))
    found.setdefault("max", float(limits.max))


def _transpose(found: dict[str, AttributeValue], node: NodeProto, analysis: Analysis) -> None:
    rank = len(analysis.shape(node.input[0]))
    perm = found.setdefault("perm", tuple(reversed(range(rank))))
    if not isinstance(perm, tuple) or sorted(perm) != list(range(rank)):
        raise ValueError(f"perm {perm} does not name each of the {rank} axes once")


def _reduce(found: dict[str, AttributeValue], node: NodeProto, analysis: Analysis) -> None:
    if not found.get("axes") and not found.get("noop_with_empty_axes"):
        found["axes"] = tuple(range(len(analysis.shape(node.input[0]))))


def _squeeze(found: dict[str, AttributeValue], node: NodeProto, analysis: Analysis) -> None:
    shape = analysis.shape(node.input[0])
    found.setdefault("axes", tuple(axis for axis, dimension in enumerate(shape) if dimension == 1))


def _slice(found: dict[str, AttributeValue], *_: object) -> None:
    starts = found.get("starts")
    if isinstance(starts, tuple):
        found.setdefault("axes", tuple(range(len(starts))))
        found.setdefault("steps", (1,) * len(starts))


def _split(found: dict[str, AttributeValue], node: NodeProto, analysis: Analysis) -> None:
    axis = found["axis"]
    if isinstance(axis, int):
        found.setdefault("split", tuple(analysis.shape(name)[axis] for name in node.output if name))


_Completion = Callable[[dict[str, AttributeValue], NodeProto, Analysis], None]
_COMPLETE: dict[str, _Completion] = {
    "Clip": _clip,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    **dict.fromkeys(_REDUCTIONS, _reduce),
}
