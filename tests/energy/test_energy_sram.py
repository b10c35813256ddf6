"""Costs of buffers between, on and beyond the points of a table."""

from __future__ import annotations

from math import sqrt

import pytest

from soc_sim.config.energy import EnergyTable, SramPoint
from soc_sim.config.loader import load
from soc_sim.energy.sram import SramCost, access

KIB = 1024
# CACTI, ITRS-LSTP, 300 K, 22 nm: memories of 64 and 128 KiB with a 128-bit port.
CACTI_64K = SramCost(8.9659, 7.6014, 0.0094327, 0.054281)
CACTI_128K = SramCost(11.846, 10.4815, 0.0188655, 0.113656)


@pytest.fixture(scope="module")
def table() -> tuple[SramPoint, ...]:
    return load("22nm", EnergyTable).sram


def test_a_point_of_the_table_is_reproduced(table: tuple[SramPoint, ...]) -> None:
    assert access(table, 64 * KIB, 128) == pytest.approx(CACTI_64K, rel=1e-4)


def test_all_points_of_the_table_are_reproduced_exactly(table: tuple[SramPoint, ...]) -> None:
    for p in table:
        assert access(table, p.capacity_bytes, p.width_bits) == pytest.approx(
            (p.read_pj, p.write_pj, p.leakage_mw, p.area_mm2), rel=1e-12
        )


def test_half_way_between_two_capacities_on_a_logarithmic_axis_is_the_geometric_mean(
    table: tuple[SramPoint, ...],
) -> None:
    between = access(table, round(64 * KIB * sqrt(2)), 128)
    assert between == pytest.approx([sqrt(a * b) for a, b in zip(CACTI_64K, CACTI_128K, strict=True)], rel=1e-4)


def test_half_way_between_two_widths_is_the_geometric_mean() -> None:
    table = [point(64, 8), point(256, 32)]
    assert access(table, 8 * KIB, 128).read_pj == pytest.approx(16)


def test_beyond_the_largest_capacity_the_last_power_law_goes_on() -> None:
    """Four times the capacity costs twice the energy inside the table, and so it does outside."""
    table = [point(64, 1, kib=8), point(64, 2, kib=32)]
    assert access(table, 128 * KIB, 64).read_pj == pytest.approx(4)
    assert access(table, 2 * KIB, 64).read_pj == pytest.approx(0.5)


def test_a_narrow_port_costs_as_much_as_the_narrowest_of_the_table(table: tuple[SramPoint, ...]) -> None:
    assert access(table, 64 * KIB, 8) == access(table, 64 * KIB, 64)


def test_a_wide_port_is_made_of_equal_banks_side_by_side(table: tuple[SramPoint, ...]) -> None:
    bank = access(table, 64 * KIB, 256)
    assert access(table, 128 * KIB, 512) == pytest.approx([2 * quantity for quantity in bank])


def test_a_quantity_that_is_zero_somewhere_is_interpolated_linearly() -> None:
    table = [point(64, 0, kib=8), point(64, 2, kib=32)]
    assert access(table, 16 * KIB, 64).read_pj == pytest.approx(1)
    assert access(table, 4 * KIB, 64).read_pj == 0


def point(width_bits: int, read_pj: float, kib: int = 8) -> SramPoint:
    return SramPoint.model_validate(
        {
            "capacity": f"{kib} KiB",
            "width_bits": width_bits,
            "read": f"{read_pj} pJ",
            "write": "1 pJ",
            "leakage": "1 uW",
            "area": "1 mm2",
        }
    )
