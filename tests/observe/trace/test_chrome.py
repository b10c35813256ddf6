"""The Chrome trace: valid JSON, whole picoseconds, lanes, arrows, and the order in which tracks are shown."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import One, record

from soc_sim.observe.trace import recorder
from soc_sim.observe.trace.formats import writing

SLICES = st.lists(
    st.builds(
        lambda track, name, start_ps, duration_ps: One(track, name, start_ps, start_ps + duration_ps),
        st.sampled_from(["core0.array", "core0.dma.weights", "dram"]),
        st.text(max_size=3),
        st.integers(0, 10**7),
        st.integers(0, 10**6),
    ),
    max_size=30,
)


def written(path: Path, slices: list[One], *samples: tuple[str, int, float], **options: Any) -> dict[str, Any]:
    with writing(path) as sink:
        record(sink, slices, samples, **options)
    return json.loads(path.read_text(), parse_float=Decimal)  # type: ignore[no-any-return]


def by_thread(trace: dict[str, Any]) -> dict[str, list[tuple[Decimal, Decimal]]]:
    """Title of each thread, in the order of viewing → starts and ends of its slices."""
    events = trace["traceEvents"]
    ranks = {event["tid"]: event["args"]["sort_index"] for event in events if event["name"] == "thread_sort_index"}
    titles = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    found: dict[str, list[tuple[Decimal, Decimal]]] = {titles[thread]: [] for thread in sorted(titles, key=ranks.get)}
    for event in events:
        if event["ph"] == "X":
            found[titles[event["tid"]]].append((event["ts"], event["ts"] + event["dur"]))
    return found


@pytest.mark.parametrize(
    ("start_ps", "end_ps", "ts", "dur"),
    [
        (0, 1, "0.000000", "0.000001"),
        (12_345_678, 12_345_679, "12.345678", "0.000001"),
        (999_999, 3_000_000, "0.999999", "2.000001"),
        # A double has 53 bits: these digits are exact only because they are never a float.
        (2**62 + 1, 2**62 + 3, "4611686018427.387905", "0.000002"),
    ],
)
def test_times_are_exact_picoseconds(tmp_path: Path, start_ps: int, end_ps: int, ts: str, dur: str) -> None:
    written(tmp_path / "t.json", [One("dram", "read", start_ps, end_ps)])
    assert f'"ts":{ts},"dur":{dur},' in (tmp_path / "t.json").read_text()


@given(slices=SLICES, rows=st.integers(1, 40))
def test_sums_per_track_are_those_recorded(
    tmp_path_factory: pytest.TempPathFactory, slices: list[One], rows: int
) -> None:
    """Lanes of a track together hold every picosecond, and those of one lane do not overlap, in however many blocks."""
    recorded: dict[str, int] = defaultdict(int)
    for one in slices:
        recorded[one.track] += one.end_ps - one.start_ps
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "BLOCK_ROWS", rows)
        threads = by_thread(written(tmp_path_factory.getbasetemp() / "sums.json", slices))
    found: dict[str, int] = defaultdict(int)
    for title, spans in threads.items():
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
        found[title.partition(" #")[0]] += sum(int((end - start) * 10**6) for start, end in spans)
    assert found == recorded


def test_concurrent_transfers_get_numbered_lanes(tmp_path: Path) -> None:
    slices = [
        One("core0.dma.weights", "load", 1_000_000, 3_000_000),
        One("core0.dma.weights", "load", 0, 2_000_000),
        One("core0.dma.weights", "load", 2_000_000, 4_000_000),
    ]
    assert by_thread(written(tmp_path / "t.json", slices)) == {
        "core0.dma.weights": [(0, 2), (2, 4)],
        "core0.dma.weights #2": [(1, 3)],
    }


def test_slices_without_duration_are_dropped_but_their_track_stays(tmp_path: Path) -> None:
    assert by_thread(written(tmp_path / "t.json", [One("core0.controller", "array", 5, 5)])) == {"core0.controller": []}


def test_tracks_come_in_the_order_of_reading(tmp_path: Path) -> None:
    """Layers, cores by number, host, interconnect, memories; layers that overlap share the track by lanes."""
    others = ("weight_memory", "dram", "interconnect.dram.read", "core10.array", "core2.array", "core2.array.stalls")
    slices = [
        *(One(track, "x", 0, 1) for track in others),
        One("layers", "conv1", 0, 2_000_000),
        One("layers", "conv2", 1_000_000, 3_000_000),
        One("layers", "nothing", 0, 0),
    ]
    threads = by_thread(written(tmp_path / "t.json", slices, tracks=["core0.array", "host"]))
    assert list(threads) == [
        "layers",
        "layers #2",
        "core0.array",
        "core2.array",
        "core2.array.stalls",
        "core10.array",
        "host",
        "interconnect.dram.read",
        "dram",
        "weight_memory",
    ]
    assert threads["layers"] == [(0, 2)]
    assert threads["layers #2"] == [(1, 3)]


def test_slices_name_their_layer_even_if_it_needs_escapes(tmp_path: Path) -> None:
    name = 'a"b\\c\n<é>'
    trace = written(tmp_path / "t.json", [One("core0.array", name, 0, 5, 0, 7)], layers=[name])
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert [(event["name"], event["args"]) for event in events] == [(name, {"layer": name, "instruction": 7})]


def test_an_arrow_leads_from_the_load_to_what_waited_for_it(tmp_path: Path) -> None:
    """It leaves every load; it arrives only where its load has been written."""
    slices = [
        One("core0.dma", "load weights", 0, 10_000_000, 0, 4),
        One("core0.array", "compute", 10_000_000, 20_000_000, 0, 5, 4),
        One("core0.array", "compute", 20_000_000, 30_000_000, 0, 6, 3),
    ]
    events = written(tmp_path / "t.json", slices)["traceEvents"]
    assert [(event["ph"], event["id"], event["ts"]) for event in events if event["ph"] in "sf"] == [
        ("s", 5, 0),
        ("f", 5, 10),
    ]


def test_counters_are_events_of_their_own(tmp_path: Path) -> None:
    samples = [("core0.weights.fill", 0, 0), ("core0.weights.fill", 2_000_000, 64), ("core0.weights.fill", 3, 64)]
    events = written(tmp_path / "t.json", [], *samples[:2])["traceEvents"]
    assert [(event["name"], event["ts"], event["args"]) for event in events if event["ph"] == "C"] == [
        ("core0.weights.fill", 0, {"byte": 0}),
        ("core0.weights.fill", 2, {"byte": 64}),
    ]


def test_a_trace_without_slices_is_still_a_document(tmp_path: Path) -> None:
    trace = written(tmp_path / "t.json", [], end_ps=123)
    assert trace["traceEvents"] == []
    assert trace["otherData"]["latency_ps"] == 123
    assert re.fullmatch(r"soc_sim \d+\.\d+.*", trace["otherData"]["generator"])


def test_the_same_slices_give_the_same_file(tmp_path: Path) -> None:
    slices = [One(f"core{index % 3}.dma", "load", index * 3 % 40, 50 + index) for index in range(50)]
    for name in ("a.json", "b.json"):
        written(tmp_path / name, slices)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
