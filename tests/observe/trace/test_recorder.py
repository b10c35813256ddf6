"""What is selected is recorded, in blocks of a fixed size; what is not costs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from recorded import One, record

from soc_sim.errors import InputError, MissingExtraError
from soc_sim.kernel import DETAILS, CreditPool, Simulation
from soc_sim.observe.trace.columns import Samples, Slices, Tables
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import BLOCK_ROWS, TraceRecorder
from soc_sim.observe.trace.selection import DEFAULT, Selection, Window
from soc_sim.observe.trace.several import Several
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.system import run
from soc_sim.testing.small import program_of, small_soc, tile


class Blocks:
    """A sink that notes how many rows come together."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def open(self, tables: Tables) -> None:
        self.tables = tables

    def slices(self, block: Slices) -> None:
        self.rows.append(len(block))

    def samples(self, block: Samples) -> None:
        self.rows.append(len(block))

    def close(self, end_ps: int) -> None:
        self.rows.append(-end_ps)


def names(selection: Selection, *tracks: str) -> list[str]:
    """The tracks among these that are recorded, with a slice from 0 to 10 on each."""
    timeline = Timeline()
    record(timeline, [One(track, "x", 0, 10) for track in tracks], selection=selection)
    return [track.name for track in timeline.tables.tracks]


def test_slices_are_handed_on_in_blocks() -> None:
    blocks = Blocks()
    rows = 2 * BLOCK_ROWS + 5
    record(blocks, [One("host", "x", start, start + 1) for start in range(rows)], end_ps=rows + 7)
    assert blocks.rows == [BLOCK_ROWS, BLOCK_ROWS, 5, -(rows + 7)]


def test_nothing_lasts_longer_than_the_run() -> None:
    """What was promised for later is cut off, and left out where it has not begun."""
    timeline = Timeline()
    record(timeline, [One("dram", "read", 0, 4), One("dram", "read", 4, 9), One("dram", "read", 9, 12)], end_ps=6)
    assert timeline.busy_ps() == {"dram": 6}
    assert len(timeline) == 2


def test_without_a_recorder_components_have_no_tracks() -> None:
    simulation = Simulation()
    assert simulation.track("host", "tiles") is None
    assert simulation.counter("host.queue", "request") is None


def test_what_is_not_selected_gets_no_track() -> None:
    recorder = TraceRecorder(Timeline(), selection=Selection(frozenset(("tiles",)), ("core0",)))
    assert recorder.track("core0.array", "tiles") is not None
    assert recorder.track("core0.array.stalls", "stalls") is None
    assert recorder.track("core1.array", "tiles") is None
    assert recorder.counter("core0.weights.fill", "byte") is None


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*",), ["core0.array", "core0.array.stalls", "core10.array", "interconnect.dram.read"]),
        (("core0",), ["core0.array", "core0.array.stalls"]),
        (("core?",), ["core0.array", "core0.array.stalls"]),
        (("core*.array",), ["core0.array", "core0.array.stalls", "core10.array"]),
        (("*.read", "core10"), ["core10.array", "interconnect.dram.read"]),
        (("core0.array.stalls",), ["core0.array.stalls"]),
    ],
)
def test_a_pattern_selects_a_name_and_all_below_it(patterns: tuple[str, ...], expected: list[str]) -> None:
    tracks = ("core0.array", "core0.array.stalls", "core10.array", "interconnect.dram.read")
    assert names(Selection(components=patterns), *tracks) == expected


def test_a_pattern_that_matches_nothing_is_an_error_before_the_run() -> None:
    with pytest.raises(InputError, match="no component matches 'hots'; there are: host; did you mean 'host'"):
        names(Selection(components=("hots",)), "host")


def test_a_window_keeps_what_overlaps_it_whole() -> None:
    timeline = Timeline()
    slices = [One("host", "x", start, start + 10) for start in (0, 10, 15, 30, 35)]
    record(timeline, slices, selection=Selection(window=Window(20, 35)))
    assert timeline.all_slices().starts_ps.tolist() == [15, 30]


