"""``soc-sim gemm``: its keys, its numbers and its messages."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soc_sim.cli import gemm
from soc_sim.errors import InputError
from soc_sim.sparsity.patterns import PATTERNS

CONTRACT = {
    "cycles",
    "macs_executed",
    "folds",
    "weight_words_read",
    "input_words_read",
    "zeros_injected",
    "output_words_written",
    "metadata_bits",
    "weight_bits",
    "matches_reference",
}
GRID = ["--rows", "4", "--cols", "4"]
SIZES = ["-m", "5", "-k", "7", "-n", "6"]


def arguments(*words: str | Path, as_json: bool = True) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    gemm.add_parser(parser.add_subparsers())
    return parser.parse_args(["gemm", *map(str, words)], argparse.Namespace(json=as_json, quiet=True, seed=None))


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command and reads its JSON."""

    def call(*words: str | Path) -> dict[str, Any]:
        assert gemm.run(arguments(*words)) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return call


def faults(*words: str | Path) -> list[str]:
    with pytest.raises(InputError) as error:
        gemm.run(arguments(*words))
    assert error.value.exit_code == 2
    lines = str(error.value).splitlines()
    assert lines == list(error.value.faults)
    return lines


@pytest.fixture
def save(tmp_path: Path) -> Any:
    """Writes a matrix to a file of its own."""

    def write(name: str, matrix: Any) -> Path:
        path = tmp_path / f"{name}.npy"
        np.save(path, matrix)
        return path

    return write


def test_all_keys_of_the_contract_are_there(report: Any) -> None:
    assert report(*GRID, "--dataflow", "dOS", *SIZES).keys() >= CONTRACT


@pytest.mark.parametrize(
    ("flow", "cycles"),
    # Folds of 4×4 and the rest, from the table in the docstrings: two row blocks (4, 1), two column blocks each.
    [
        ("dOS", (7 + 8 + 4 - 2) + (7 + 8 + 2 - 2) + (7 + 2 + 4 - 2) + (7 + 2 + 2 - 2)),
        ("dWS", (8 + 4 + 6 - 2) + (6 + 4 + 6 - 2) + (8 + 1 + 6 - 2) + (6 + 1 + 6 - 2)),
        ("dIS", (8 + 4 + 5 - 2) + (6 + 4 + 5 - 2) + (8 + 2 + 5 - 2) + (6 + 2 + 5 - 2)),
    ],
)
@pytest.mark.parametrize("extra", [[], ["--reference"]])
def test_cycles_are_the_sum_of_the_folds(report: Any, flow: str, cycles: int, extra: list[str]) -> None:
    found = report(*GRID, "--dataflow", flow, *SIZES, *extra)
    assert found["cycles"] == cycles
    assert found["macs_executed"] == 5 * 7 * 6
    assert found["matches_reference"] is True


