"""Real consumers see in our traces what the simulator counted by itself: Perfetto, DuckDB, viewers of waveforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
import pywellen
from recorded import Traced
from trace_processor import TraceProcessor, requires_trace_processor

TRACK = "substr(name, 1, instr(name || ' #', ' #') - 1)"
"""SQL: the track of a lane's name."""


def counted_ps(traced: Traced) -> dict[str, int]:
    """Track → time, from counters that the components keep whether they are traced or not."""
    array: Counter[str] = Counter()
    for (_, cause), span_ps in traced.record.cores[0].array_ps.items():
        if cause != "idle":
            array["core0.array" if cause == "busy" else "core0.array.stalls"] += span_ps
    layers_ps = sum(layer.end_ps - layer.start_ps for layer in traced.record.layers)
    busy = {path: span_ps for path, span_ps in traced.record.interconnect_busy_ps.items() if span_ps}
    return {**array, **busy, "layers": layers_ps}


def test_the_timeline_agrees_with_the_components_counters(traced: Traced) -> None:
    busy_ps, counted = traced.timeline.busy_ps(), counted_ps(traced)
    assert len(counted) >= 5
    assert {track: busy_ps[track] for track in counted} == counted
    for name, buffer in traced.record.cores[0].buffers.items():
        fill = traced.timeline.counter(f"core0.{name}.fill").values
        assert (fill.max(), fill[-1]) == (buffer.peak_bytes, 0)


@pytest.fixture(scope="module")
def processors(traced: Traced) -> Iterator[Callable[[str], TraceProcessor]]:
    """Trace processors by the suffix of the file that they have loaded; starting one takes a second."""
    with ExitStack() as stack:
        yield cache(lambda suffix: stack.enter_context(TraceProcessor(traced.files[suffix])))


@pytest.fixture(params=[".pftrace", ".json"])
def processor(request: pytest.FixtureRequest, processors: Callable[[str], TraceProcessor]) -> TraceProcessor:
    return processors(request.param)


@requires_trace_processor
class TestPerfetto:
    """Perfetto's trace processor, on protocol buffers and on JSON."""

    def tracks(self, processor: TraceProcessor) -> str:
        """SQL: slices with the name of their lane."""
        threads = processor.rows("SELECT count(*) FROM thread_track")[0][0]
        if threads:
            return (
                "(SELECT slice.*, thread.name lane FROM slice "
                "JOIN thread_track t ON t.id = track_id JOIN thread USING (utid))"
            )
        return "(SELECT slice.*, track.name lane FROM slice JOIN track ON track.id = track_id)"

    def test_it_finds_no_error(self, processor: TraceProcessor) -> None:
        assert processor.rows("SELECT name, value FROM stats WHERE severity != 'info' AND value > 0") == []

    def test_it_counts_the_slices_of_every_track(self, processor: TraceProcessor, traced: Traced) -> None:
        query = f"SELECT {TRACK.replace('name', 'lane')} track, count(*) FROM {self.tracks(processor)} GROUP BY track"
        assert dict(processor.rows(query)) == traced.counts

    def test_durations_are_those_of_the_simulator_in_whole_nanoseconds(
        self, processor: TraceProcessor, traced: Traced
    ) -> None:
        """It rounds starts and ends down, so that a sum is off by less than 1 ns a slice."""
        assert processor.rows("SELECT count(*) FROM slice WHERE dur < 0") == [(0,)]
        query = f"SELECT {TRACK.replace('name', 'lane')} track, sum(dur) FROM {self.tracks(processor)} GROUP BY track"
        found = dict(processor.rows(query))
        for track, span_ps in counted_ps(traced).items():
            assert abs(1000 * found[track] - span_ps) < 1000 * traced.counts[track], track

    def test_slices_of_a_lane_neither_overlap_nor_nest(self, processor: TraceProcessor) -> None:
        """What is shorter than its ns may share it with its neighbour."""
        assert processor.rows("SELECT count(*) FROM slice WHERE depth > 0 AND dur > 1") == [(0,)]

    def test_arrows_lead_from_loads_to_what_waited_for_them(self, processor: TraceProcessor, traced: Traced) -> None:
        flows = processor.rows(
            "SELECT a.name source, b.name target, a.ts + a.dur <= b.ts + 1 earlier FROM flow "
            "JOIN slice a ON a.id = slice_out JOIN slice b ON b.id = slice_in"
        )
        waits = int((traced.timeline.all_slices().waited_for >= 0).sum())
        assert waits > 10
        assert len(flows) == waits
        assert {target for _, target, _ in flows} == {"compute"}
        assert {source for source, *_ in flows} <= {"load weights", "load inputs"}
        assert all(earlier for *_, earlier in flows)

    def test_counters_have_the_values_recorded(self, processor: TraceProcessor, traced: Traced) -> None:
        for name, buffer in traced.record.cores[0].buffers.items():
            values = processor.rows(
                "SELECT max(value), count(*) FROM counter JOIN counter_track t ON t.id = track_id "
                f"WHERE t.name LIKE 'core0.{name}.fill%'"
            )
            assert values == [(buffer.peak_bytes, len(traced.timeline.counter(f"core0.{name}.fill")))]


