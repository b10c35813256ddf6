"""What bounds a run, and what would help: each proposal is verified by simulating it.

The arrays' time is ranked by component and reason. For the largest, one setting is changed (``remedies``), the network
is compiled and simulated again, and latencies are compared, of the run and of each layer. Where DRAM transfers for
30 % of the time, a DRAM that is a fifth faster need not save 5 %: what was hidden behind it may show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from soc_sim.config.loader import load
from soc_sim.config.run import Run
from soc_sim.explore.remedies import Remedy, remedy

Document = Mapping[str, Any]

LEAST_SHARE = 0.01
"""What takes less of the time is not worth a run."""


def bottlenecks(
    run: Run, document: Document, simulate: Callable[[Run], Document], most: int = 4
) -> list[dict[str, Any]]:
    """What takes the arrays' time, and how latency changes where each is eased.

    Args:
        run: What was simulated.
        document: Its result.
        simulate: Makes a result of a run.
        most: How many changes are simulated.

    Returns:
        A list, the largest share first, of ``component``, ``reason``, ``time_s``, ``share``, ``change`` (in words; None
        where no setting helps), ``set`` (the settings), ``latency_s`` and ``latency_change`` with it, and ``layers``:
        name → relative change of the three layers whose time changes most.
    """
    plain = run.model_dump(mode="json", exclude_none=True)
    found: list[dict[str, Any]] = []
    outcomes: dict[Remedy, Document] = {}
    for (component, reason), time_s in _ranked(document):
        share = time_s / document["latency_s"]
        if share < LEAST_SHARE:
            break
        proposal = remedy(run.soc, component, reason)
        entry: dict[str, Any] = {
            "component": component,
            "reason": reason,
            "time_s": time_s,
            "share": share,
            "change": None,
            "set": [],
        }
        if proposal is not None and (proposal in outcomes or len(outcomes) < most):
            if proposal not in outcomes:
                outcomes[proposal] = simulate(load(plain, Run, proposal.settings))
            entry |= {
                "change": proposal.change,
                "set": list(proposal.settings),
                **_compare(document, outcomes[proposal]),
            }
        found.append(entry)
    return found


def _ranked(document: Document) -> list[tuple[tuple[str, str], float]]:
    spans_s: dict[tuple[str, str], float] = {("array", "busy"): document["array_time_s"]["busy"]}
    for components in document["stall_reasons_s"].values():
        for component, reasons in components.items():
            for reason, time_s in reasons.items():
                spans_s[component, reason] = spans_s.get((component, reason), 0.0) + time_s
    return sorted(spans_s.items(), key=lambda item: -item[1])


def _compare(before: Document, after: Document) -> dict[str, Any]:
    changes = {
        name: (_time_ps(after, name) - time_ps, time_ps)
        for name, time_ps in ((layer["name"], _time_ps(before, layer["name"])) for layer in before["layers"])
        if time_ps
    }
    most = sorted(changes.items(), key=lambda item: -abs(item[1][0]))[:3]
    return {
        "latency_s": after["latency_s"],
        "latency_change": after["latency_ps"] / before["latency_ps"] - 1,
        "layers": {name: change_ps / time_ps for name, (change_ps, time_ps) in most},
    }


def _time_ps(document: Document, name: str) -> int:
    """The arrays' time that belongs to a layer."""
    layer = next(layer for layer in document["layers"] if layer["name"] == name)
    return sum(int(span_ps) for span_ps in layer["array_time_ps"].values())