@pytest.mark.parametrize("flow", ["dOS", "dWS", "dIS", "sOS", "sWS", "sIS", "csOS"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("overlap", ["none", "prefetch"])
def test_the_register_level_model_reports_the_same(report: Any, flow: str, pattern: str, overlap: str) -> None:
    words = [*GRID, "--dataflow", flow, *SIZES, "--sparsity", "0.5", "--pattern", pattern]
    words += ["--set", f"tile_overlap={overlap}"]
    assert report(*words, "--reference") == report(*words)


def test_auto_takes_the_flow_with_fewest_cycles(report: Any) -> None:
    words = ["-m", "64", "-k", "4", "-n", "3", "--dataflow"]
    each = {flow: report(*GRID, *words, flow)["cycles"] for flow in ("dOS", "dWS", "dIS")}
    chosen = report(*GRID, *words, "auto")
    assert chosen["cycles"] == min(each.values())
    assert chosen["dataflow"] == min(each, key=lambda flow: each[flow])


def test_auto_keeps_to_what_the_array_supports(report: Any) -> None:
    words = ["-m", "64", "-k", "4", "-n", "3", "--dataflow", "auto", "--set", "dataflows=[dOS, dWS]"]
    assert report(*GRID, *words)["dataflow"] in ("dOS", "dWS")
    assert "dIS" in faults(*GRID, *SIZES, "--dataflow", "dIS", "--set", "dataflows=[dOS, dWS]")[0]


def test_overrides_reach_the_array(report: Any) -> None:
    words = [*GRID, "--dataflow", "dOS", *SIZES, "--set", "edge_tiles=full", "--set", "os_drain=hidden"]
    assert report(*words)["cycles"] == 4 * (4 + 4 + 7 - 2)


def test_the_seed_decides_the_operands(tmp_path: Path) -> None:
    outputs = []
    for seed in (1, 1, 2):
        args = arguments(*GRID, "--dataflow", "dOS", *SIZES, "--output", tmp_path / "o.npy")
        args.seed = seed
        gemm.run(args)
        outputs.append(np.load(tmp_path / "o.npy"))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("extra", [[], ["--reference"]])
def test_the_product_of_two_files_is_written(
    report: Any, save: Any, tmp_path: Path, dtype: str, extra: list[str]
) -> None:
    rng = np.random.default_rng(3)
    w, x = rng.integers(0, 2, (9, 5)).astype(dtype), rng.integers(0, 100, (5, 11)).astype(dtype)
    target = tmp_path / "o.npy"
    words = ["--weights", save("w", w), "--inputs", save("x", x), "--output", target]
    assert report(*GRID, "--dataflow", "dWS", *words, *extra)["matches_reference"] is True
    output = np.load(target)
    assert output.dtype == (np.float64 if "float" in dtype else np.int64)
    np.testing.assert_array_equal(output, w.astype(output.dtype) @ x.astype(output.dtype))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.npy", "w.npy", "x.npy"]


def test_integers_and_real_numbers_mix_as_real_numbers(report: Any, save: Any, tmp_path: Path) -> None:
    words = ["--weights", save("w", np.array([[2, 3]])), "--inputs", save("x", np.array([[0.5], [0.25]]))]
    report(*GRID, "--dataflow", "dIS", *words, "--output", tmp_path / "o.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "o.npy"), [[1.75]])


def test_large_integers_stay_exact(report: Any, save: Any, tmp_path: Path) -> None:
    w, x = np.array([[2**40, 1]]), np.array([[2**20], [1]])
    words = ["--weights", save("w", w), "--inputs", save("x", x), "--output", tmp_path / "o.npy"]
    assert report(*GRID, "--dataflow", "dOS", *words)["matches_reference"] is True
    assert np.load(tmp_path / "o.npy") == [[2**60 + 1]]


def test_zero_columns_of_a_file_are_skipped(report: Any, save: Any) -> None:
    w = np.ones((4, 10))
    w[:, [1, 4, 5, 8]] = 0
    w[0, 0] = 0
    words = ["--weights", save("w", w), "--inputs", save("x", np.ones((10, 4)))]
    found = report(*GRID, "--dataflow", "sOS", *words)
    assert found["cycles"] == 6 + 2 * 4 + 4 - 2
    assert (found["weight_words_read"], found["zeros_injected"]) == (23, 1)
    assert found["input_words_read"] == 6 * 4
    assert found["sparsity"] == pytest.approx(17 / 40)
    # Tiles of 4×4, 4×4, 4×2 keep 3, 2 and 1 columns: a bit for each column, four for each kept one.
    assert found["metadata_bits"] == 10 + 4 * 6
    assert found["weight_bits"]["two_stage_bitmap"] == 10 + 4 * 6 + 23 * 8
    assert found["weight_bits"]["dense"] == 40 * 8
    assert report(*GRID, "--dataflow", "dOS", *words)["metadata_bits"] == 0


def test_rows_that_are_dropped_cost_a_bit_each(report: Any, save: Any, tmp_path: Path) -> None:
    w = np.zeros((10, 6))
    w[[1, 9], 2] = 3
    words = ["--weights", save("w", w), "--inputs", save("x", np.ones((6, 4))), "--output", tmp_path / "o.npy"]
    found = report(*GRID, "--dataflow", "csOS", *words)
    assert found["cycles"] == 1 + 2 * 2 + 4 - 2
    assert found["metadata_bits"] == 10 + 6 + 2
    np.testing.assert_array_equal(np.load(tmp_path / "o.npy"), w @ np.ones((6, 4)))


@pytest.mark.parametrize("flow", ["sOS", "sWS", "sIS", "csOS"])
@pytest.mark.parametrize("extra", [[], ["--reference"]])
def test_weights_that_are_all_zero_take_no_cycle(report: Any, flow: str, extra: list[str]) -> None:
    found = report(*GRID, "--dataflow", flow, *SIZES, "--sparsity", "1", *extra)
    assert (found["cycles"], found["macs_executed"], found["utilisation"]) == (0, 0, None)
    assert found["matches_reference"] is True


def test_auto_skips_zeros_where_there_are_some_and_stays_dense_where_not(report: Any) -> None:
    words = [*GRID, "-m", "40", "-k", "40", "-n", "40", "--dataflow", "auto"]
    assert report(*words)["dataflow"].startswith("d")
    assert not report(*words, "--sparsity", "0.8", "--pattern", "tile_columns")["dataflow"].startswith("d")


def test_faults_of_the_sparsity_are_named(save: Any) -> None:
    assert faults(*GRID, "--dataflow", "sOS", *SIZES, "--sparsity", "1.5", "--pattern", "channel") == [
        "--sparsity: 1.5 is out of range; allowed: 0 to 1",
        "--pattern: 'channel' is unknown; allowed: unstructured, tile_columns, tile_rows, n_of_m, channels, blocks"
        "; did you mean 'channels'?",
    ]
    assert faults(*GRID, "--dataflow", "sOS", *SIZES, "--pattern", "blocks") == [
        "--pattern: says nothing without a level; allowed: together with --sparsity"
    ]
    words = ["--weights", save("w", np.ones((2, 2))), "--inputs", save("x", np.ones((2, 2)))]
    assert faults(*GRID, "--dataflow", "sOS", *words, "--sparsity", "0.5") == [
        "--sparsity: the weights of a file keep their zeros; allowed: with -m, -k and -n"
    ]


def test_a_negative_seed_is_refused() -> None:
    args = arguments(*GRID, "--dataflow", "dOS", *SIZES)
    args.seed = -1
    with pytest.raises(InputError, match="--seed: -1 is out of range; allowed: a whole number, at least 0"):
        gemm.run(args)


def test_text_names_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert gemm.run(arguments(*GRID, "--dataflow", "dOS", *SIZES, as_json=False)) == 0
    shown = dict(line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["macs_executed"] == "210"
    assert shown["matches_reference"] == "True"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros(4), "1 dimensions; allowed: 2"),
        (np.zeros((2, 2, 2)), "3 dimensions; allowed: 2"),
        (np.zeros((0, 3)), "no elements, its shape is 0×3; allowed: at least 1×1"),
        (np.array([[1.0, np.nan]]), "contains NaN or infinity; allowed: finite numbers"),
        (np.array([[1.0, -np.inf]]), "contains NaN or infinity; allowed: finite numbers"),
        (np.array([["a", "b"]]), "elements of type <U1; allowed: integers and real numbers"),
        (np.array([[1j, 2]]), "elements of type complex128; allowed: integers and real numbers"),
        (np.array([[2**64 - 1, 0]], dtype=np.uint64), f"contains integers beyond 63 bits; allowed: up to {2**63 - 1}"),
    ],
)
def test_a_matrix_that_cannot_be_an_operand_is_named(save: Any, matrix: Any, message: str) -> None:
    bad, good = save("bad", matrix), save("good", np.ones((2, 3)))
    words = ["--weights", bad, "--inputs", good]
    assert faults(*GRID, "--dataflow", "dOS", *words) == [f"--weights {bad}: {message}"]


@pytest.mark.parametrize("content", [b"", b"1,2\n3,4\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04junk"])
def test_a_file_that_is_no_npy_is_named(save: Any, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.npy"
    bad.write_bytes(content)
    words = ["--weights", save("good", np.ones((2, 2))), "--inputs", bad]
    (line,) = faults(*GRID, "--dataflow", "dOS", *words)
    assert line == f"--inputs {bad}: not a readable .npy file; allowed: an array written by numpy.save"


def test_pickled_objects_are_not_opened(tmp_path: Path) -> None:
    bad = tmp_path / "bad.npy"
    np.save(bad, np.array([[{}]], dtype=object), allow_pickle=True)
    (line, _) = faults(*GRID, "--dataflow", "dOS", "--weights", bad, "--inputs", tmp_path / "no.npy")
    assert "not a readable .npy file" in line


def test_an_archive_is_not_one_array(save: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", a=np.ones((2, 2)))
    words = ["--weights", tmp_path / "many.npz", "--inputs", save("x", np.ones((2, 2)))]
    assert "not a readable .npy file" in faults(*GRID, "--dataflow", "dOS", *words)[0]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    missing = tmp_path / "w.npy"
    words = ["--rows", "0", "--cols", "4", "--dataflow", "OS", "--set", "edge_tiles=ful", "--output", tmp_path]
    assert faults(*words, "--weights", missing, "--inputs", tmp_path) == [
        "--dataflow: 'OS' is unknown; allowed: dOS, dWS, dIS, sOS, sWS, sIS, csOS, auto; did you mean 'sOS'?",
        f"--output {tmp_path}: cannot be written; allowed: a file in an existing folder",
        "rows: 0 is out of range; allowed: a whole number, 1 to 4096",
        "--set edge_tiles=ful: edge_tiles: 'ful' is unknown; allowed: actual, full; did you mean 'full'?",
        f"--weights {missing}: no such file",
        f"--inputs {tmp_path}: cannot be read: Is a directory",
    ]


def test_sizes_that_do_not_fit_together_are_named(save: Any) -> None:
    words = ["--weights", save("w", np.ones((2, 3))), "--inputs", save("x", np.ones((4, 2)))]
    assert "4 rows do not match the 3 columns" in faults(*GRID, "--dataflow", "dOS", *words)[0]


def test_integers_whose_sums_could_wrap_are_refused(save: Any) -> None:
    words = ["--weights", save("w", np.array([[2**40]])), "--inputs", save("x", np.array([[2**40]]))]
    assert "could exceed 63 bits" in faults(*GRID, "--dataflow", "dOS", *words)[0]


def test_sizes_must_be_positive() -> None:
    assert faults(*GRID, "--dataflow", "dOS", "-m", "0", "-k", "-3", "-n", "1") == [
        "-m: 0 is out of range; allowed: a whole number, at least 1",
        "-k: -3 is out of range; allowed: a whole number, at least 1",
    ]


@pytest.mark.parametrize("words", [[], ["-m", "3"], ["--weights", "w.npy"], [*SIZES, "--weights", "w.npy"]])
def test_operands_are_given_in_one_way(words: list[str]) -> None:
    assert faults(*GRID, "--dataflow", "dOS", *words) == [
        "operands: allowed: either --weights and --inputs, or -m, -k and -n"
    ]


def test_matrices_beyond_memory_are_an_error() -> None:
    huge = str(10**9)
    assert "do not fit in memory" in faults(*GRID, "--dataflow", "dOS", "-m", huge, "-k", huge, "-n", "1")[0]
