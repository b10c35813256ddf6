"""The figures of a whole run, in words: the block under the table of layers."""

from __future__ import annotations

from typing import Final

from soc_sim.observe.columns import Document
from soc_sim.observe.wording import percent, shares, si

WARNING: Final = "warning"
"""Label of the warnings."""


def summary(document: Document) -> list[tuple[str, str]]:
    """Pairs of a label and a text, in the order of reading; warnings are the last."""
    return [
        ("network", f"{document['network']}, {len(document['layers'])} layers, {si(document['macs'], 'MAC')}"),
        ("latency", si(document["latency_s"], "s")),
        *_throughput(document),
        *(
            [("steady", f"{si(document['steady_latency_s'], 's')} an inference")]
            if "steady_latency_s" in document
            else []
        ),
        *_pipeline(document),
        ("utilisation", f"{percent(document['utilisation'], 1)} % of the MACs that the PEs could execute"),
        ("array time", _array_time(document)),
        *_memories(document),
        *_background(document),
        ("energy", f"{si(document['energy_j'], 'J')} ({shares(document['energy'] or {}, 'J')})"),
        *_range(document),
        *_power(document),
        *_domains(document),
        ("area", _area(document["area_mm2"])),
        *_fit(document),
        *((WARNING, warning) for warning in document["warnings"]),
    ]


def _throughput(document: Document) -> list[tuple[str, str]]:
    # Of a pipeline, results follow one another more quickly than one takes.
    interval_s = (document.get("pipeline") or {}).get("interval_s") or document["latency_s"]
    if not interval_s:
        return []
    inferences, macs = 1 / interval_s, document["macs_executed"] / interval_s
    digits = 0 if inferences >= 1000 else 3
    return [("throughput", f"{inferences:,.{digits}f} inferences/s, {si(macs, 'MAC/s')}")]


def _pipeline(document: Document) -> list[tuple[str, str]]:
    pipeline = document.get("pipeline")
    if pipeline is None:
        return []
    stages = f"{len(pipeline['stages'])} stages"
    if pipeline["interval_s"] is None:
        return [("pipeline", f"{stages}, expected interval {si(pipeline['expected_interval_s'], 's')}")]
    known = [stage["occupancy"] for stage in pipeline["stages"] if stage["occupancy"] is not None]
    busy = f"; arrays busy {', '.join(f'{percent(part, 1)} %' for part in known)}" if known else ""
    pace = f"{si(pipeline['interval_s'], 's')} an inference, {pipeline['throughput_per_s']:,.0f} a second"
    return [("pipeline", f"{stages}, {pace}{busy}")]


def _array_time(document: Document) -> str:
    spans = document["array_time_s"]
    total = sum(spans.values())
    ranked = sorted(spans.items(), key=lambda item: -item[1])
    return ", ".join(f"{cause} {percent(span, total)} %" for cause, span in ranked if span >= 0.0005 * total)


def _memories(document: Document) -> list[tuple[str, str]]:
    return [
        (label, _traffic(document[key]))
        for label, key in (("DRAM", "dram"), ("weight memory", "weight_memory"))
        if document.get(key) is not None
    ]


def _background(document: Document) -> list[tuple[str, str]]:
    """What other initiators moved, how long it took, and how long the network's transfers stood behind theirs."""
    initiators = document.get("initiators") or {}
    found = []
    for name, one in initiators.items():
        if "energy_j" not in one or not one["transfers"]:  # only they have energy of their own
            continue
        behind_s = sum(other["waited_s"].get(f"arbitration:{name}", 0.0) for other in initiators.values())
        latency = f"latency {si(one['latency_mean_s'], 's')}, 99 % below {si(one['latency_p99_s'], 's')}"
        moved = f"{name} {si(one['bandwidth_bytes_per_s'], 'B/s')}, {latency}"
        found.append(("background", f"{moved}; others waited {si(behind_s, 's')} for it, side by side"))
    return found


def _traffic(memory: Document) -> str:
    peak = memory.get("peak_bytes_per_s")
    of_peak = f" ({percent(memory['bandwidth_bytes_per_s'], peak)} % of peak)" if peak else ""
    rows = {name: memory[f"row_{name}"] for name in ("hits", "misses", "conflicts")}
    counted = "; rows: " + ", ".join(f"{count} {name}" for name, count in rows.items())
    return (
        f"{si(memory['read_bytes'], 'B')} read, {si(memory['write_bytes'], 'B')} written, "
        f"{si(memory['bandwidth_bytes_per_s'], 'B/s')}{of_peak}{counted if None not in rows.values() else ''}"
    )


def _range(document: Document) -> list[tuple[str, str]]:
    """Where published figures disagree."""
    span = (document.get("energy_range_j") or {}).get("total")
    if span is None or span["low"] == span["high"]:
        return []
    return [("", f"by other published figures {si(span['low'], 'J')} to {si(span['high'], 'J')}")]


def _power(document: Document) -> list[tuple[str, str]]:
    power = document.get("power")
    if not power or not power["window_s"]:
        return []
    peak = f"at most {si(power['peak_w'], 'W')} over {si(power['window_s'], 's')}"
    text = f"{si(power['average_w'], 'W')} on average, {peak}"
    return [("power", text if document["energy_j"] is not None else f"{text}, without what is unknown")]


def _domains(document: Document) -> list[tuple[str, str]]:
    """Clock domains that changed, and how long the PEs slept."""
    latency_s = document["latency_s"]
    lines = []
    for name, domain in (document.get("domains") or {}).items():
        if domain["transitions"]:
            phases = ((si(phase["clock_hz"], "Hz"), percent(phase["time_s"], latency_s)) for phase in domain["phases"])
            spans = ", ".join(f"{clock} for {share} %" for clock, share in phases)
            lines.append(("clock", f"{name}: {spans}"))
        if idle := {state: time_s for state, time_s in domain["idle_state_s"].items() if time_s}:
            shares_of = ", ".join(f"{state} {percent(time_s, latency_s)} %" for state, time_s in idle.items())
            lines.append(("idle states", f"{name}: {shares_of}"))
    return lines


def _area(area_mm2: float | None) -> str:
    return "unknown" if area_mm2 is None else f"{area_mm2:.4g} mm²"


def _fit(document: Document) -> list[tuple[str, str]]:
    fit = document.get("memory")
    if fit is None:
        return []
    capacities = fit["capacity_bytes"]
    used = [
        f"{si(size, 'B')} of {si(capacities[name], 'B') if capacities[name] else 'unlimited'} in {name}"
        for name, size in fit["used_bytes"].items()
    ]
    buffers = [f"{name} {si(size, 'B')}" for name, size in fit["buffer_peak_bytes"].items()]
    return [
        ("memory", f"the network {'fits' if fit['fits'] else 'DOES NOT FIT'}: {', '.join(used)}"),
        ("", f"weights {si(fit['weight_bytes'], 'B')}, activations at most {si(fit['peak_activation_bytes'], 'B')}"),
        ("buffers", f"filled at most: {', '.join(buffers)}"),
    ]
