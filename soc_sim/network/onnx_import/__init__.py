"""Networks from ONNX files.

:func:`load` reads a file in four steps, one module each: ``reading`` (bytes to model), ``structure`` and ``inputs``
(names, order, input dimensions), ``shapes`` (shapes of everything, folding of constants), ``convert`` (records).
Left out: control flow that depends on data, shapes that depend on data, training, transposed convolutions over three
axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from soc_sim.errors import MissingExtraError
from soc_sim.network.base import Network


def load(
    path: Path, *, input_shapes: Mapping[str, tuple[int, ...]] | None = None, allow_unknown: bool = False
) -> Network:
    """Reads a network from an ONNX file, weights on demand.

    A symbolic leading dimension of an input is the batch and becomes 1. Values of weights are read or computed when a
    tensor's ``values`` is called, wherever they hide (behind ConstantOfShape, Transpose, DequantizeLinear, ...).

    Args:
        path: the file; external data lie beside it.
        input_shapes: input name → shape, needed for symbolic dimensions other than the batch; replaces the file's.
        allow_unknown: take operators of unknown type as copies of their inputs and outputs, with a warning each.

    Raises:
        NetworkError: what is wrong with the file, one line per fault.
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx  # noqa: F401  an extra, and a tenth of a second to import
    except ImportError:
        raise MissingExtraError(
            f"{path}: reading ONNX files needs the extra onnx: pip install 'soc_sim[onnx]'"
        ) from None
    from soc_sim.network.onnx_import.importer import import_network

    return import_network(Path(path), input_shapes or {}, allow_unknown)
