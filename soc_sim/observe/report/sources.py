"""Reads results back: a file of ``run --json``, or the folder of ``run --out``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soc_sim.errors import InputError
from soc_sim.observe.columns import Document
from soc_sim.observe.figures.pack import FORMAT, pack
from soc_sim.observe.trace.copying import copy
from soc_sim.observe.trace.reading import open_trace
from soc_sim.observe.trace.timeline import Timeline

_READABLE = (".parquet", ".json", ".csv")
NEEDED = ("config", "network", "latency_s", "latency_ps", "utilisation", "array_time_s", "layers", "warnings")
NEEDED_OF_LAYER = (
    "name", "op", "m", "k", "n", "groups", "dataflow", "macs", "macs_executed", "busy_s", "stall_s", "start_s", "end_s",
    "dram_read_bytes", "dram_write_bytes",
)  # fmt: skip
"""Without these nothing is drawn; all other keys may be missing."""


@dataclass(frozen=True)
class StoredRun:
    """One result that was stored."""

    label: str
    """How a reader tells it from others."""
    document: Document
    timeline: dict[str, Any] | None = None
    """What :func:`soc_sim.observe.figures.pack.pack` made, of what was recorded."""


def read_results(paths: list[Path]) -> list[StoredRun]:
    """The results in these places, each with a label of its own.

    Raises:
        InputError: one line for each that is none.
    """
    faults: list[str] = []
    runs: list[StoredRun] = []
    for path, label in zip(paths, _labels(paths), strict=True):
        try:
            runs.append(_read(path, label))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(*faults)
    return runs


def read_document(path: Path) -> dict[str, Any]:
    """The document in a folder of ``run --out``, or in a file of any command's ``--json``.

    Raises:
        InputError: there is none.
    """
    if not path.is_dir():
        return _object(path)
    if not (path / "summary.json").is_file():
        raise InputError(f"{path}: has no summary.json; name a folder that `soc-sim run --out` wrote, or a JSON file")
    return _object(path / "summary.json")


def _read(path: Path, label: str) -> StoredRun:
    if not path.is_dir():
        return StoredRun(label, _document(path))
    document, timeline = _document(path), path / "timeline.json"
    return StoredRun(label, document, _packed(timeline) if timeline.is_file() else _dumped(path))


def _packed(path: Path) -> dict[str, Any]:
    packed = _object(path)
    if packed.get("format") != FORMAT:
        raise InputError(f"{path}: is no timeline that this version reads; remove it, or write it anew: run --report")
    return packed


def _dumped(folder: Path) -> dict[str, Any] | None:
    """The timeline of a trace that lies beside the document, as ``run --out DIR --trace FILE`` leaves it."""
    trace = next((path for suffix in _READABLE if (path := folder / f"trace{suffix}").is_file()), None)
    if trace is None:
        return None
    timeline = Timeline()
    copy(open_trace(trace), timeline)
    return pack(timeline)


def _document(path: Path) -> dict[str, Any]:
    document = read_document(path)
    missing = [key for key in NEEDED if key not in document]
    if missing:
        raise InputError(f"{path}: is no result of `soc-sim run --json`: it has no {', '.join(missing)}")
    if not isinstance(document["layers"], list):
        raise InputError(f"{path}: is no result of `soc-sim run --json`: its layers are no list")
    for number, layer in enumerate(document["layers"]):
        lacking = [key for key in NEEDED_OF_LAYER if not isinstance(layer, dict) or key not in layer]
        if lacking:
            raise InputError(f"{path}: layers[{number}] is no layer of a result: it has no {', '.join(lacking)}")
    return document


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text; name a file of `soc-sim run --json` or a folder of `--out`") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: is no JSON: {error.msg}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: is no result of `soc-sim run --json`: it is no object")
    return content


def _labels(paths: list[Path]) -> list[str]:
    """The last part of each path that tells it from the others; equal paths are numbered."""
    parts = [(*path.absolute().parts[:-1], path.stem if path.suffix == ".json" else path.name) for path in paths]
    found: list[str] = []
    for own in parts:
        length = 1
        while length < len(own) and sum(other[-length:] == own[-length:] for other in parts) > 1:
            length += 1
        distinct = "/".join(own[-length:]) if length < len(own) else own[-1]
        found.append(f"{distinct} ({found.count(distinct) + 1})" if distinct in found else distinct)
    return found
