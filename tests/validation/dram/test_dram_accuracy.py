"""Time, latency, activates and energy against DRAMsim3 and Ramulator 2.1 (``dram_accuracy.py`` runs all rows)."""

from __future__ import annotations

import pytest
from dram_accuracy import ROWS, Outcome, evaluate, table

SHORT = (
    "c_stride_4K",
    "c_stride_rowxbanks",
    "d_rand_mix_1w3",
    "h_seq_out1",
    "h_seq_out8",
    "h_rand_out4",
    "h_rand_200ns",
)
POLICY = ("f_tile_w64_p2K", "f_tile_w64_p8K", "f_tile_w128_p8K")
"""Where the order of service decides."""


def rows(memories: str, patterns: tuple[str, ...], *, limited: bool = True) -> list[dict[str, str]]:
    return [
        row
        for row in ROWS
        if row["memory"].startswith(memories)
        and row["pattern"] in patterns
        and (row["max_outstanding"] != "0" or not limited)
    ]


@pytest.mark.parametrize("memory", ["ddr3", "ddr4_2400", "lpddr3", "lpddr4"])
def test_time_latency_and_activates_lie_among_those_of_the_simulators(memory: str) -> None:
    for row in rows(memory, (*SHORT, *POLICY)):
        outcome = evaluate(row)
        assert outcome.accepted, outcome
        assert outcome.latency_accepted, outcome
        assert outcome.activates_accepted, outcome


def test_saturated_queues_lie_among_the_simulators() -> None:
    outcomes = [evaluate(row) for row in rows("lpddr4", POLICY, limited=False)]
    assert all(outcome.accepted for outcome in outcomes)


def test_energy_equals_that_of_dramsim3_where_the_commands_do() -> None:
    known = [outcome.energy_deviation for row in rows("ddr", SHORT) if (outcome := evaluate(row)).energy_deviation]
    assert len(known) >= 5
    assert max(map(abs, known)) <= 0.02


ORDER = (
    "c_stride_4K",
    "f_tile_w128_p8K",
    "g_burst16K_rw_5us",
    "h_seq_out8",
    "h_rand_out1",
    "h_rand_200ns",
    "i_rwblock_256",
)
"""Conflicts, writes drained, pauses, refreshes, few reads outstanding."""


@pytest.mark.parametrize("memory", ["hbm2", "ddr4_2400", "ddr3", "lpddr3", "lpddr4"])
def test_bank_queues_in_turn_equal_dramsim3_cycle_for_cycle(memory: str) -> None:
    """No tolerance: DRAMsim3's own order of commands; its other memories show that it is not made for one."""
    found = [row for row in ROWS if row["memory"].startswith(memory) and row["pattern"] in ORDER][::3]
    assert len(found) >= 4
    for row in found:
        outcome = evaluate(row, turns=True)
        assert (outcome.cycles, outcome.activates) == (int(row["dramsim3_cycles"]), int(row["dramsim3_activates"]))
        assert outcome.latency_ns == pytest.approx(float(row["dramsim3_latency_ns"] or 0), abs=0.01)


def test_the_table_counts_every_row_once() -> None:
    outcome = Outcome("x", "m", "a", False, False, True, 100, 9, 5.0, -0.01, 0.0, True, True, True, None, 1.0)
    lines = list(table([outcome, outcome]))
    assert "| 1 to 32 reads outstanding | 2 | 100.0% | 100.0% | 100.0% | 1.00% | 1.00% | 1.00% | 1.00% |" in lines
    assert "| class a | 2 | 100.0% | 100.0% | 100.0% | 1.00% | 1.00% | 1.00% | 1.00% |" in lines