def test_a_counter_has_its_value_when_a_window_begins() -> None:
    timeline = Timeline()
    samples = [("x.fill", 5, 1), ("x.fill", 10, 2), ("x.fill", 25, 3), ("x.fill", 50, 4)]
    record(timeline, [], samples, selection=Selection(window=Window(20, 40)))
    found = timeline.all_samples()
    assert list(zip(found.times_ps.tolist(), found.values.tolist(), strict=True))[-2:] == [(20, 2), (25, 3)]


def test_of_several_values_at_one_time_the_last_counts_and_equal_ones_are_left_out() -> None:
    timeline = Timeline()
    record(timeline, [], [("x.fill", 5, 7), ("x.fill", 5, 1), ("x.fill", 9, 1), ("x.fill", 12, 0)])
    found = timeline.all_samples()
    assert list(zip(found.times_ps.tolist(), found.values.tolist(), strict=True)) == [(0, 0), (5, 1), (12, 0)]


def test_the_fill_of_a_pool_is_a_counter() -> None:
    timeline = Timeline()
    recorder = TraceRecorder(timeline)
    pool = CreditPool(Simulation(recorder), "core0.weights", 10)
    recorder.begin([])
    assert pool.try_take(7)
    pool.give(3)
    recorder.end(0)
    assert timeline.counter("core0.weights.fill").values.tolist() == [4]
    assert timeline.tables.tracks[0].unit == "byte"


def test_a_run_without_layers_traces_nothing() -> None:
    timeline = Timeline()
    run(small_soc(), program_of([]), recorder=TraceRecorder(timeline))
    assert len(timeline) == 0


def test_recording_changes_nothing() -> None:
    """Not the result, and not the number of events."""
    from soc_sim.compiler.program import Compute, Load, Region

    tiles = [Load(0, 0, 0, "inputs", (Region("dram", 0, 500),), 500), Compute(1, 0, 0, (), (0,), 0, 0, 500, tile(9))]
    assert run(small_soc(), program_of(tiles), recorder=TraceRecorder(Timeline())) == run(
        small_soc(), program_of(tiles)
    )


def test_by_default_neither_counters_nor_commands_are_traced() -> None:
    assert frozenset(DETAILS) - DEFAULT.details == {"counters", "commands"}


def test_several_recorders_each_get_what_they_want() -> None:
    """And a track that nobody wants is none."""
    tiles, all_of_it = Timeline(), Timeline()
    only_tiles = Selection(frozenset(("tiles",)))
    several = Several(TraceRecorder(tiles, selection=only_tiles), TraceRecorder(all_of_it))
    array, stalls = several.track("core0.array", "tiles"), several.track("core0.array.stalls", "stalls")
    fill = several.counter("core0.weights.fill", "byte")
    several.begin(["conv"])
    assert array is not None
    assert stalls is not None
    assert fill is not None
    array.slice("compute", 0, 5, 0)
    stalls.slice("wait_inputs", 5, 8, 0)
    fill.set(3, 1.0)
    several.end(8)
    assert tiles.busy_ps() == {"core0.array": 5}
    assert all_of_it.busy_ps() == {"core0.array": 5, "core0.array.stalls": 3}
    assert all_of_it.counter("core0.weights.fill").values.tolist() == [0, 1]
    assert Several(TraceRecorder(tiles, selection=only_tiles)).track("dram", "transfers") is None


@pytest.mark.parametrize(("suffix", "module"), [(".parquet", "pyarrow"), (".vcd", "vcd")])
def test_a_library_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str
) -> None:
    """Before the run, and without a file."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'soc_sim\[trace\]'"), writing(tmp_path / f"t{suffix}"):
        pass
    assert not list(tmp_path.iterdir())
