"""Points and ceilings, worked out by hand from the document of conftest.py."""

from __future__ import annotations

from typing import Any

import pytest

from soc_sim.observe.figures.roofline import Point, roofline


def test_points_and_ceilings(document: dict[str, Any]) -> None:
    """12 000 MACs, 2.5 MB and 4 µs: 0.0048 MAC/B and 3 GMAC/s; 4 PEs at 1 GHz; ridge at 4e9 / 1e12."""
    found = roofline(document)
    assert found.points == (Point(0, pytest.approx(0.0048), pytest.approx(3e9)),)
    assert found.peak_macs_per_s == pytest.approx(4e9)
    assert found.peak_bytes_per_s == 1e12
    assert found.ridge_macs_per_byte == pytest.approx(0.004)


def test_the_weight_memory_is_traffic_too(document: dict[str, Any]) -> None:
    document["layers"][0]["weight_memory_read_bytes"] = 2_500_000
    assert roofline(document).points[0].macs_per_byte == pytest.approx(0.0024)


def test_skipped_macs_count_for_intensity_only(document: dict[str, Any]) -> None:
    """The network is the same whether zeros are skipped; what is performed is less."""
    document["layers"][0]["macs_executed"] = 6000
    (point,) = roofline(document).points
    assert (point.macs_per_byte, point.macs_per_s) == (pytest.approx(0.0048), pytest.approx(1.5e9))


def test_without_macs_there_is_no_point_and_no_ridge(document: dict[str, Any]) -> None:
    document |= {"layers": document["layers"][1:], "macs_executed": 0, "utilisation": 0.0}
    found = roofline(document)
    assert (found.points, found.peak_macs_per_s, found.ridge_macs_per_byte) == ((), None, None)
