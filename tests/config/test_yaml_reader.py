"""YAML is read without silent changes, and every value knows its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.config.marks import Mark
from soc_sim.config.yaml_reader import parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # Where PyYAML (YAML 1.1) reads something else.
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("12:30", "12:30"), ("1:30:00.5", "1:30:00.5"),
        ("010", "010"), ("0b11", "0b11"), ("0x10", "0x10"), ("1_000", "1_000"), ("2020-01-01", "2020-01-01"),
        ("1e9", 10**9), ("1E3", 1000), ("1e-3", 0.001), ("=", "="),
        # Where both agree.
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None), ("12", 12), ("-7", -7), ("+3", 3),
        ("1.5", 1.5), (".5", 0.5), ("2.", 2.0), ("1000.0", 1000.0), ("0", 0), ("'12'", "12"), ("256 KiB", "256 KiB"),
        ("!!str 5", "5"), ("!!float 5", 5.0),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    read_value = parse(text, "x").value
    assert read_value == value
    assert type(read_value) is type(value)


def test_values_and_keys_know_line_and_column() -> None:
    root = parse("a:\n  - b: 1\n    c: [2, 3]\n", "x.yaml")
    way = root.follow(("a", 0, "c", 1))
    assert [node.mark for node in way] == [Mark("x.yaml", line, column) for line, column in
                                           ((1, 1), (2, 3), (2, 5), (3, 8), (3, 12))]  # fmt: skip
    assert way[3].key_mark == Mark("x.yaml", 3, 5)


def test_keys_are_always_text() -> None:
    """A layer may be called 0 or no."""
    assert parse("{0: a, no: b, 1e3: c, true: d, null: e}", "x").plain == {
        "0": "a", "no": "b", "1e3": "c", "true": "d", "null": "e",
    }  # fmt: skip


def test_anchors_and_merge_keys_work() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 5}, *a]}\nd: *a\n"
    assert parse(text, "x").plain == {
        "a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 5, "y": 2}, "d": {"x": 1, "y": 2},
    }  # fmt: skip


def test_the_first_of_two_equal_keys_counts_and_the_second_is_a_fault() -> None:
    root = parse("a: 1\nb: 2\na: 3\n", "x")
    assert root.plain == {"a": 1, "b": 2}
    assert [str(fault) for fault in root.all_faults()] == ["x:3: a: the key is given twice (first on line 1)"]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("kind: run\n".encode("utf-8-sig"))
    assert read(tmp_path / "x.yaml", "x").plain == {"kind": "run"}


@given(st.text(max_size=60))
def test_any_text_gives_nodes_or_one_line_faults(text: str) -> None:
    root = parse(text, "x")
    for fault in root.all_faults():
        assert str(fault).startswith("x:")
        assert "\n" not in str(fault)
    assert not root.broken or list(root.all_faults())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(codec="ascii"), max_size=8),
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text("abcXYZ_", min_size=1), parts, max_size=3),
    )
)
def test_what_another_writer_quotes_properly_reads_as_it_was(value: object) -> None:
    assert parse(yaml.safe_dump(value, default_style='"' if isinstance(value, str) else None), "x").plain == value or (
        "e" in str(value).lower()  # 1e5 is text for that writer, which leaves it unquoted
    )
