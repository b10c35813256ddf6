"""Bars in a terminal: as many characters of a colour as the cause has a share."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from soc_sim.observe.bars import CELLS, bar, can_draw, legend
from soc_sim.observe.figures.palette import PALETTE

BUSY, WEIGHTS = PALETTE["busy"].dark, PALETTE["weights"].dark


def colours(spans_s: dict[str, float]) -> list[tuple[str, str | None, str | None]]:
    """Character, foreground and background of each cell."""
    text = bar(spans_s)
    return [
        (text.plain[span.start], *(shade.name if shade else None for shade in (span.style.color, span.style.bgcolor)))  # type: ignore[union-attr]
        for span in text.spans
    ]


def test_cells_are_shares() -> None:
    assert colours({"busy": 3.0, "wait_weights": 1.0}) == [("█", BUSY, None)] * 15 + [("█", WEIGHTS, None)] * 5


def test_half_cells_are_drawn() -> None:
    """29 of 40 halves: the fifteenth cell is divided."""
    assert colours({"busy": 29.0, "wait_weights": 11.0})[14] == ("▌", BUSY, WEIGHTS)


@pytest.mark.parametrize("spans_s", [{}, {"busy": 0.0}])
def test_no_time_is_no_bar(spans_s: dict[str, float]) -> None:
    assert bar(spans_s).plain == ""


def test_a_bar_is_always_full() -> None:
    assert len(bar({"busy": 0.1, "wait_inputs": 0.2, "idle": 0.3}).plain) == CELLS


def test_the_legend_keeps_to_the_width_and_leaves_out_what_takes_no_time() -> None:
    text = legend({"busy": 1.0, "wait_weights": 1.0, "wait_inputs": 0.0, "idle": 1.0}, 24).plain
    assert [line.rstrip() for line in text.splitlines()] == ["■ computing", "■ waits for weights", "■ idle"]
    assert "inputs" not in text


@pytest.mark.parametrize(("system", "drawn"), [("truecolor", True), ("256", True), ("standard", False), (None, False)])
def test_only_terminals_with_colours_get_bars(system: str | None, drawn: bool) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system=system, no_color=False)  # type: ignore[arg-type]
    assert can_draw(terminal) == drawn
    assert not can_draw(Console(file=io.StringIO()))
