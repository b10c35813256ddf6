"""Layers before anything is chosen for them: what an array layer computes, and what every layer reads and writes."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Protocol

from soc_sim.compiler.host import HostWork
from soc_sim.compiler.memory_plan import Lifetime
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.sparse_layer import SparseLayer
from soc_sim.compiler.views import View
from soc_sim.config.array import Flow


@dataclass(frozen=True, slots=True)
class Lowered:
    """An array layer."""

    name: str
    nest: Nest
    operands: Operands
    flows: tuple[Flow, ...]
    """Dataflows it may use."""
    zeros: SparseLayer | None
    """Where weights are left out; None where none are."""
    sparsity: float | None
    """Share of zeros among its weights; None for a product of two activations."""
    by_rows: bool = False
    """Whether the host reads its results or writes its inputs in bands of rows."""


Work = HostWork | Lowered


class HasOperands(Protocol):
    """A layer on the array, before or after its tiles are chosen."""

    @property
    def operands(self) -> Operands: ...  # noqa: D102


def reads(work: HostWork | HasOperands) -> tuple[View, ...]:
    """Tensors that a layer reads from memory; packed weights are not among them."""
    if isinstance(work, HostWork):
        return work.reads
    operands = work.operands
    return (operands.x, *operands.residuals, *((operands.w,) if operands.w else ()))


def writes(work: HostWork | HasOperands) -> tuple[View, ...]:
    """Tensors that a layer writes."""
    return work.writes if isinstance(work, HostWork) else (work.operands.o,)


def beside_host(works: list[Work], banded: Container[int]) -> list[Work]:
    """The same layers; those know it that share a tensor with a host layer which runs in bands (``banded``)."""
    on_host = {
        view.root
        for index, work in enumerate(works)
        if isinstance(work, HostWork) and index in banded
        for view in (*work.reads, *work.writes)
    }
    return [
        replace(work, by_rows=any(view.root in on_host for view in (*reads(work), *writes(work))))
        if isinstance(work, Lowered)
        else work
        for work in works
    ]


@dataclass(frozen=True, slots=True)
class Uses:
    """Who uses a storage, and for how long."""

    writers: tuple[int, ...]
    readers: tuple[int, ...]
    life: Lifetime

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers that touch it."""
        return tuple(sorted({*self.writers, *self.readers}))


def uses_of(
    works: list[Work], storages: dict[str, int], inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> dict[str, Uses]:
    """Storage → its uses; ``inputs`` and ``outputs``: storages that live before the first layer, or after the last."""
    writers: dict[str, list[int]] = {root: [] for root in storages}
    readers: dict[str, list[int]] = {root: [] for root in storages}
    for index, work in enumerate(works):
        for found, views in ((writers, writes(work)), (readers, reads(work))):
            for view in views:
                if view.root in found and index not in found[view.root]:
                    found[view.root].append(index)
    uses = {}
    for root in storages:
        first = -1 if root in inputs else min(writers[root], default=0)
        last = max((*writers[root], *readers[root], first))
        life = Lifetime(first, len(works) - 1 if root in outputs else last)
        uses[root] = Uses(tuple(writers[root]), tuple(readers[root]), life)
    return uses
