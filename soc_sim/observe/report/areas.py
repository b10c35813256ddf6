"""What the timeline shows as areas: bandwidth, power, and how full buffers are, over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soc_sim.observe.columns import Document
from soc_sim.observe.figures.palette import subject

_MEMORIES = ("dram", "system_sram", "weight_memory")


def areas(document: Document, packed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Title, text, unit, what is full height (None: the highest), and parts that are stacked.

    A part has a title and a subject, and either ``track`` and ``total`` (what is spread over the time in which the
    track was busy), ``counter`` (a packed counter), or ``edges_s`` and ``values`` (means between successive edges).
    """
    return [*_bandwidths(document), *_power(document), *_fills(document, packed)]


def _bandwidths(document: Document) -> list[dict[str, Any]]:
    return [
        _area(
            f"{memory.replace('_', ' ')} bandwidth",
            "bytes of each direction, spread over the time in which its data path was busy",
            "B/s",
            counters.get("peak_bytes_per_s"),
            [
                {
                    "track": f"interconnect.{memory}.read",
                    "title": "read",
                    "subject": subject(memory),
                    "total": counters["read_bytes"],
                },
                {
                    "track": f"interconnect.{memory}.write",
                    "title": "written",
                    "subject": "outputs",
                    "total": counters["write_bytes"],
                },
            ],
        )
        for memory in _MEMORIES
        if (counters := document.get(memory))
    ]


def _power(document: Document) -> list[dict[str, Any]]:
    """Where the document has the power of components over time."""
    power = document.get("power") or {}
    samples = power.get("samples") or {}
    components = {name: values for name, values in samples.get("components_w", {}).items() if any(values)}
    if not components:
        return []
    parts = [
        {"title": name.replace("_", " "), "subject": subject(name), "edges_s": samples["time_s"], "values": values}
        for name, values in sorted(components.items(), key=lambda item: -sum(item[1]))
    ]
    return [_area("power", "mean power of each component whose energy is known", "W", None, parts)]


def _fills(document: Document, packed: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for counter in packed.get("counters", ()):
        core, _, rest = counter["track"].partition(".")
        buffer = rest.removesuffix(".fill")
        cores = document.get("cores") or []
        number = int(core.removeprefix("core")) if core.removeprefix("core").isdecimal() else len(cores)
        known = cores[number]["buffers"].get(buffer, {}) if number < len(cores) else {}
        part = {"title": "filled", "subject": subject(buffer), "counter": counter["track"]}
        text = f"bytes that are taken in the {buffer} buffer of {core}"
        found.append(_area(f"{core} {buffer} fill", text, "B", known.get("capacity_bytes"), [part]))
    return found


def _area(title: str, text: str, unit: str, peak: float | None, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "text": text, "unit": unit, "peak": peak, "parts": parts}
