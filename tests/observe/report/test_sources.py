"""Results are read back from files and folders; what is none is named, all at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from soc_sim.errors import InputError
from soc_sim.observe.files import write_all
from soc_sim.observe.report.sources import read_results
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import TraceRecorder


def stored(path: Path, document: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_a_file_and_a_folder_give_the_same_document(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path / "out", document, "kind: run\n")
    file, folder = read_results([stored(tmp_path / "a.json", document), tmp_path / "out"])
    assert file.document == folder.document == document
    assert (file.label, folder.label) == ("a", "out")
    assert folder.timeline is None


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_trace_beside_the_document_is_its_timeline(tmp_path: Path, document: dict[str, Any], suffix: str) -> None:
    write_all(tmp_path / "out", document, "kind: run\n")
    with writing(tmp_path / "out" / f"trace{suffix}") as sink:
        recorder = TraceRecorder(sink)
        track = recorder.track("core0.array", "tiles")
        recorder.begin(["conv1", "softmax"])
        track.slice("compute", 0, 3_000_000, 0)  # type: ignore[union-attr]
        recorder.end(10_000_000)
    (run,) = read_results([tmp_path / "out"])
    assert run.timeline is not None
    (track_of_run,) = run.timeline["tracks"]
    assert (track_of_run["track"], track_of_run["kinds"], track_of_run["lanes"]) == ("core0.array", ["compute"], [1])


def test_a_layer_that_lacks_what_is_drawn_is_named(tmp_path: Path, document: dict[str, Any]) -> None:
    del document["layers"][1]["busy_s"]
    with pytest.raises(InputError, match=r"a\.json: layers\[1\] is no layer of a result: it has no busy_s$"):
        read_results([stored(tmp_path / "a.json", document)])


def test_a_timeline_of_another_version_is_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    write_all(tmp_path / "out", document, "kind: run\n")
    stored(tmp_path / "out" / "timeline.json", {"format": 99})
    with pytest.raises(InputError, match=r"timeline\.json: is no timeline that this version reads"):
        read_results([tmp_path / "out"])


def test_labels_tell_results_apart(tmp_path: Path, document: dict[str, Any]) -> None:
    paths = [stored(tmp_path / name / "run.json", document) for name in ("small", "large")]
    paths.append(stored(tmp_path / "other.json", document))
    assert [run.label for run in read_results(paths)] == ["small/run", "large/run", "other"]


def test_one_result_twice_is_numbered(tmp_path: Path, document: dict[str, Any]) -> None:
    path = stored(tmp_path / "run.json", document)
    assert [run.label for run in read_results([path, path])] == ["run", "run (2)"]


def test_everything_that_is_no_result_is_named(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("{\n oops")
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    paths = [
        stored(tmp_path / "good.json", document),
        tmp_path / "empty",
        tmp_path / "missing.json",
        tmp_path / "text",
        tmp_path / "picture",
        stored(tmp_path / "list.json", [1]),  # type: ignore[arg-type]
        stored(tmp_path / "other.json", {"latency_s": 1, "layers": []}),
    ]
    with pytest.raises(InputError) as caught:
        read_results(paths)
    endings = [fault.removeprefix(f"{path}:") for fault, path in zip(caught.value.faults, paths[1:], strict=True)]
    assert [ending.strip().split(";")[0] for ending in endings] == [
        "has no summary.json",
        "cannot be read: No such file or directory",
        "2: is no JSON: Expecting property name enclosed in double quotes",
        "is no text",
        "is no result of `soc-sim run --json`: it is no object",
        "is no result of `soc-sim run --json`: it has no config, network, latency_ps, utilisation, array_time_s, "
        "warnings",
    ]
