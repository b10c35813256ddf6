"""Dense cycle counts against those of SCALE-Sim.

``scalesim_compute_cycles.csv`` holds compute cycles of SCALE-Sim 3.0.0 (PyPI ``scalesim``), one row per layer, dataflow
and square array: m output channels, k reduction, n output pixels. Its own report prints the index of the last cycle,
one less. It charges edge folds the whole grid and leaves out the drain of output-stationary folds.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from soc_sim.config.array import Array
from soc_sim.dataflow import counts

ROWS = list(csv.DictReader(Path(__file__).with_name("scalesim_compute_cycles.csv").read_text().splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "{network}-{layer}-{dataflow}-{rows}".format(**row))
def test_compute_cycles_equal_those_of_scale_sim(row: dict[str, Any]) -> None:
    array = Array.model_validate(
        {
            "rows": int(row["rows"]),
            "cols": int(row["cols"]),
            "clock": "1 GHz",
            "edge_tiles": "full",
            "os_drain": "hidden",
        }
    )
    gemm = counts(row["dataflow"], array, int(row["m"]), int(row["k"]), int(row["n"]))
    assert gemm.cycles == int(row["cycles"])
