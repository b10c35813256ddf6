"""What the grid can and cannot do in one cycle."""

from __future__ import annotations

from soc_sim.dataflow.reference.grid import PAD, PE, Grid, Link


def pass_on(_: PE, left: Link, top: Link) -> tuple[Link, Link]:
    return left, top


def test_a_word_moves_by_one_pe_per_cycle() -> None:
    grid = Grid(rows=2, cols=3)
    seen = [grid.step(pass_on, [7 if cycle == 0 else None, None], [None] * 3)[0][0] for cycle in range(4)]
    assert seen == [None, None, 7, None]


def test_words_on_inner_links_keep_the_grid_busy_until_they_leave() -> None:
    grid = Grid(rows=2, cols=1)
    grid.step(pass_on, [None, None], [5])
    assert grid.busy
    assert grid.step(pass_on, [None, None], [None])[1] == [5]
    assert not grid.busy


def test_padding_takes_no_part_in_a_sum() -> None:
    pe = PE()
    assert pe.multiply_add(PAD, 3, None) is PAD
    assert pe.multiply_add(PAD, 3, 10) == 10
    assert pe.macs == 0


def test_a_missing_addend_counts_as_zero() -> None:
    pe = PE()
    assert pe.multiply_add(2, 3, None) == 6
    assert pe.multiply_add(2, 3, 4) == 10
    assert pe.macs == 2
