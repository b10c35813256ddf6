"""Simulated figures beside published ones: every row of published.csv, written to measured.csv.

    python tests/validation/platforms/platform_figures.py

Nothing here or in the descriptions of the SoCs is adjusted to come closer: the ratios are what they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import soc_sim
from soc_sim.observe.result import Result
from soc_sim.units import PS_PER_S

FOLDER = Path(__file__).parent
PUBLISHED = list(csv.DictReader((FOLDER / "published.csv").read_text().splitlines()))
MEASURED = FOLDER / "measured.csv"


def measure(row: Mapping[str, str]) -> float:
    """The simulated counterpart of a published figure, in its unit."""
    result, batch = simulate(row["soc"], row["network"], int(row["batch"])), int(row["batch"])
    match row["quantity"], row["layers"]:
        case "cycles", _:
            return result.latency_s * soc_sim.load_soc(row["soc"]).array.clock_hz
        case "sram_read", _:
            return float(result.dram["read_bytes"])
        case "sram_write", _:
            return float(result.dram["write_bytes"])
        case "flash_read", _:
            return float(result.weight_memory["read_bytes"])
        case "rate", "Conv":
            layers = [layer for layer in result.layers if layer.op == "Conv"]
            time_ps = sum(sum(layer.array_time_ps.values()) for layer in layers)
            return sum(layer.macs for layer in layers) * PS_PER_S / time_ps
        case _:
            return batch / result.latency_s


@cache
def simulate(soc: str, network: str, batch: int) -> Result:
    """One run; descriptions that do not ship lie beside this file."""
    description = soc_sim.load_soc(FOLDER / soc if soc.endswith(".yaml") else soc)
    return soc_sim.simulate(description, soc_sim.load_network(network, batch))


def rows() -> Iterator[dict[str, str]]:
    """The table: published rows with what was measured and the ratio."""
    for row in PUBLISHED:
        measured = measure(row)
        short = {key: row[key] for key in ("platform", "network", "batch", "quantity", "unit", "published")}
        yield short | {"measured": f"{measured:.4g}", "ratio": f"{measured / float(row['published']):.2f}"}


def main() -> None:
    """Write the table and print it."""
    table = list(rows())
    with MEASURED.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(MEASURED.read_text(), end="")


if __name__ == "__main__":
    main()
