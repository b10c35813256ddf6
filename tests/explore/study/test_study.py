"""Studies of sparse against dense weights: entries, table, resuming."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from soc_sim.cli import main
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.config.study import Study
from soc_sim.dataflow import DATAFLOWS, counts
from soc_sim.explore.study import Key, Table, in_parts, keys_of, run_entry
from soc_sim.explore.study.entries import with_array, without_limits
from soc_sim.explore.study.page import _reached, reached
from soc_sim.facade import simulate
from soc_sim.network.resolve import load_network

STUDY = """\
kind: study
soc: edge_16x16
arrays: [8, 16]
networks: [autoencoder]
patterns: [{pattern: tile_columns, levels: [0.5, 0.9]}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def test_an_entry_compares_what_the_simulator_says(config: Path) -> None:
    """Latencies of both sides are those of plain runs; the dense side uses dense dataflows only."""
    study = load(config, Study)
    entry = run_entry(study, Key("autoencoder_seeded", 16, "tile_columns", 0.9))
    soc, network = with_array(study.soc, 16), load_network("autoencoder")
    sparsity = {"pattern": "tile_columns", "level": 0.9, "score": "norm", "seed": 1}
    assert entry.dense.latency_s == pytest.approx(simulate(soc, network).latency_s)
    assert entry.sparse.latency_s == pytest.approx(simulate(soc, network, sparsity=sparsity).latency_s)
    assert set(entry.dense.dataflows.split()[::2]) <= set(DATAFLOWS)
    assert entry.sparsity == pytest.approx(0.9, abs=0.002)
    assert entry.dense.array_s <= entry.dense.latency_s


def test_compute_alone_is_no_less_than_the_best_closed_form(config: Path) -> None:
    """For each layer of the dense network: the least cycles of dOS, dWS, dIS on the whole GEMM, within tiles' 10 %."""
    study = load(config, Study)
    entry = run_entry(study, Key("autoencoder_seeded", 8, "tile_columns", 0.5))
    array = with_array(study.soc, 8).array
    shapes = [(128, 640), *[(128, 128)] * 3, (8, 128), (128, 8), *[(128, 128)] * 3, (640, 128)]
    least = sum(min(counts(flow, array, m, k, 1).cycles for flow in DATAFLOWS) for m, k in shapes)
    assert least <= entry.dense.compute_cycles <= 1.1 * least


def test_memories_without_limits_are_faster() -> None:
    soc = load("edge_16x16", Soc)
    network = load_network("autoencoder")
    assert simulate(without_limits(soc), network).latency_s < simulate(soc, network).latency_s


def test_a_study_goes_on_where_it_stopped(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = ["study", str(config), "--out", str(out)]
    assert main([*command, "--only", "autoencoder_seeded/16/tile_columns/0.9"]) == 0
    assert "1/1 autoencoder_seeded/16/tile_columns/0.9" in capsys.readouterr().err
    assert main(command) == 0
    captured = capsys.readouterr()
    assert captured.err.count("autoencoder_seeded/") == 3
    rows = list(csv.DictReader((out / "entries.csv").read_text().splitlines()))
    assert [(row["array"], row["level"]) for row in rows] == [("8", "0.5"), ("8", "0.9"), ("16", "0.5"), ("16", "0.9")]
    for row in rows:
        assert float(row["speedup_host"]) == pytest.approx(
            float(row["dense_latency_s"]) / float(row["latency_s"]), rel=1e-4
        )
    assert "| autoencoder_seeded | 16×16 |" in (out / "table.md").read_text()
    assert (out / "speedup.png").read_bytes().startswith(b"\x89PNG")


def test_an_entry_that_does_not_exist_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", str(config), "--out", str(tmp_path / "o"), "--only", "resnet5/16"]) == 2
    assert "--only resnet5/16: matches no entry" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_mark_is_reached_where_time_has_fallen_far_enough() -> None:
    """Time falls by a fifth for each tenth of zeros: speedup 2 after two and a half."""
    curve = [(level, 1 / (1 - 2 * level)) for level in (0.0, 0.1, 0.2, 0.3)]
    assert reached(curve, 2.0) == pytest.approx(0.25)
    assert reached(curve, 4.0) is None


def test_the_shipped_study_asks_for_what_its_table_holds() -> None:
    """Every row of the table that ships belongs to an entry; no speedup exceeds what the zeros allow by far."""
    study = load("sparse_speedup", Study)
    keys = set(keys_of(study))
    folder = Path(__file__).parents[3] / "configs" / "studies" / "sparse_speedup"
    table = Table(folder / "entries.csv")
    assert set(table.rows) <= keys
    for key, row in table.rows.items():
        assert float(row["sparsity"]) == pytest.approx(key.level, abs=0.02)
        assert 0.85 < float(row["speedup_compute"]) < 1.2 / (1 - key.level) + 1, key
    levels = np.array([key.level for key in table.rows])
    assert len(levels) > 0


def test_a_mark_between_levels_that_are_missing_is_left_open() -> None:
    levels = [0.0, 0.3, 0.5, 0.7]
    assert _reached([(0.0, 1.0), (0.7, 3.0)], 2.0, levels) == "?"
    assert _reached([(0.0, 1.0), (0.3, 1.2)], 2.0, levels) == "?"
    assert _reached([(0.0, 1.0), (0.7, 1.9)], 2.0, levels) == "–"
    assert _reached([(0.0, 1.0), (0.5, 1.5), (0.7, 3.0)], 2.0, levels) == "60%"


def test_two_processes_share_the_entries_and_meet_at_the_end(config: Path) -> None:
    """Each begins with groups of its own, has all entries, and comes to the other's last ones first."""
    keys = list(keys_of(load(config, Study)))
    first, second = in_parts(keys, 1, 2), in_parts(keys, 2, 2)
    assert set(first) == set(second) == set(keys)
    assert [key.array for key in first] == [8, 8, 16, 16]
    assert [key.array for key in second] == [16, 16, 8, 8]
    assert first[-1] == second[0]
    assert in_parts(keys, 1, 1) == keys


def test_tables_that_write_into_one_file_keep_each_others_entries(config: Path, tmp_path: Path) -> None:
    study, path = load(config, Study), tmp_path / "out" / "entries.csv"
    one, other = Table(path), Table(path)
    low, high = (run_entry(study, Key("autoencoder_seeded", 16, "tile_columns", level)) for level in (0.5, 0.9))
    one.add(high, study)
    other.add(low, study)
    assert [key.level for key in Table(path).rows] == [0.5, 0.9]


def test_table_and_figure_alone(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = ["study", str(config), "--out", str(out)]
    assert main([*command, "--table-only"]) == 2
    assert "has no entries" in capsys.readouterr().err
    study, table = load(config, Study), Table(out / "entries.csv")
    table.add(run_entry(study, Key("autoencoder_seeded", 8, "tile_columns", 0.5)), study)
    assert main([*command, "--table-only"]) == 0
    captured = capsys.readouterr()
    assert "1 of 4 entries." in captured.out
    assert captured.err == ""
    assert (out / "speedup.png").exists()


@pytest.mark.parametrize("other", [("--only", "autoencoder_seeded"), ("--part", "1/2")])
def test_entries_to_simulate_are_refused_where_nothing_is_simulated(
    other: tuple[str, str], config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["study", str(config), "--out", str(out), "--table-only", *other]) == 2
    assert f"--table-only: simulates nothing, so {other[0]} has no effect" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("part", ["0/2", "3/2", "half", "1"])
def test_a_part_that_does_not_exist_is_refused(part: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["study", str(config), "--out", "o", "--part", part])
    assert error.value.code == 2
    assert f"'{part}' is no part; allowed: I/N" in capsys.readouterr().err