@requires_trace_processor
def test_perfetto_sums_exact_picoseconds(traced: Traced, processors: Callable[[str], TraceProcessor]) -> None:
    """``duration_ps`` among a slice's arguments is not rounded."""
    query = (
        f"SELECT {TRACK.replace('name', 'track.name')} t, sum(extract_arg(slice.arg_set_id, 'debug.duration_ps')) "
        "FROM slice JOIN track ON track.id = track_id GROUP BY t"
    )
    processor = processors(".pftrace")
    found = dict(processor.rows(query))
    layers = processor.rows("SELECT DISTINCT extract_arg(arg_set_id, 'debug.layer') FROM slice")
    assert found == {track: span_ps for track, span_ps in traced.timeline.busy_ps().items() if span_ps}
    # A precharge or a refresh belongs to no layer.
    assert {name for (name,) in layers} - {None} == {layer.name for layer in traced.record.program.layers}


def test_duckdb_sums_parquet_and_csv(traced: Traced) -> None:
    for suffix in (".parquet", ".csv"):
        path = traced.files[suffix]
        rows = duckdb.sql(
            f"SELECT track, count(*), sum(duration_ps) FROM '{path}' WHERE value IS NULL GROUP BY track"
        ).fetchall()
        busy_ps = traced.timeline.busy_ps()
        assert {track: (count, span) for track, count, span in rows} == {
            track: (count, busy_ps[track]) for track, count in traced.counts.items()
        }
        waits = duckdb.sql(
            "SELECT count(*), bool_and(loads.start_ps + loads.duration_ps <= waits.start_ps) "
            f"FROM '{path}' waits JOIN '{path}' loads ON waits.waited_for = loads.instruction "
            "WHERE loads.name LIKE 'load%'"
        ).fetchall()
        assert waits == [(int((traced.timeline.all_slices().waited_for >= 0).sum()), True)]


def test_parquet_is_small(traced: Traced) -> None:
    rows = len(traced.timeline) + len(traced.timeline.all_samples())
    assert traced.files[".parquet"].stat().st_size < 12 * rows < traced.files[".csv"].stat().st_size


def changes(path: Path) -> dict[str, list[tuple[int, str | float | int]]]:
    """Signal → (time, value), read by the engine of the viewer Surfer."""
    waveform = pywellen.Waveform(str(path))
    return {var.full_name: [var.signal[place] for place in range(len(var.signal))] for var in waveform.all_vars()}


def test_a_viewer_of_waveforms_sees_the_states(traced: Traced) -> None:
    found = changes(traced.files[".vcd"])
    states = [*found["core0.array.state"], (traced.record.makespan_ps, "-")]
    busy_ps = sum(end_ps - start_ps for (start_ps, state), (end_ps, _) in pairwise(states) if state == "compute")
    assert busy_ps == counted_ps(traced)["core0.array"]
    assert {state for _, state in states} == {"-", "compute"}
    for name, buffer in traced.record.cores[0].buffers.items():
        values = np.array([value for _, value in found[f"core0.{name}.fill"]])
        assert (values.max(), values[-1]) == (buffer.peak_bytes, 0)
    # The loads of a channel overlap, so that their number is a signal.
    active = [value for _, value in found["core0.dma.weights.active"]]
    assert active[-1] == 0
    assert max(active) >= 2
