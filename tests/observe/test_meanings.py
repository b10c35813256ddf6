"""Every description of a statistic is one line that the grammar of stats.txt allows."""

from __future__ import annotations

from soc_sim.kernel import CAUSES
from soc_sim.observe.flat import UNITS, split_unit
from soc_sim.observe.meanings import MEANINGS


def test_descriptions_are_single_lines() -> None:
    assert all(text and text.isprintable() and "#" not in text for text in MEANINGS.values())


def test_no_unit_hides_a_longer_one() -> None:
    """``_bytes_per_s`` is not taken for seconds, whatever the order of the table becomes."""
    assert all(split_unit(f"x_{suffix}") == ("x", suffix) for suffix in UNITS)


def test_every_cause_has_a_column() -> None:
    """Causes of the array's time and columns of the table stay complete."""
    from soc_sim.observe import columns

    named = {"busy", "wait_weights", "wait_inputs", "wait_outputs", "wait_host"}
    assert named | set(columns._OTHER) == set(CAUSES)
