"""Quantities: what users write, in base units, and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim import units

DIMENSIONS = sorted(units.UNITS)


@given(st.sampled_from(DIMENSIONS), st.integers(0, 10**18))
def test_formatted_integers_read_back_as_the_same_value(dimension: str, value: int) -> None:
    assert units.parse(units.format_quantity(value, dimension), dimension) == value


@given(st.sampled_from(DIMENSIONS), st.floats(1e-6, 1e15))
def test_formatted_floats_read_back_as_the_same_value(dimension: str, value: float) -> None:
    assert float(units.parse(units.format_quantity(value, dimension), dimension)) == value


@given(st.sampled_from(DIMENSIONS), st.text(max_size=20))
def test_any_text_is_a_quantity_or_a_value_error(dimension: str, text: str) -> None:
    """Nothing else may be raised, whatever the number."""
    with contextlib.suppress(ValueError):
        assert units.parse(text, dimension).is_finite()


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("256 KiB", "bytes", 256 * 1024),
        ("256kB", "bytes", 256_000),
        ("1_000 B", "bytes", 1000),
        (".5 KiB", "bytes", 512),
        ("1e3 B", "bytes", 1000),
        ("12.8 GB/s", "bytes_per_s", 12_800_000_000),
        ("800 MHz", "hz", 800_000_000),
        ("13.75 ns", "ps", 13_750),
        ("1 us", "ps", 1_000_000),
        ("1 µs", "ps", 1_000_000),
    ],
)
def test_units_scale_by_their_prefix(text: str, dimension: str, value: int) -> None:
    assert units.to_integer(text, dimension) == value


@pytest.mark.parametrize(
    "text", ["", "B", "12", "12 bananas", "4 Mib", "4 Mb", "1 e3 B", "--1 B", "1e9999 B", "0x10 B"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"has no unit|is not a quantity|is not a unit here"):
        units.parse(text, "bytes")
