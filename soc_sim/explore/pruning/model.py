"""A trained ONNX model as pruning sees it: layers whose weights can change, and what the model answers to images.

A layer's weights are groups × m × k with k over channels and then the kernel, as in the compiler. Its *shift* is where
a change of the bias can be put: the layer's own bias, an addition of a constant behind it, or the mean of a batch
normalisation behind it.

Left out: products whose first operand is the constant one, convolutions over other than two axes, weights that several
layers share or that are stored as integers: these stay as they are, with a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.references import PACKAGE, package_file
from soc_sim.errors import MissingExtraError, NetworkError
from soc_sim.explore.pruning.weights import Home, Homes, with_values
from soc_sim.network import onnx_import
from soc_sim.network.base import Network, Operator

if TYPE_CHECKING:
    from onnx import ModelProto

Array = NDArray[Any]
WEIGHTED = ("Conv", "MatMul", "Gemm")
BATCH = 256
"""Images at once where the model leaves the batch open."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Where a change of a layer's bias goes."""

    tensor: str
    sign: int
    """-1 for a mean that is subtracted."""
    places: NDArray[np.int64]
    """Flat index for each output channel."""


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """The statistics of the batch normalisation behind a layer."""

    mean: str
    variance: str
    epsilon: float


@dataclass(frozen=True)
class Layer:
    """One operator that multiplies by constant weights."""

    name: str
    operator: Operator
    groups: int
    m: int
    k: int
    home: Home
    """Places with the shape groups × m × k."""
    shift: Shift | None
    batch_norm: BatchNorm | None
    rectified: bool
    """Whether nothing but the bias lies between the layer and a Relu."""
    pool: tuple[int, int] | None
    """Rows and columns of the windows of a maximum behind that Relu, where they lie side by side."""

    @property
    def input(self) -> str:
        """The activation it reads."""
        return self.operator.inputs[0]

    @property
    def output(self) -> str:
        """What it computes, before an addition that follows."""
        return self.operator.outputs[0]

    @property
    def size(self) -> int:
        """Number of weights."""
        return self.groups * self.m * self.k


