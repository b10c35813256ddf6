"""Who made the arrays wait, and why: of the run and of each layer, and what bounds it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from soc_sim.kernel import CAUSES, Cause
from soc_sim.system import RunRecord
from soc_sim.units import PS_PER_S

Wait = tuple[Cause, str, str]
"""Cause, component, reason."""


class Stalls:
    """Waits and work of all cores, added up once."""

    def __init__(self, record: RunRecord) -> None:
        self._cores = len(record.cores)
        self._layers: dict[int, Counter[Wait]] = {}
        self._busy: Counter[int] = Counter()
        for index, core in enumerate(record.cores):
            for (layer, cause, reason), span_ps in core.reasons_ps.items():
                wait = (cause, _role(reason.component, index), reason.reason)
                self._layers.setdefault(layer, Counter())[wait] += span_ps
            for (layer, cause), span_ps in core.array_ps.items():
                if cause == "busy":
                    self._busy[layer] += span_ps

    def of_run(self) -> dict[str, dict[str, dict[str, float]]]:
        """Cause → component → reason → seconds, mean over cores, of all layers together."""
        return self._by_cause(self._total())

    def of_layer(self, layer: int) -> dict[str, dict[str, dict[str, float]]]:
        """The same of one layer."""
        return self._by_cause(self._layers.get(layer, Counter()))

    def bound_of_run(self) -> dict[str, Any] | None:
        """What takes the largest part of the arrays' time: component, reason and its share."""
        return _largest(self._busy.total(), self._total())

    def bound_of_layer(self, layer: int) -> dict[str, Any] | None:
        """What takes the largest part of the time that belongs to the layer; None where no time does."""
        return _largest(self._busy[layer], self._layers.get(layer, Counter()))

    def _total(self) -> Counter[Wait]:
        total = Counter[Wait]()
        for waits in self._layers.values():
            total.update(waits)
        return total

    def _by_cause(self, waits: Counter[Wait]) -> dict[str, dict[str, dict[str, float]]]:
        spans_s: dict[str, dict[str, dict[str, float]]] = {}
        for (cause, component, reason), span_ps in sorted(
            waits.items(), key=lambda item: (CAUSES.index(item[0][0]), -item[1], item[0])
        ):
            spans_s.setdefault(cause, {}).setdefault(component, {})[reason] = span_ps / PS_PER_S / self._cores
        return spans_s


def _role(component: str, core: int) -> str:
    """The name without that of its core: the document tells means over cores."""
    return component.removeprefix(f"core{core}.")


def _largest(busy_ps: int, waits: Counter[Wait]) -> dict[str, Any] | None:
    spans_ps = Counter({("array", "busy"): busy_ps})
    for (_, component, reason), span_ps in waits.items():
        spans_ps[component, reason] += span_ps
    (component, reason), span_ps = max(spans_ps.items(), key=lambda item: item[1])
    return {"component": component, "reason": reason, "share": span_ps / spans_ps.total()} if span_ps else None
