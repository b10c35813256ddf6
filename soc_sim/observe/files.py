"""The files of a run (``--out DIR``); each appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from soc_sim.errors import InputError
from soc_sim.observe.columns import Document
from soc_sim.observe.figures.pack import pack
from soc_sim.observe.layers_csv import write_layers
from soc_sim.observe.replacing import replacing
from soc_sim.observe.report.page import write_report
from soc_sim.observe.report.sources import StoredRun
from soc_sim.observe.stats_txt import write_stats
from soc_sim.observe.trace.timeline import Timeline


def write_all(out_dir: Path, document: Document, resolved_config_yaml: str, timeline: Timeline | None = None) -> None:
    """Write config.resolved.yaml, summary.json, layers.csv, stats.txt; with a timeline timeline.json and report.html.

    Args:
        out_dir: The folder; created with its parents where it does not exist.
        document: What ``run --json`` prints.
        resolved_config_yaml: The configuration with all defaults; running it gives the same result.
        timeline: What was recorded, where a report is wanted.

    Raises:
        InputError: ``out_dir`` is a file, or something cannot be written.
        MissingExtraError: jinja2, which the report needs, is not installed.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise InputError(f"{out_dir}: is a file; name a folder for the results")
    with replacing(out_dir / "config.resolved.yaml") as file:
        file.write(resolved_config_yaml)
    with replacing(out_dir / "summary.json") as file:
        json.dump(document, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    with replacing(out_dir / "layers.csv") as file:
        write_layers(file, document)
    with replacing(out_dir / "stats.txt") as file:
        write_stats(file, document)
    if timeline is not None:
        packed = pack(timeline)
        with replacing(out_dir / "timeline.json") as file:
            json.dump(packed, file, ensure_ascii=False)
            file.write("\n")
        write_report(out_dir / "report.html", [StoredRun(out_dir.resolve().name, document, packed)])
