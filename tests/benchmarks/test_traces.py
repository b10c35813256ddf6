"""Limits of time and memory that traces keep: to be run by hand, because they depend on the machine."""

from __future__ import annotations

import pytest

from traces import many, resnet50


@pytest.mark.parametrize("suffix", [".json", ".pftrace", ".parquet", ".csv", ".vcd"])
def test_resnet50_traces_in_less_than_twice_the_time(suffix: str) -> None:
    resnet50("")
    assert resnet50(suffix)["cpu_s"] < 2 * resnet50("")["cpu_s"]


def test_five_million_slices_go_to_parquet_in_ten_seconds_at_flat_memory() -> None:
    row = many(".parquet", 5_000_000)
    assert row["cpu_s"] < 10
    assert row["added_mb"] < 300
