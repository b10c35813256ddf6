"""The Chrome trace: valid JSON, whole picoseconds, lanes, and the order in which tracks are shown."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.compiler.program import Layer, MemoryMap, Program
from soc_sim.config.soc import Soc
from soc_sim.observe.chrome import write_chrome
from soc_sim.observe.timeline import Timeline
from soc_sim.system.record import CoreRecord, LayerRecord, RunRecord

Slices = list[tuple[str, str, int, int]]


def record(*layers: tuple[str, int, int]) -> RunRecord:
    """A run of one core whose layers have these names, starts and ends."""
    program = Program(
        network="tiny",
        layers=tuple(Layer(index, name, "Conv", (name,), "array") for index, (name, _, _) in enumerate(layers)),
        instructions=(),
        memory_map=MemoryMap((), 0, 0, {}),
    )
    return RunRecord(
        soc=cast(Soc, None),
        program=program,
        inferences=1,
        makespan_ps=max(end for _, _, end in layers),
        inference_end_ps=(),
        events=0,
        cores=(CoreRecord({}, {}, {}, 0),),
        host_ps={},
        host_operations=0,
        memories={},
        asked_bytes={},
        interconnect_bytes={},
        interconnect_busy_ps={},
        layers=tuple(LayerRecord(start, end, 0, 0) for _, start, end in layers),
    )


def written(timeline: Timeline, path: Path) -> dict[str, Any]:
    write_chrome(path, timeline, latency_ps=123)
    return json.loads(path.read_text(), parse_float=Decimal)  # type: ignore[no-any-return]


def by_thread(trace: dict[str, Any]) -> dict[str, list[tuple[Decimal, Decimal]]]:
    """Title of each thread, in the order of the file → starts and ends of its slices."""
    titles = {event["tid"]: event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"}
    found: dict[str, list[tuple[Decimal, Decimal]]] = {title: [] for title in titles.values()}
    for event in trace["traceEvents"]:
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
    timeline = Timeline()
    timeline.slice("dram", "read", start_ps, end_ps, 0)
    write_chrome(tmp_path / "t.json", timeline, latency_ps=0)
    assert f'"ts":{ts},"dur":{dur},' in (tmp_path / "t.json").read_text()


@given(
    slices=st.lists(
        st.tuples(
            st.sampled_from(["core0.array", "core0.dma.weights", "dram"]),
            st.text(max_size=3),
            st.integers(0, 10**7),
            st.integers(0, 10**6),
        ),
        max_size=30,
    )
)
def test_sums_per_track_are_those_recorded(tmp_path_factory: pytest.TempPathFactory, slices: Slices) -> None:
    """Lanes of a track together hold every picosecond, and those of one lane do not overlap."""
    timeline = Timeline()
    recorded: dict[str, int] = defaultdict(int)
    for track, name, start_ps, duration_ps in slices:
        timeline.slice(track, name, start_ps, start_ps + duration_ps, 0)
        recorded[track] += duration_ps
    threads = by_thread(written(timeline, tmp_path_factory.getbasetemp() / "sums.json"))
    found: dict[str, int] = defaultdict(int)
    for title, spans in threads.items():
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
        found[title.partition(" #")[0]] += sum(int((end - start) * 10**6) for start, end in spans)
    assert found == recorded


def test_concurrent_transfers_get_numbered_lanes(tmp_path: Path) -> None:
    timeline = Timeline()
    timeline.slice("core0.dma.weights", "load 1", 1_000_000, 3_000_000, 0)
    timeline.slice("core0.dma.weights", "load 0", 0, 2_000_000, 0)
    timeline.slice("core0.dma.weights", "load 2", 2_000_000, 4_000_000, 0)
    assert by_thread(written(timeline, tmp_path / "t.json")) == {
        "core0.dma.weights": [(0, 2), (2, 4)],
        "core0.dma.weights #2": [(1, 3)],
    }


def test_slices_without_duration_are_dropped_but_their_track_stays(tmp_path: Path) -> None:
    timeline = Timeline()
    timeline.slice("core0.controller", "array", 5, 5, 0)
    assert by_thread(written(timeline, tmp_path / "t.json")) == {"core0.controller": []}
    assert len(timeline) == 0


def test_layers_come_first_and_end_with_the_run(tmp_path: Path) -> None:
    """Layers, cores by number, host, interconnect, memories; layers that overlap share the track by lanes."""
    timeline = Timeline()
    for track in (
        "weight_memory",
        "dram",
        "interconnect.dram.read",
        "core10.array",
        "core2.array",
        "core2.array.stalls",
    ):
        timeline.slice(track, "x", 0, 1, 0)
    timeline.add_layers(record(("conv1", 0, 2_000_000), ("conv2", 1_000_000, 3_000_000), ("nothing", 0, 0)))
    threads = by_thread(written(timeline, tmp_path / "t.json"))
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
    timeline = Timeline()
    timeline.slice("core0.array", "compute 0", 0, 5, 0)
    timeline.add_layers(record((name, 0, 5)))
    events = [event for event in written(timeline, tmp_path / "t.json")["traceEvents"] if event["ph"] == "X"]
    assert {(event["name"], event["args"]["layer"]) for event in events} == {("compute 0", name), (name, name)}


def test_sort_indices_follow_the_order_of_the_file(tmp_path: Path) -> None:
    timeline = Timeline()
    for track in ("dram", "host", "core0.array", "core0.controller"):
        timeline.slice(track, "x", 0, 1, 0)
    events = written(timeline, tmp_path / "t.json")["traceEvents"]
    for kind in ("process_sort_index", "thread_sort_index"):
        indices = [event["args"]["sort_index"] for event in events if event["name"] == kind]
        assert indices == sorted(set(indices))
        assert len(indices) == {"process_sort_index": 3, "thread_sort_index": 4}[kind]


def test_a_trace_without_slices_is_still_a_document(tmp_path: Path) -> None:
    trace = written(Timeline(), tmp_path / "t.json")
    assert trace["traceEvents"] == []
    assert trace["otherData"]["latency_ps"] == 123
    assert re.fullmatch(r"soc_sim \d+\.\d+.*", trace["otherData"]["generator"])


def test_the_same_slices_give_the_same_file(tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        timeline = Timeline()
        for index in range(50):
            timeline.slice(f"core{index % 3}.dma", f"load {index}", index * 3 % 40, 50 + index, 0)
        write_chrome(tmp_path / "t.json", timeline, latency_ps=0)
        texts.append((tmp_path / "t.json").read_text())
    assert texts[0] == texts[1]
