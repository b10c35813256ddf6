"""Dumped traces read back whole; converting, cutting and summing them up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import One, Traced, record

from soc_sim.cli import main
from soc_sim.errors import InputError
from soc_sim.observe.trace import recorder
from soc_sim.observe.trace.copying import copy
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.reading import open_trace
from soc_sim.observe.trace.selection import EVERYTHING, Selection, Window
from soc_sim.observe.trace.summary import summarise
from soc_sim.observe.trace.timeline import Timeline

READABLE = (".json", ".parquet", ".csv")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=4)
SLICES = st.lists(
    st.builds(
        lambda track, name, start_ps, duration_ps, layer, instruction: One(
            track, name, start_ps, start_ps + duration_ps, layer, instruction, max(-1, instruction - 1)
        ),
        st.sampled_from(["core0.array", "dram", "host"]),
        TEXT,
        st.integers(0, 10**15),
        st.integers(1, 10**6),
        st.integers(-1, 1),
        st.integers(-1, 50),
    ),
    max_size=20,
)
SAMPLES = st.lists(
    st.tuples(st.sampled_from(["a.fill", "b.power"]), st.integers(0, 10**15), st.floats(-1e9, 1e9)), max_size=20
).map(lambda samples: sorted(samples, key=lambda sample: sample[1]))


def read(path: Path, selection: Selection = EVERYTHING) -> Timeline:
    timeline = Timeline()
    copy(open_trace(path), timeline, selection=selection)
    return timeline


def content(timeline: Timeline) -> tuple[object, ...]:
    """What a trace says, whatever numbers its names have and in which order it is written."""
    tables, slices, samples = timeline.tables, timeline.all_slices(), timeline.all_samples()
    layers = (*tables.layers, "")
    return (
        sorted(tables.tracks),
        timeline.end_ps,
        sorted(
            (tables.tracks[row[0]].name, tables.names[row[1]], layers[row[2]], *row[3:]) for row in slices.rows.tolist()
        ),
        sorted(
            (tables.tracks[track].name, time_ps, value)
            for track, time_ps, value in zip(
                samples.tracks.tolist(), samples.times_ps.tolist(), samples.values.tolist(), strict=True
            )
        ),
    )


@pytest.mark.parametrize("suffix", READABLE)
@settings(max_examples=30)
@given(slices=SLICES, samples=SAMPLES, layer=TEXT, rows=st.integers(1, 30))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory,
    suffix: str,
    slices: list[One],
    samples: list[tuple[str, int, float]],
    layer: str,
    rows: int,
) -> None:
    """CSV knows neither idle tracks nor the end of the run, so that here nothing is idle and a layer ends it."""
    path = tmp_path_factory.getbasetemp() / f"read{suffix}"
    end_ps = max([one.end_ps for one in slices] + [time_ps for _, time_ps, _ in samples] + [5])
    slices = [*slices, One("layers", layer, 0, end_ps, 0), One("layers", "other", 0, end_ps, 1)]
    kept = Timeline()
    with pytest.MonkeyPatch.context() as patch, writing(path) as sink:
        patch.setattr(recorder, "BLOCK_ROWS", rows)
        for to in (kept, sink):
            record(to, slices, samples, layers=[layer, "other\n,'\""], end_ps=end_ps)
    assert content(read(path)) == content(kept)


@pytest.mark.parametrize("suffix", READABLE)
def test_a_run_reads_back_whole(traced: Traced, suffix: str) -> None:
    found, kept = content(read(traced.files[suffix])), content(traced.timeline)
    assert found[1:] == kept[1:]
    if suffix != ".csv":  # which has no place for tracks that were never busy
        assert found[0] == kept[0]


def test_a_window_and_patterns_cut_alike_while_recording_and_afterwards(traced: Traced) -> None:
    end_ps = traced.record.makespan_ps
    selection = Selection(
        frozenset(("tiles", "counters")), ("core0.array", "core0.*.fill"), Window(end_ps // 3, end_ps // 2)
    )
    cut = read(traced.files[".parquet"], selection)
    recorded = Timeline()
    kept = traced.timeline
    tracks, slices = kept.tables.tracks, kept.all_slices()
    record(
        recorded,
        [
            One(tracks[row[0]].name, kept.tables.names[row[1]], row[3], row[4], *row[2:3], *row[5:])
            for row in slices.rows.tolist()
        ],
        [
            (tracks[track].name, time_ps, value)
            for track, time_ps, value in zip(
                *(column.tolist() for column in (kept.all_samples().tracks, kept.all_samples().times_ps)),
                kept.all_samples().values.tolist(),
                strict=True,
            )
        ],
        layers=kept.tables.layers,
        selection=selection,
        end_ps=end_ps,
    )
    assert len(cut) > 10
    assert content(cut)[2] == content(recorded)[2]
    times = [time_ps for _, time_ps, _ in content(cut)[3]]
    assert min(times) == end_ps // 3
    assert max(times) < end_ps // 2


def test_the_summary_has_the_sums_of_the_trace(traced: Traced) -> None:
    report = summarise(open_trace(traced.files[".parquet"]))
    assert report["end_ps"] == traced.record.makespan_ps
    assert {track["name"]: track["busy_ps"] for track in report["tracks"]} == traced.timeline.busy_ps()
    fill = next(counter for counter in report["counters"] if counter["name"] == "core0.weights.fill")
    assert (fill["most"], fill["last"]) == (traced.record.cores[0].buffers["weights"].peak_bytes, 0)


def test_the_mean_of_a_counter_is_over_time(tmp_path: Path) -> None:
    """0 for 10 ps, 30 for 30 ps, 10 for 60 ps: (900 + 600) / 100."""
    with writing(tmp_path / "t.csv") as sink:
        record(sink, [One("layers", "a", 0, 100)], [("x.fill", 10, 30), ("x.fill", 40, 10)])
    (counter,) = summarise(open_trace(tmp_path / "t.csv"))["counters"]
    assert (counter["least"], counter["mean"], counter["most"], counter["last"]) == (0, 15, 30, 10)


def test_the_command_converts_and_sums_up(traced: Traced, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(traced.files[".parquet"]), tmp_path / "part.csv"
    assert main(["trace", "convert", source, str(target), "--detail", "tiles", "--components", "core0.array"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["trace", "summary", str(target), "--json"]) == 0
    (track,) = json.loads(capsys.readouterr().out)["tracks"]
    assert (track["name"], track["slices"]) == ("core0.array", traced.counts["core0.array"])
    assert main(["trace", "summary", source]) == 0
    assert "core0.array.stalls" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "{}.csv"], "the file to write is missing"),
        (
            ["convert", "{}.csv", "x.parq"],
            "'.parq' is no format of traces; allowed: .json, .pftrace",
        ),
        (["convert", "{}.vcd", "x.csv"], "traces cannot be read from '.vcd'"),
        (["convert", "{}.csv", "x.csv", "--components", "core1"], "no component matches 'core1'; there are: core0"),
        (["convert", "{}.csv", "x.csv", "--detail", "layer"], "did you mean 'layers'?"),
        (["convert", "{}.csv", "x.csv", "--window", "3 ms"], "has no end; write FROM:TO"),
        (["summary", "none.csv"], "none.csv: cannot be read: No such file or directory"),
        (["summary", "none.parquet"], "none.parquet: cannot be read: "),
        (["summary", "empty.json"], "empty.json: is no trace that soc-sim has written"),
        (["summary", "empty.csv"], "empty.csv: is no trace that soc-sim has written"),
        (["summary", "empty.parquet"], "empty.parquet: is no trace that soc-sim has written"),
        (["summary", "{}.csv", "--window", "1 ms:2 ms"], "takes one file and no selection"),
    ],
)
def test_faults_are_one_line_and_leave_no_file(
    traced: Traced,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in READABLE:
        Path(f"empty{suffix}").write_text("")
    words = [word.replace("{}", str(traced.files[".csv"].with_suffix(""))) for word in arguments]
    assert main(["trace", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not Path("x.csv").exists()


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("soc_sim.observe.trace.head.FORMAT_VERSION", 2)
        with writing(tmp_path / "t.parquet") as sink:
            record(sink, [One("host", "operator", 0, 5)])
    with pytest.raises(InputError, match="format 2 is newer than 1"):
        open_trace(tmp_path / "t.parquet")
