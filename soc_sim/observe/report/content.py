"""What the page shows of a run: the document without what other files hold, and figures derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import yaml

from soc_sim.observe.columns import Document
from soc_sim.observe.figures.causes import CAUSES
from soc_sim.observe.figures.pack import LAYERS_TRACK, pack
from soc_sim.observe.figures.palette import subject
from soc_sim.observe.figures.roofline import roofline
from soc_sim.observe.flat import flatten
from soc_sim.observe.report.areas import areas
from soc_sim.observe.report.sources import StoredRun
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.observe.wording import percent, si
from soc_sim.units import PS_PER_S

_ELSEWHERE = ("config", "warnings")
_HOW_TO_MOVE = (
    "Drag to move, hold Ctrl and turn the wheel to zoom, drag with Shift or in the overview to choose a part; with the "
    "timeline focused: ← → + − 0. Where slices are narrower than a pixel, height is the share of time."
)
_NOT_RECORDED = (
    "Only the layers are shown: what the components did was not recorded. `soc-sim run … --out DIR --report` records "
    "it, and so does `soc-sim report … --record`."
)


def data_of(runs: Sequence[StoredRun]) -> dict[str, Any]:
    """The data of the page's charts, as plain values."""
    packed = [run.timeline or pack_layers(run.document) for run in runs]
    return {
        "causes": {cause: {"label": label, "text": text} for cause, (label, text) in CAUSES.items()},
        "subjects": {name: subject(name) for name in sorted(_names(runs))},
        "differences": differences([run.document for run in runs]),
        "runs": [_run(run, timeline) for run, timeline in zip(runs, packed, strict=True)],
    }


def pack_layers(document: Document) -> dict[str, Any]:
    """The timeline that the document has: each layer from its first load to its last store."""
    timeline = Timeline()
    recorder = TraceRecorder(timeline)
    track = recorder.track(LAYERS_TRACK, "layers")
    recorder.begin([layer["name"] for layer in document["layers"]])
    for index, layer in enumerate(document["layers"]):
        start_ps, end_ps = (round(layer[key] * PS_PER_S) for key in ("start_s", "end_s"))
        if track is not None:
            track.slice(layer["name"], start_ps, end_ps, index)
    recorder.end(document["latency_ps"])
    return pack(timeline)


def differences(documents: Sequence[Document]) -> list[tuple[str, list[str | None]]]:
    """Settings in which the resolved configurations differ, with the value of each run; None where it has none."""
    flat = [{".".join(path): value for path, value in flatten(document["config"])} for document in documents]
    paths = dict.fromkeys(path for settings in flat for path in settings)
    values = {path: [settings.get(path) for settings in flat] for path in paths}
    return [
        (
            path,
            [
                None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
                for value in found
            ],
        )
        for path, found in values.items()
        if any(value != found[0] for value in found)
    ]


def tiles(document: Document) -> list[dict[str, str]]:
    """The headline figures: label, value, unit, and a remark."""
    latency_s, energy_j, dram = document["latency_s"], document.get("energy_j"), document.get("dram") or {}
    found = [_tile("Latency", si(latency_s, "s"), _steady(document))]
    if latency_s:
        rate = 1 / latency_s
        found.append(
            _tile("Throughput", f"{rate:,.0f} /s" if rate >= 1000 else f"{rate:.4g} /s",
                  si(2 * document["macs_executed"] / latency_s, "OP/s executed"))
        )  # fmt: skip
    found += _pipeline(document)
    found.append(_tile("Utilisation", f"{percent(document['utilisation'], 1)} %", "of the MACs the PEs could execute"))
    found.append(_energy(document, energy_j))
    if dram:
        peak = dram.get("peak_bytes_per_s")
        share = f", {percent(dram['bandwidth_bytes_per_s'], peak)} % of peak" if peak else ""
        found.append(
            _tile("DRAM traffic", si(dram["read_bytes"] + dram["write_bytes"], "B"),
                  f"{si(dram['bandwidth_bytes_per_s'], 'B/s')}{share}")
        )  # fmt: skip
    area = document.get("area_mm2")
    if area is not None:
        found.append(_tile("Area", f"{area:.4g} mm²", "of the parts that are modelled"))
    return found


