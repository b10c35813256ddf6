"""The graph as a graph: names, who produces what, order. Nothing here looks at shapes or operator types."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from onnx import AttributeProto, GraphProto, NodeProto

from soc_sim.network.onnx_import.faults import Faults, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator


def run_time_inputs(graph: GraphProto) -> list[str]:
    """Names of the inputs that are not weights: before IR version 4 every initializer is listed as an input, too."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value.name for value in graph.input if value.name not in stored]


def ordered_nodes(graph: GraphProto, faults: Faults) -> list[NodeProto]:
    """Names every node uniquely and returns all in topological order (the file's order where that is one).

    Unnamed nodes are called type_index, for example ``Conv_3``.

    Raises:
        NetworkError: no operators or outputs, a name written twice or by nobody, a cycle.
    """
    if not graph.node:
        faults.add("the graph has no operators")
    if not graph.output:
        faults.add("the graph has no outputs")
    _name_nodes(graph)
    writers = _writers(graph, faults)
    for node in graph.node:
        for name in _reads(node):
            if name not in writers:
                faults.add(f'input "{name}" is produced by no node{did_you_mean(name, writers)}', node)
    for value in graph.output:
        if value.name not in writers:
            faults.add(f'output "{value.name}" is produced by no node{did_you_mean(value.name, writers)}')
    faults.check()
    nodes = {node.name: node for node in graph.node}
    sorter = TopologicalSorter(
        {node.name: [writers[name].name for name in _reads(node) if writers[name]] for node in graph.node}  # type: ignore[union-attr]
    )
    try:
        order = list(sorter.static_order())
    except CycleError as error:
        faults.add("the graph has a cycle: " + " → ".join(f'"{name}"' for name in error.args[1]))
        faults.check()
    if _in_order(graph):
        return list(graph.node)
    return [nodes[name] for name in order]


def _name_nodes(graph: GraphProto) -> None:
    taken: set[str] = set()
    for index, node in enumerate(graph.node):
        base = name = node.name or f"{node.op_type}_{index}"
        while name in taken:
            name = f"{base}_{index}" if name == base else name + "_"
        taken.add(name)
        node.name = name


def _writers(graph: GraphProto, faults: Faults) -> dict[str, NodeProto | None]:
    """Tensor → the node that writes it; None for inputs and initializers."""
    writers: dict[str, NodeProto | None] = {}
    for kind, names in (("input", run_time_inputs(graph)), ("initializer", [t.name for t in graph.initializer])):
        for name in names:
            if name in writers:
                faults.add(f'tensor "{name}" is defined twice: {kind} of the same name')
            writers[name] = None
    for node in graph.node:
        for name in filter(None, node.output):
            if name in writers:
                other = writers[name]
                by = f'node "{other.name}"' if other is not None else "an input or initializer"
                faults.add(f'output "{name}" is already defined by {by}', node)
            writers[name] = node
    return writers


def _reads(node: NodeProto) -> Iterator[str]:
    """Names a node needs from outside, those that its sub-graphs capture included."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            inner = attribute.g
            own = {value.name for value in (*inner.input, *inner.initializer)} | {
                o for n in inner.node for o in n.output
            }
            read = {name for inner_node in inner.node for name in _reads(inner_node)} | {v.name for v in inner.output}
            yield from sorted(read - own)


def _in_order(graph: GraphProto) -> bool:
    later = {name for node in graph.node for name in node.output if name}
    for node in graph.node:
        if any(name in later for name in _reads(node)):
            return False
        later.difference_update(node.output)
    return True