class TrainedModel:
    """A model with the values of its weights; every change gives a new one."""

    def __init__(self, proto: ModelProto, network: Network, layers: tuple[Layer, ...]) -> None:
        self.proto, self.network, self.layers = proto, network, layers

    @cached_property
    def values(self) -> Mapping[str, Array]:
        """Initializer → its values."""
        from onnx import numpy_helper

        return {tensor.name: numpy_helper.to_array(tensor) for tensor in self.proto.graph.initializer}

    def weights(self, layer: Layer) -> NDArray[np.float64]:
        """Groups × m × k."""
        return np.asarray(self.values[layer.home.tensor], np.float64).ravel()[layer.home.places]

    def changed(
        self,
        weights: Mapping[str, NDArray[np.float64]],
        shifts: Mapping[str, NDArray[np.float64]] | None = None,
        others: Mapping[str, Array] | None = None,
    ) -> TrainedModel:
        """The model with other weights (layer → groups × m × k), biases changed by ``shifts`` (groups × m)."""
        values: dict[str, Array] = dict(others or {})

        def own(name: str) -> Array:
            if name not in values:
                values[name] = np.array(self.values[name], np.float64)
            return values[name]

        for layer in self.layers:
            if layer.name in weights:
                own(layer.home.tensor).reshape(-1)[layer.home.places] = weights[layer.name]
            if shifts and layer.name in shifts and layer.shift:
                change = np.asarray(shifts[layer.name]).reshape(-1)
                np.add.at(own(layer.shift.tensor).reshape(-1), layer.shift.places, layer.shift.sign * change)
        return TrainedModel(with_values(self.proto, values), self.network, self.layers)

    def run(self, images: Array, outputs: Sequence[str] = ()) -> list[Array]:
        """The model's first output, then the named activations, for every image.

        Args:
            images: Count × the shape of one image.
            outputs: Names of activations.

        Returns:
            Arrays whose first axis is the image.
        """
        session, extra = self._session(tuple(outputs))
        source = session.get_inputs()[0]
        fixed = self.network.tensors[source.name].shape
        size = source.shape[0] if isinstance(source.shape[0], int) else BATCH
        images = images.reshape(len(images), *fixed[1:]).astype(np.float32, copy=False)
        # What is an input is no output of onnxruntime's.
        names = [session.get_outputs()[0].name, *(name for name in dict.fromkeys(extra) if name != source.name)]
        parts: list[list[Array]] = [[] for _ in names]
        fixed_batch = isinstance(source.shape[0], int)
        for start in range(0, len(images), size):
            batch = images[start : start + size]
            count = len(batch)
            if fixed_batch and count < size:
                batch = np.concatenate((batch, np.repeat(batch[-1:], size - count, axis=0)))
            for part, result in zip(parts, session.run(names, {source.name: batch}), strict=True):
                part.append(result[:count])
        found = {name: np.concatenate(part) for name, part in zip(names, parts, strict=True)}
        found.setdefault(source.name, images)
        return [found[names[0]], *(found[name] for name in extra)]

    def _session(self, outputs: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        import onnxruntime
        from onnx import ModelProto, TensorProto, helper

        proto = ModelProto()
        proto.CopyFrom(self.proto)
        known = {value.name for value in proto.graph.output}
        proto.graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in dict.fromkeys(outputs)
            if name not in known and name not in self.network.inputs
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # sums in the same order on every machine
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  onnxruntime has no base class of its own errors
            text = str(error).splitlines()[0]
            raise NetworkError(f"{self.network.source}: onnxruntime cannot run the model: {text}") from None
        return session, outputs

    def sparse_network(self, masks: Mapping[str, NDArray[np.bool_]] | None = None) -> Network:
        """The network as the compiler takes it, whose weights are zero where ``masks`` (layer → groups × m × k) say.

        Without masks: where this model's weights are zero.
        """
        from dataclasses import replace

        tensors = dict(self.network.tensors)
        for layer in self.layers:
            kept = self.weights(layer) != 0 if masks is None else masks[layer.name]
            tensor = tensors[layer.operator.inputs[1]]
            flat = _as_read(layer, kept.astype(np.float32), tensor.shape)
            tensors[tensor.name] = replace(tensor, values=lambda flat=flat: flat)  # type: ignore[misc]
        return replace(self.network, tensors=tensors)


def _as_read(layer: Layer, weights: Array, shape: tuple[int, ...]) -> Array:
    """Groups × m × k as the operator reads them."""
    operator = layer.operator
    if operator.op_type == "Conv" or operator.attributes.get("transB", 0):
        return weights.reshape(shape)
    return np.ascontiguousarray(weights[0].T).reshape(shape)


def load(spec: str) -> tuple[TrainedModel, list[str]]:
    """The model of a file, and what is left out of pruning.

    Args:
        spec: Path of an .onnx file, or ``package://NAME/path``.

    Raises:
        NetworkError: the file cannot be read, or has no weights that could be pruned, or not one input.
        MissingExtraError: onnx or onnxruntime is not installed.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError:
        raise MissingExtraError("soc-sim prune needs the extra prune: pip install 'soc_sim[prune]'") from None
    path = package_file(spec) if spec.startswith(PACKAGE) else Path(spec)
    network = onnx_import.load(path)
    return of(onnx.load(path), network)


def of(proto: ModelProto, network: Network) -> tuple[TrainedModel, list[str]]:
    """As :func:`load`, from a model and the network that the importer made of it.

    Raises:
        NetworkError: as there.
    """
    faults, warnings = [], []
    if len(network.inputs) != 1:
        faults.append(f"{network.source}: has {len(network.inputs)} inputs; allowed: one, the image")
    homes, layers, used = Homes(proto), [], set()
    weighted = [operator for operator in network.operators if operator.op_type in WEIGHTED]
    constant = [operator for operator in weighted if network.tensors[operator.inputs[1]].constant]
    for operator in constant:
        layer = _layer(operator, network, homes, proto)
        if isinstance(layer, str):
            warnings.append(f"layer {operator.name} is not pruned: {layer}")
        elif layer.home.tensor in used:
            warnings.append(f"layer {operator.name} is not pruned: it shares its weights with another")
        else:
            used.add(layer.home.tensor)
            layers.append(layer)
    if not layers:
        why = warnings[0] if warnings else "no Conv, MatMul or Gemm has constant weights"
        why += f", and {len(warnings) - 1} more" if len(warnings) > 1 else ""
        faults.append(f"{network.source}: there is nothing to prune: {why}; allowed: a model with trained weights")
    if faults:
        raise NetworkError(*faults)
    return TrainedModel(proto, network, tuple(layers)), warnings


def _layer(operator: Operator, network: Network, homes: Homes, proto: ModelProto) -> Layer | str:
    """The layer, or why it is none."""
    from onnx import TensorProto

    name = operator.inputs[1]
    shape = network.tensors[name].shape
    home = homes.find(name, shape)
    if home is None:
        return "its weights are no initializer of the file"
    kind = next(tensor.data_type for tensor in proto.graph.initializer if tensor.name == home.tensor)
    if kind not in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16):
        return "its weights are not stored as floats"
    attributes, places = operator.attributes, home.places
    if operator.op_type == "Conv":
        if len(shape) != 4:
            return f"it is a convolution over {len(shape) - 2} axes"
        groups = int(str(attributes.get("group", 1)))
        places = places.reshape(groups, shape[0] // groups, -1)
    elif len(shape) != 2 or attributes.get("transA", 0) or attributes.get("alpha", 1) != 1:
        return "its form is not the product of an activation by a matrix"
    else:
        places = (places if attributes.get("transB", 0) else places.T)[None]
    groups, m, k = places.shape
    shift, norm, relu = _behind(operator, network, homes, groups * m)
    pool = _pool(network, relu) if relu else None
    return Layer(operator.name, operator, groups, m, k, Home(home.tensor, places), shift, norm, relu is not None, pool)


def _behind(
    operator: Operator, network: Network, homes: Homes, channels: int
) -> tuple[Shift | None, BatchNorm | None, Operator | None]:
    """Where a change of the bias goes, the batch normalisation, and the Relu that follows."""
    shift: Shift | None = None
    norm: BatchNorm | None = None
    if len(operator.inputs) > 2 and operator.inputs[2] and operator.attributes.get("beta", 1) == 1:
        shift = _shift(operator.inputs[2], network, homes, channels, 1)
    name = operator.outputs[0]
    follower = _only(network, name)
    if follower is not None and follower.op_type == "Add":
        other = next((entry for entry in follower.inputs if entry != name), "")
        axis = 1 if operator.op_type == "Conv" else -1
        found = _shift(other, network, homes, channels, 1, axis) if other and network.tensors[other].constant else None
        if found:
            shift = shift or found
            follower = _only(network, follower.outputs[0])
    if follower is not None and follower.op_type == "BatchNormalization":
        mean, variance = follower.inputs[3:5]
        if all(homes.find(entry, (channels,)) is not None for entry in (mean, variance)):
            norm = BatchNorm(mean, variance, float(str(follower.attributes.get("epsilon", 1e-5))))
            shift = shift or _shift(mean, network, homes, channels, -1)
        return shift, norm, None
    return shift, norm, follower if follower is not None and follower.op_type == "Relu" else None


def _pool(network: Network, relu: Operator) -> tuple[int, int] | None:
    """The window of a maximum over images that follows, if no value is in two windows."""
    follower = _only(network, relu.outputs[0])
    if follower is None or follower.op_type != "MaxPool":
        return None
    attributes = follower.attributes
    kernel = attributes["kernel_shape"]
    plain = attributes.get("strides") == kernel and not any(_numbers(attributes.get("pads", (0,))))
    plain = plain and set(_numbers(attributes.get("dilations", (1,)))) == {1} and not attributes.get("ceil_mode", 0)
    sizes = _numbers(kernel)
    return (sizes[0], sizes[1]) if plain and len(sizes) == 2 else None


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(int(entry) for entry in value) if isinstance(value, tuple) else ()


def _only(network: Network, name: str) -> Operator | None:
    """The operator that reads ``name``, if there is exactly one and it is no output."""
    readers = network.consumers.get(name, ())
    return readers[0] if len(readers) == 1 and name not in network.outputs else None


def _shift(name: str, network: Network, homes: Homes, channels: int, sign: int, axis: int = 0) -> Shift | None:
    shape = network.tensors[name].shape
    if int(np.prod(shape, dtype=np.int64)) != channels:
        return None
    # Per channel: all extent lies along the channels' axis.
    rank = len(shape)
    place = {0: 0, -1: rank - 1, 1: rank - 3}[axis] if rank > 1 else 0
    if rank > 1 and not 0 <= place < rank:
        return None
    if rank > 1 and shape[place] != channels:
        return None
    if rank == 1 and axis == 1 and channels > 1:
        return None  # added along the image's columns
    if len(network.consumers.get(name, ())) != 1:
        return None
    home = homes.find(name, shape)
    return Shift(home.tensor, sign, home.places.reshape(-1)) if home else None