def _pipeline(document: Document) -> list[dict[str, str]]:
    """The pace of a pipeline of layers: as measured over several inferences, else as expected."""
    pipeline = document.get("pipeline")
    if pipeline is None:
        return []
    number = f"{len(pipeline['stages'])} stages"
    if pipeline["interval_s"] is not None:
        more = f"{pipeline['throughput_per_s']:,.0f} a second, {number}"
        return [_tile("Interval", si(pipeline["interval_s"], "s"), more)]
    expected_s = pipeline["expected_interval_s"]
    return [] if expected_s is None else [_tile("Interval", si(expected_s, "s"), f"expected, {number}")]


def stages(document: Document) -> list[dict[str, str]]:
    """The stages of a pipeline of layers, as a table shows them."""

    def part(value: float | None) -> str:
        return "" if value is None else f"{percent(value, 1)} %"

    return [
        {
            "core": str(stage["core"]),
            "layers": " – ".join(dict.fromkeys((stage["first_layer"], stage["last_layer"]))),
            "latency": si(stage["expected_latency_s"], "s"),
            "busy": part(stage["occupancy"]),
            "utilisation": part(stage["utilisation"]),
        }
        for stage in (document.get("pipeline") or {"stages": []})["stages"]
    ]


def _steady(document: Document) -> str:
    steady_s = document.get("steady_latency_s")
    return "one inference, cold" if steady_s is None else f"cold; {si(steady_s, 's')} in a row"


def _energy(document: Document, energy_j: float | None) -> dict[str, str]:
    if energy_j is None:
        known = sum(joules for joules in (document.get("energy") or {}).values() if joules is not None)
        return _tile("Energy", "unknown", f"{si(known, 'J')} of it known" if known else "no part is known")
    remarks = [f"{si(energy_j / document['latency_s'], 'W')} on average"] if document["latency_s"] else []
    if (power := document.get("power")) is not None:
        remarks.append(f"at most {si(power['peak_w'], 'W')} over {si(power['window_s'], 's')}")
    remarks += [f"{2e-12 * document['macs'] / energy_j:.3g} TOPS/W"] if energy_j else []
    return _tile("Energy", si(energy_j, "J"), ", ".join(remarks))


def _tile(label: str, figure: str, more: str) -> dict[str, str]:
    value, _, unit = figure.partition(" ")
    return {"label": label, "value": value, "unit": unit, "more": more}


def facts(document: Document) -> list[str]:
    """What identifies the run, in short."""
    soc = document["config"].get("soc") or {}
    array = soc.get("array") or {}
    cores = soc.get("cores", 1)
    found = [f"{len(document['layers'])} layers", si(document["macs"], "MAC")]
    if "rows" in array:
        several = f"{cores} cores of " if cores > 1 else ""
        found.append(f"{several}{array['rows']}×{array['cols']} PEs at {array.get('clock', 'an unknown clock')}")
    memory = soc.get("dram") or {}
    found.append(str(memory.get("name") or memory.get("kind") or "memory"))
    return [*found, f"soc_sim {document.get('version', '')}"]


def configuration(document: Document) -> str:
    """The resolved configuration as YAML."""
    return yaml.safe_dump(document["config"], sort_keys=False, allow_unicode=True)


def _run(run: StoredRun, packed: dict[str, Any]) -> dict[str, Any]:
    roof = roofline(run.document)
    return {
        "label": run.label,
        "document": {key: value for key, value in run.document.items() if key not in _ELSEWHERE},
        "roofline": asdict(roof),
        "timeline": {**packed, "tracks": [_coloured(track) for track in packed["tracks"]]},
        "timeline_hint": _HOW_TO_MOVE if run.timeline else f"{_NOT_RECORDED} {_HOW_TO_MOVE}",
        "areas": areas(run.document, packed),
    }


def _coloured(track: dict[str, Any]) -> dict[str, Any]:
    """With the subject of each kind of slice; where its name tells nothing, that of the track."""
    found = (subject(kind) for kind in track["kinds"])
    return {**track, "subjects": [subject(track["track"]) if name == "other" else name for name in found]}


def _names(runs: Sequence[StoredRun]) -> set[str]:
    """All names that get a colour."""
    names = {"dram", "outputs", "weight_memory", "other"}
    for run in runs:
        names |= set(run.document.get("component_time_s") or {})
        names |= {*CAUSES, *run.document["array_time_s"], *(run.document.get("energy") or {})}
        for layer in run.document["layers"]:
            names |= {*layer["stall_s"], *(layer.get("component_energy_j") or {})}
        names |= set((run.document.get("memory") or {}).get("buffer_peak_bytes") or {})
    return names
