"""Host layers: what an operator that is not a GEMM reads, writes and computes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from soc_sim.compiler.fusion import Group, family
from soc_sim.compiler.layout import Layout
from soc_sim.compiler.views import View
from soc_sim.config.host import Host, OperationKind
from soc_sim.network.base import Network
from soc_sim.network.operators import elementary

_FIRST_INPUT_ONLY = frozenset(
    (
        "Slice", "Split", "Pad", "Resize", "Upsample", "Expand", "Tile", "TopK", "Clip", "Transpose", "Reshape",
        "Flatten", "Squeeze", "Unsqueeze", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
        "ReduceL2", "CumSum",
    )
)  # fmt: skip
"""Operators whose other inputs are parameters: sizes, axes, bounds."""


@dataclass(frozen=True, slots=True)
class HostWork:
    """One pass of the host over its operands."""

    reads: tuple[View, ...]
    writes: tuple[View, ...]
    operations: tuple[tuple[OperationKind, int], ...]
    """Elementary operations by kind."""

    def cycles(self, host: Host) -> int:
        """What they take, without the start."""
        return host.operation_cycles(self.operations, self.elements)

    @property
    def elements(self) -> int:
        """Elements read and written, which a CPU loads and stores by instructions."""
        return sum(math.prod(view.shape) for view in (*self.reads, *self.writes))


def host_work(network: Network, group: Group, layout: Layout) -> HostWork:
    """What the layer moves and computes; every operand is read once."""
    head = group.head
    if head.name in layout.copies:
        copies = layout.copies[head.name]
        reads = tuple(layout.views[name] for name, _ in copies)
        moved = sum(math.prod(view.shape) for view in reads)
        return HostWork(reads, tuple(target for _, target in copies), (("move", moved),))
    inside = {operator.outputs[0] for operator in group.operators[:-1]}
    names = dict.fromkeys(
        name
        for operator in group.operators
        for name in (operator.inputs[:1] if operator.op_type in _FIRST_INPUT_ONLY else operator.inputs)
        if name and name not in inside
    )
    views = [layout.views[name] for name in names]
    writes = tuple(layout.views[name] for name in group.operators[-1].outputs if name)
    if head.op_type == "Gather":
        views[0] = _looked_up(views[0], writes[0])
    operations = Counter[OperationKind]()
    for operator in (*group.dequantisers, *group.operators):
        operations.update(elementary(network, operator))
    return HostWork(tuple(views), writes, tuple(sorted(operations.items())))


def _looked_up(table: View, result: View) -> View:
    """As many bytes of a table as are picked from it; which ones is taken to make no difference."""
    elements = min(math.prod(table.shape), math.prod(result.shape))
    return View(table.root, table.offset, (elements,), (table.element_bytes,), table.element_bytes)


def summary(groups: Sequence[Group]) -> tuple[str, ...]:
    """One line about what runs on the host, most frequent operators first."""
    counted = Counter(operator.op_type for group in groups if group.unit == "host" for operator in group.operators)
    if not counted:
        return ()
    parts = [f"{name} ×{count}" for name, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
    total = sum(counted.values())
    noun = "operator runs" if total == 1 else "operators run"
    found = [f"{total} {noun} on the host: {', '.join(parts)}"]
    products = [group.head.name for group in groups if group.unit == "host" and family(group.head) == "gemm"]
    if products:
        them = ", ".join(products[:3]) + (f" and {len(products) - 3} more" if len(products) > 3 else "")
        found.append(
            f"the array cannot run {them}: a convolution over three axes, or a product that broadcasts in part"
        )
    return tuple(found)
