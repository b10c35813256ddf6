"""Colours can be told from their background, and causes from each other."""

from __future__ import annotations

import itertools

import pytest

from soc_sim.kernel import CAUSES
from soc_sim.observe.figures import causes
from soc_sim.observe.figures.palette import BACKGROUND, PALETTE, subject


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_standard_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


@pytest.mark.parametrize("name", PALETTE)
def test_colours_contrast_with_both_backgrounds(name: str) -> None:
    """Success criterion 1.4.11: 3:1 for what is needed to understand graphics."""
    assert contrast(PALETTE[name].light, BACKGROUND.light) >= 3
    assert contrast(PALETTE[name].dark, BACKGROUND.dark) >= 3


def test_causes_have_colours_of_their_own_and_words() -> None:
    subjects = [subject(cause) for cause in CAUSES]
    assert "other" not in subjects
    for one, other in itertools.combinations(subjects, 2):
        assert PALETTE[one] != PALETTE[other]
    assert set(causes.CAUSES) == set(CAUSES)
