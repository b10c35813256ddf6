"""Every network of the zoo on every SoC: the full cross, with its table in cross.csv beside this file.

    python tests/reference_runs/cross.py [--fresh]

Rows that are there already are kept, so an interrupted run goes on where it stopped; ``--fresh`` starts over. The exit
code is 1 if something does not hold.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from evaluation import SOCS, Evaluation, evaluate

from soc_sim.errors import MappingError
from soc_sim.network import zoo
from soc_sim.observe.statistics import statistics

TABLE = Path(__file__).with_name("cross.csv")
COLUMNS = (
    "soc", "network", "latency_ms", "utilisation", "busy", "dram_mb", "energy_mj", "events", "estimate", "lower",
    "upper",
    "faster_memory", "later_memory", "more_ports", "larger_buffers", "ideal_memory", "verdict",
)  # fmt: skip


def row(soc: str, network: str, outcome: Evaluation | MappingError) -> dict[str, str]:
    """One line of the table: the run, its bounds and variants relative to it, and what does not hold."""
    if isinstance(outcome, MappingError):
        return {"soc": soc, "network": network, "verdict": f"does not fit: {outcome}"}
    document = statistics(outcome.record, config={})
    ratios = {name: f"{getattr(outcome, name):.4f}" for name in COLUMNS if hasattr(outcome, name)}
    dram = document["dram"]
    energy_j = document["energy_j"]
    return ratios | {
        "soc": soc,
        "network": network,
        "latency_ms": f"{1e3 * document['latency_s']:.4f}",
        "utilisation": f"{document['utilisation']:.4f}",
        "busy": f"{document['array_time_s']['busy'] / document['latency_s']:.4f}",
        "dram_mb": f"{(dram['read_bytes'] + dram['write_bytes']) / 1e6:.3f}",
        "energy_mj": "unknown" if energy_j is None else f"{1e3 * energy_j:.4f}",
        "events": str(outcome.record.events),
        "verdict": "; ".join(outcome.faults()) or "ok",
    }


def main() -> int:
    """Fill the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="forget the rows that are there")
    rows: list[dict[str, str]] = []
    if TABLE.exists() and not parser.parse_args().fresh:
        with TABLE.open(newline="") as file:
            rows = list(csv.DictReader(file))
    done = {(entry["soc"], entry["network"]) for entry in rows}
    for soc in SOCS:
        for network in zoo.names():
            if (soc, network) not in done:
                rows.append(row(soc, network, evaluate(soc, network)))
                print(soc, network, rows[-1]["verdict"], flush=True)
                write(rows)
    return int(any(not entry["verdict"].startswith(("ok", "does not fit")) for entry in rows))


def write(rows: list[dict[str, str]]) -> None:
    """Replace the table by these rows."""
    partial = TABLE.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(TABLE)


if __name__ == "__main__":
    sys.exit(main())
