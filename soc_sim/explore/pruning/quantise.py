"""Int8 weights and activations after training: one scale for each output channel, activations by their range.

The work is onnxruntime's (static quantisation, QDQ form: QuantizeLinear and DequantizeLinear around operators, which
keep their float types in the file). Zeros stay zeros: weights are symmetric. The form needs opset 13, so an older model
is converted; inputs, outputs and their names stay.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.explore.pruning.model import TrainedModel

if TYPE_CHECKING:
    from onnx import ModelProto

Array = NDArray[Any]
OPSET = 13
CALIBRATED = 256
"""Images whose activations give the ranges."""


def rounded(model: TrainedModel) -> TrainedModel:
    """The model whose weights are whole numbers, -127 to 127, times a scale for each output channel."""
    found = {}
    for layer in model.layers:
        weights = model.weights(layer)
        scale = np.abs(weights).max(axis=2, keepdims=True) / 127
        found[layer.name] = np.where(scale > 0, np.round(weights / np.where(scale > 0, scale, 1)) * scale, 0.0)
    return model.changed(found)


def quantised(model: TrainedModel, images: Array) -> ModelProto:
    """The int8 model; the first images give the ranges of the activations."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    proto = model.proto
    version = next(entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    if version < OPSET:
        proto = onnx.version_converter.convert_version(proto, OPSET)
    source = proto.graph.input[0]
    name = model.network.inputs[0]
    fixed = source.type.tensor_type.shape.dim[0].dim_value if source.name == name else 0
    size = fixed or 1
    shape = model.network.tensors[name].shape[1:]
    batches = [
        images[start : start + size].reshape(size, *shape).astype(np.float32)
        for start in range(0, min(len(images), CALIBRATED) // size * size, size)
    ]

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out one batch after another."""

        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> dict[str, Array] | None:
            batch = next(self.left, None)
            return None if batch is None else {name: batch}

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        begin, end = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(proto, begin)
        quantize_static(
            begin,
            end,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={"WeightSymmetric": True},
        )
        return onnx.load(end)


@contextlib.contextmanager
def _quiet() -> Any:
    """Without what onnxruntime prints."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)


def answers(proto: ModelProto, model: TrainedModel, images: Array) -> Array:
    """What the int8 model, quantised from ``model``, answers to images."""
    return TrainedModel(proto, model.network, model.layers).run(images)[0]
