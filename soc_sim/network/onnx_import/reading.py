"""From a path to a parsed model, without reading more than the graph needs.

External data stay on disk until a tensor's values are asked for; here only their presence and size are checked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from soc_sim.errors import NetworkError
from soc_sim.network.onnx_import.faults import Faults, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWEST_OPSET = onnx.defs.onnx_opset_version()
KNOWN_TYPES = frozenset(onnx.TensorProto.DataType.values()) - {onnx.TensorProto.UNDEFINED}
IR_VERSION_FIELD = b"\x08"
"""First byte of every ONNX file: field 1 (ir_version) as a varint."""


def read(path: Path) -> onnx.ModelProto:
    """Parses an ONNX file and inlines its local functions.

    Raises:
        NetworkError: there is no such file, it is not ONNX, damaged, or its weights are missing.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NetworkError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise NetworkError(f"{path}: is a directory; allowed: an ONNX file") from None
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {error.strerror}") from None
    if not data:
        raise NetworkError(f"{path}: is empty; allowed: an ONNX file")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        if data.startswith(IR_VERSION_FIELD):
            raise NetworkError(
                f"{path}: is truncated or damaged ({len(data)} bytes do not form an ONNX model)"
            ) from None
        raise NetworkError(f"{path}: is not an ONNX file (it does not begin with a version)") from None
    if not model.HasField("graph"):
        raise NetworkError(f"{path}: contains no graph; allowed: an ONNX model")
    faults = Faults(path)
    if any(isinstance(text, bytes) for text in _texts(model.graph)):
        raise NetworkError(f"{path}: is damaged: a name is not UTF-8")
    _check_data(model.graph, path, faults)
    if not 1 <= opset(model) <= NEWEST_OPSET:
        faults.add(f"opset {opset(model)} is not known to onnx {onnx.__version__}; allowed: 1 to {NEWEST_OPSET}")
    faults.check()
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def opset(model: onnx.ModelProto) -> int:
    """Version of the standard operators; 1 where the file states none (before IR version 3)."""
    return next((int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)


def _texts(graph: onnx.GraphProto) -> Iterator[str | bytes]:
    """Every name in a graph; protobuf leaves one that is not UTF-8 as bytes."""
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            yield from _texts(attribute.g)
    for value in (*graph.input, *graph.output, *graph.value_info):
        yield value.name
        yield from (dimension.dim_param for dimension in value.type.tensor_type.shape.dim)
    yield from (tensor.name for tensor in graph.initializer)


def _check_data(graph: onnx.GraphProto, path: Path, faults: Faults) -> None:
    """Every initializer has a shape, an element type and as many values as its shape says."""
    for tensor in graph.initializer:
        if any(dimension < 0 for dimension in tensor.dims):
            faults.add(f'initializer "{tensor.name}": negative dimension in {list(tensor.dims)}; allowed: 0 or more')
        elif tensor.data_type not in KNOWN_TYPES:
            faults.add(f'initializer "{tensor.name}": element type {tensor.data_type}; allowed: the types of onnx')
        elif uses_external_data(tensor):
            _check_external(tensor, path, faults)
        elif tensor.raw_data and len(tensor.raw_data) != (needed := _raw_bytes(tensor)):
            stored = len(tensor.raw_data)
            faults.add(f'initializer "{tensor.name}": {stored} bytes of data; its shape and type need {needed}')
        else:
            try:
                onnx.checker.check_tensor(tensor)
            except onnx.checker.ValidationError as error:
                faults.add(f'initializer "{tensor.name}": {reason(error)}')
    for sparse in graph.sparse_initializer:
        faults.add(f'initializer "{sparse.values.name}" is stored sparse; allowed: dense tensors (zeros included)')


def _raw_bytes(tensor: onnx.TensorProto) -> int:
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    bits = _PACKED_BITS.get(tensor.data_type, 8 * int(kind.itemsize))
    return -(-int(math.prod(tensor.dims)) * bits // 8)


_PACKED_BITS = {
    getattr(onnx.TensorProto, name): bits
    for name, bits in (("INT4", 4), ("UINT4", 4), ("FLOAT4E2M1", 4), ("INT2", 2), ("UINT2", 2))
    if hasattr(onnx.TensorProto, name)
}
"""Element types that share a byte, as far as the installed onnx knows them."""


def _check_external(tensor: onnx.TensorProto, path: Path, faults: Faults) -> None:
    where = ExternalDataInfo(tensor)
    data = path.parent / where.location
    offset, needed = where.offset or 0, where.length or _raw_bytes(tensor)
    if not data.resolve().is_relative_to(path.parent.resolve()):
        faults.add(f'initializer "{tensor.name}": data file {where.location} lies outside the folder of the model')
    elif not data.is_file():
        faults.add(f'initializer "{tensor.name}": data file {data} is missing')
    elif data.stat().st_size < offset + needed:
        faults.add(f'initializer "{tensor.name}": data file {data} ends before byte {offset + needed}')
