"""Every network of the zoo on every SoC: the full cross, with its table in cross.csv beside this file.

    python tests/reference_runs/cross.py [SOC ...]

Rows that are there already are kept, so an interrupted run goes on where it stopped; remove the table to start over.
Processes for different SoCs can share the work. The exit code is 1 if something does not hold.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
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
    parser.add_argument("socs", nargs="*", default=SOCS, metavar="SOC", help="SoCs to run (default: all)")
    for soc in parser.parse_args().socs:
        for network in zoo.names():
            if (soc, network) not in read():
                entry = row(soc, network, evaluate(soc, network))
                print(soc, network, entry["verdict"], flush=True)
                write(read() | {(soc, network): entry})
    return int(any(not entry["verdict"].startswith(("ok", "does not fit")) for entry in read().values()))


def read() -> dict[tuple[str, str], dict[str, str]]:
    """The table as it is now."""
    if not TABLE.exists():
        return {}
    with TABLE.open(newline="") as file:
        return {(entry["soc"], entry["network"]): entry for entry in csv.DictReader(file)}


def write(rows: dict[tuple[str, str], dict[str, str]]) -> None:
    """Replace the table by these rows, in the order of SoCs and networks."""
    partial = TABLE.with_suffix(f".{os.getpid()}")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in itertools.product(SOCS, zoo.names()) if key in rows)
    partial.replace(TABLE)


if __name__ == "__main__":
    sys.exit(main())
