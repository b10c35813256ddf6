"""Values of weights behind the quantisers of the QONNX dialect (``qonnx.custom_op.general``, ``onnx.brevitas``).

Definitions: https://github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops (Quant, BipolarQuant). Left out:
rounding modes other than those below, minifloats (FloatQuant) and Trunc: their shapes are known, their values are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
OPERATORS = ("Quant", "IntQuant", "BipolarQuant", "FloatQuant", "Trunc")
COMPUTED = ("Quant", "IntQuant", "BipolarQuant")
"""Those whose results :func:`quantise` computes."""

_ROUND: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
}


def is_quantiser(node: NodeProto) -> bool:
    """Whether the node keeps its first input's shape and rounds its values."""
    return node.domain in DOMAINS and node.op_type in OPERATORS


def quantise(node: NodeProto, inputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The values after quantisation and scaling back, as float32; same shape as the first input.

    Raises:
        ValueError: a rounding mode that is left out.
    """
    x, scale = inputs[:2]
    if node.op_type == "BipolarQuant":
        return np.asarray(np.where(x >= 0, scale, -scale), np.float32)
    zero_point, bits = inputs[2:4]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    signed, narrow = attributes.get("signed", 1), attributes.get("narrow", 0)
    mode = attributes.get("rounding_mode", b"ROUND").decode().upper()
    if mode not in _ROUND:
        raise ValueError(f"rounding mode {mode}; allowed: {', '.join(_ROUND)}")
    if signed and bits == 1:
        return np.asarray((np.where(x / scale + zero_point >= 0, 1, -1) - zero_point) * scale, np.float32)
    high = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - 1 - narrow
    low = -(2.0 ** (bits - 1)) + narrow if signed else 0.0
    integers = _ROUND[mode](np.clip(x / scale + zero_point, low, high))
    return np.asarray((integers - zero_point) * scale, np.float32)
