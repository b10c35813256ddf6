"""``soc-sim dram``: a request trace against one memory, without the rest of an SoC."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from soc_sim.components.memory.dram.replay import Replay, replay
from soc_sim.components.memory.dram.trace import read_trace
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.config.references import is_bare
from soc_sim.config.shipped import paths, root
from soc_sim.energy.counts import MemoryCounts
from soc_sim.energy.dram import parts_pj
from soc_sim.errors import InputError, suggestion
from soc_sim.units import PS_PER_S

SCHEMA = 1


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "dram",
        help="replays a request trace against one memory",
        description="Replays a request trace against one memory: time, bandwidth, latency, commands and energy.",
    )
    parser.add_argument(
        "--preset", required=True, metavar="NAME", help="a shipped DRAM (soc-sim list drams) or a YAML file"
    )
    parser.add_argument(
        "--trace",
        required=True,
        type=Path,
        metavar="REQUESTS.csv",
        help="header arrival_ps,address,size_bytes,kind; kind R or W",
    )
    parser.add_argument(
        "--mapping",
        metavar="ORDER",
        help="order of row, rank, bank, bank group and column in an address, as in robabgco or robacobg",
    )
    parser.add_argument(
        "--max-outstanding",
        type=int,
        default=0,
        metavar="N",
        help="reads of the trace whose data may be awaited at once; 0: any number",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="overrides a value of the memory's description, as in timing.nRCD=20",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: The description or the trace is wrong.
    """
    overrides = [*args.overrides, *([] if args.mapping is None else [f"mapping={args.mapping}"])]
    faults: list[str] = []
    if args.max_outstanding < 0:
        faults.append(f"--max-outstanding: {args.max_outstanding} is out of range; allowed: 0 or more")
    description = None
    if (unknown := _unknown(args.preset)) is not None:
        faults.append(unknown)
    else:
        try:
            description = load(args.preset, Dram, overrides)
        except InputError as error:
            faults += [fault.replace("--set mapping=", "--mapping ", 1) for fault in error.faults]
    try:
        requests = read_trace(args.trace, description.capacity_bytes if description else 2**63)
    except InputError as error:
        faults += error.faults
    if description is None or faults:
        raise InputError(*faults)
    report = _report(description, replay(description, requests, args.max_outstanding))
    print(json.dumps(report, indent=2) if args.json else _as_text(report))
    return 0


def _unknown(preset: str) -> str | None:
    """What is wrong with a name that is neither a shipped DRAM nor a file."""
    known = sorted(path.stem for path in (root() / "dram").glob("*.yaml"))
    if not is_bare(preset) or preset in known or Path(preset).exists():
        return None
    wrong = "is no DRAM" if preset in paths(["simple_memory"]) else "is not known"
    return (
        f"--preset: '{preset}' {wrong}; allowed: {', '.join((*known, 'the path of a file'))}{suggestion(preset, known)}"
    )


def _report(description: Dram, result: Replay) -> dict[str, Any]:
    tck_ps = description.timing.tck_ps
    elapsed_ps = result.cycles * tck_ps
    energy, warnings = _energy(description, result, elapsed_ps)
    return {
        "schema": SCHEMA,
        "version": version("soc_sim"),
        "config": description.model_dump(mode="json"),
        "cycles": result.cycles,
        "elapsed_s": elapsed_ps / PS_PER_S,
        "bytes": result.bytes,
        "bandwidth_bytes_per_s": result.bytes * PS_PER_S / elapsed_ps,
        "peak_bytes_per_s": description.peak_bytes_per_s,
        "mean_latency_s": result.read_latency_cycles / result.reads * tck_ps / PS_PER_S if result.reads else None,
        "row_hits": result.row_hits,
        "row_misses": result.row_misses,
        "row_conflicts": result.row_conflicts,
        "activates": result.activates,
        "refreshes": result.refreshes,
        "read_bursts": result.read_bursts,
        "write_bursts": result.write_bursts,
        "energy_j": None if energy is None else sum(energy.values()),
        "energy": energy,
        "warnings": warnings,
    }


def _energy(description: Dram, result: Replay, elapsed_ps: int) -> tuple[dict[str, float] | None, list[str]]:
    """Part → joules, None if unknown; and what is missing."""
    if description.currents is None:
        return None, [f"energy of memory '{description.name}' is unknown: its description has no currents"]
    missing = f"energy of memory '{description.name}' is without its interface: its description has no io_pj_per_bit"
    counts = MemoryCounts(
        read_bytes=result.bytes,
        activates=result.activates,
        read_bursts=result.read_bursts,
        write_bursts=result.write_bursts,
        refreshes=result.refreshes,
        active_ps=result.active_cycles * description.timing.tck_ps,
        active_power_down_ps=result.active_power_down_cycles * description.timing.tck_ps,
        precharged_power_down_ps=result.precharged_power_down_cycles * description.timing.tck_ps,
        self_refresh_ps=result.self_refresh_cycles * description.timing.tck_ps,
    )
    parts = parts_pj(description, description.currents, counts, elapsed_ps)
    return {name: pj * 1e-12 for name, pj in parts.items()}, [missing] if description.io_pj_per_bit is None else []


def _as_text(report: dict[str, Any]) -> str:
    shown = {key: value for key, value in report.items() if key not in ("schema", "version", "config")}
    shown |= {f"energy_j ({name})": joules for name, joules in (shown.pop("energy") or {}).items()}
    shown |= {f"warning {number}": text for number, text in enumerate(shown.pop("warnings"), start=1)}
    width = max(map(len, shown))
    return "\n".join(f"{key:{width}}  {'–' if value is None else value}" for key, value in shown.items())
