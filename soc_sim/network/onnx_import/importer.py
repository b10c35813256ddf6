"""The steps of an import, in order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onnx import GraphProto, TypeProto, helper

from soc_sim.network.base import Network, Tensor
from soc_sim.network.onnx_import.constants import Constants
from soc_sim.network.onnx_import.convert import Converter
from soc_sim.network.onnx_import.faults import Faults
from soc_sim.network.onnx_import.inputs import fix_inputs
from soc_sim.network.onnx_import.legacy import UNIFORM_OPSET
from soc_sim.network.onnx_import.lifted import keep_lifted
from soc_sim.network.onnx_import.reading import opset, read
from soc_sim.network.onnx_import.shapes import Walk
from soc_sim.network.onnx_import.structure import ordered_nodes
from soc_sim.network.quantised import simplify


def import_network(path: Path, input_shapes: Mapping[str, tuple[int, ...]], allow_unknown: bool) -> Network:
    """See :func:`soc_sim.network.onnx_import.load`."""
    model, faults = read(path), Faults(path)
    graph, version = model.graph, opset(model)
    nodes = ordered_nodes(graph, faults)
    shapes = fix_inputs(graph, input_shapes, faults)
    constants = Constants(path, max(version, UNIFORM_OPSET), graph.initializer)
    stated = {value.name: value.type for value in (*graph.value_info, *graph.output)}
    analysis = Walk(constants, version, stated, allow_unknown, faults).run(nodes, _known(graph, shapes))

    outputs = tuple(dict.fromkeys(value.name for value in graph.output))
    converter = Converter(analysis, version, faults)
    for name in shapes:
        converter.mention(name)
    converter.run(outputs)
    if not converter.operators and not faults.lines:
        faults.add("every operator has constant inputs: nothing is left to run")
    faults.check()
    tensors: dict[str, Tensor] = converter.tensors
    network = Network(
        name=path.stem,
        operators=tuple(converter.operators),
        tensors=tensors,
        inputs=tuple(shapes),
        outputs=outputs,
        warnings=tuple(analysis.warnings),
        source=str(path),
    )
    return simplify(keep_lifted(network))


def _known(graph: GraphProto, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, TypeProto]:
    """Types of what the nodes start from."""
    known = {t.name: helper.make_tensor_type_proto(t.data_type, t.dims) for t in graph.initializer}
    for value in graph.input:
        if value.name in shapes:
            known[value.name] = helper.make_tensor_type_proto(value.type.tensor_type.elem_type, shapes[value.name])
    return known
