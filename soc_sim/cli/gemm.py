"""``soc-sim gemm``: one GEMM on a bare array, with its counts and a check of its numbers."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.cli import gemm_show
from soc_sim.config.array import DATAFLOWS, SPARSE_DATAFLOWS, Array, DataflowName, SparseDataflowName
from soc_sim.config.loader import load
from soc_sim.dataflow import GemmCounts, counts_of_bitmap
from soc_sim.dataflow.execute import execute, matches
from soc_sim.dataflow.operands import load_operands, random_operands
from soc_sim.dataflow.reference import run as run_reference
from soc_sim.errors import InputError, VerificationError, suggestion
from soc_sim.sparsity.bitmap import Bitmap
from soc_sim.sparsity.formats import FORMATS, FormatSize
from soc_sim.sparsity.patterns import PATTERNS, prune

SCHEMA = 1
FLOWS = (*DATAFLOWS, *SPARSE_DATAFLOWS)
Flow = DataflowName | SparseDataflowName
Matrix = npt.NDArray[Any]


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "gemm",
        help="one GEMM on a bare array",
        description="Runs O = W·X on a bare array with ideal memory: cycles, words, and a check of the result.",
    )
    parser.add_argument("--rows", type=int, required=True, metavar="R", help="PE rows")
    parser.add_argument("--cols", type=int, required=True, metavar="C", help="PE columns")
    parser.add_argument(
        "--dataflow", required=True, metavar="F", help=f"{', '.join(FLOWS)}, or auto: the one with fewest cycles"
    )
    files = parser.add_argument_group("operands from files")
    files.add_argument("--weights", type=Path, metavar="W.npy", help="W, M×K")
    files.add_argument("--inputs", type=Path, metavar="X.npy", help="X, K×N")
    sizes = parser.add_argument_group("random operands (seeded by --seed)")
    sizes.add_argument("-m", type=int, metavar="M", help="rows of W")
    sizes.add_argument("-k", type=int, metavar="K", help="columns of W, rows of X")
    sizes.add_argument("-n", type=int, metavar="N", help="columns of X")
    sizes.add_argument("--sparsity", type=float, metavar="S", help="share of zeros in W, 0 to 1")
    sizes.add_argument(
        "--pattern", metavar="P", help=f"what is zero together: {', '.join(PATTERNS)}; default: {PATTERNS[0]}"
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="overrides a value of the array's description, as in edge_tiles=full",
    )
    parser.add_argument("--reference", action="store_true", help="use the register-level model: slow, clock by clock")
    parser.add_argument(
        "--show",
        nargs="?",
        const="-",
        metavar="FILE",
        help="with --reference: a picture of the grid for every cycle, printed, or written as .txt, .png, .svg or .pdf",
    )
    parser.add_argument("--output", type=Path, metavar="O.npy", help="writes the result, M×N")


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: Operands, array, dataflow or the place of the output are wrong.
        VerificationError: The result is not W·X.
    """
    array, weights, inputs = _read(args)
    name, gemm = _choose(args.dataflow, array, weights, inputs)
    film = gemm_show.film(args.show, array, name, gemm)
    if args.reference:
        outcome = run_reference(name, array, weights, inputs, film)
        output, gemm = outcome.output, outcome.counts
    else:
        output = execute(name, array, weights, inputs)
    correct = matches(output, weights, inputs)
    if args.output is not None:
        _write(args.output, output)
    if film is not None:
        gemm_show.show(film, args.show)
    report = _report(name, array, weights, inputs, gemm) | {"matches_reference": correct}
    print(json.dumps(report, indent=2) if args.json else _as_text(report))
    if not correct:
        raise VerificationError(f"{name}: the result differs from W·X")
    return 0


def _read(args: argparse.Namespace) -> tuple[Array, Matrix, Matrix]:
    """Everything the user handed in, or all faults at once."""
    faults: list[str] = []
    flows, output = [*FLOWS, "auto"], args.output
    if args.dataflow not in flows:
        guess = suggestion(args.dataflow, flows)
        faults.append(f"--dataflow: {args.dataflow!r} is unknown; allowed: {', '.join(flows)}{guess}")
    if output is not None and (not output.parent.is_dir() or (output.exists() and not output.is_file())):
        faults.append(f"--output {output}: cannot be written; allowed: a file in an existing folder")
    faults += gemm_show.faults(args.show, reference=args.reference, as_json=args.json)
    array = operands = None
    faults += _sparsity_faults(args)
    try:
        description = {"kind": "array", "rows": args.rows, "cols": args.cols, "clock": "1 GHz"}
        array = load(description, Array, args.overrides)
    except InputError as error:
        faults += error.faults
    try:
        operands = _operands(args)
    except InputError as error:
        faults += error.faults
    if array is None or operands is None or faults:
        raise InputError(*faults)
    weights, inputs = operands
    if args.sparsity is not None:
        (m, k), seed, pattern = weights.shape, args.seed or 0, args.pattern or PATTERNS[0]
        weights *= prune(pattern, m, k, args.sparsity, rows=array.rows, cols=array.cols, seed=seed)
    return array, weights, inputs


def _sparsity_faults(args: argparse.Namespace) -> Iterator[str]:
    if args.sparsity is not None and not 0 <= args.sparsity <= 1:
        yield f"--sparsity: {args.sparsity} is out of range; allowed: 0 to 1"
    if args.sparsity is not None and args.weights is not None:
        yield "--sparsity: the weights of a file keep their zeros; allowed: with -m, -k and -n"
    if args.pattern is not None and args.pattern not in PATTERNS:
        guess = suggestion(args.pattern, PATTERNS)
        yield f"--pattern: {args.pattern!r} is unknown; allowed: {', '.join(PATTERNS)}{guess}"
    if args.pattern is not None and args.sparsity is None:
        yield "--pattern: says nothing without a level; allowed: together with --sparsity"


def _operands(args: argparse.Namespace) -> tuple[Matrix, Matrix]:
    files = (args.weights, args.inputs)
    sizes = (args.m, args.k, args.n)
    if None not in files and sizes == (None, None, None):
        return load_operands(*files)
    if None not in sizes and files == (None, None):
        return random_operands(*sizes, seed=args.seed or 0)
    raise InputError("operands: allowed: either --weights and --inputs, or -m, -k and -n")


def _choose(wanted: str, array: Array, weights: Matrix, inputs: Matrix) -> tuple[Flow, GemmCounts]:
    """The flow that was named, or the one with fewest cycles; the first of them in a tie.

    An array that supports a dense flow supports the sparse ones with the same movements.
    """
    nonzero, n = weights != 0, inputs.shape[1]
    candidates = {
        name: counts_of_bitmap(name, array, nonzero, n)
        for name in FLOWS
        if f"d{name[-2:]}" in array.dataflows and wanted in (name, "auto")
    }
    if not candidates:
        raise InputError(f"--dataflow: {wanted!r} is not among the array's dataflows: {', '.join(array.dataflows)}")
    return min(candidates.items(), key=lambda candidate: candidate[1].cycles)


def _report(name: Flow, array: Array, weights: Matrix, inputs: Matrix, gemm: GemmCounts) -> dict[str, Any]:
    (m, k), n, nonzero = weights.shape, inputs.shape[1], weights != 0
    pe_cycles = array.rows * array.cols * gemm.cycles
    sizes = {name: weights_in.size(nonzero, array.rows, array.cols) for name, weights_in in FORMATS.items()}
    return {
        "schema": SCHEMA,
        "version": version("soc_sim"),
        "config": array.model_dump(mode="json"),
        "dataflow": name,
        "rows": array.rows,
        "cols": array.cols,
        "m": m,
        "k": k,
        "n": n,
        "sparsity": 1 - float(nonzero.mean()),
        "cycles": gemm.cycles,
        "folds": gemm.folds,
        "macs_executed": gemm.macs,
        "utilisation": gemm.macs / pe_cycles if pe_cycles else None,
        "weight_words_read": gemm.weight_words,
        "input_words_read": gemm.input_words,
        "zeros_injected": gemm.zeros_injected,
        "output_words_written": gemm.output_words,
        "accumulator_words_read": gemm.accumulator_reads,
        "metadata_bits": _metadata_bits(name, array, nonzero, sizes["two_stage_bitmap"]),
        "weight_bits": {name: size.bits(array.operand_bits) for name, size in sizes.items()},
    }


def _metadata_bits(name: Flow, array: Array, nonzero: Bitmap, whole: FormatSize) -> int:
    """What the controller and the decompression unit must know of W: nothing, or its two-stage bitmap."""
    if name not in SPARSE_DATAFLOWS:
        return 0
    if name != "csOS":
        return whole.metadata_bits
    # A bit for each row of W says whether it is kept; the tiles are cut from the kept ones.
    kept = nonzero.any(axis=1)
    return kept.size + FORMATS["two_stage_bitmap"].size(nonzero[kept], array.rows, array.cols).metadata_bits


def _as_text(report: dict[str, Any]) -> str:
    shown = {key: value for key, value in report.items() if key not in ("schema", "version", "config")}
    shown |= {f"weight_bits ({name})": bits for name, bits in shown.pop("weight_bits").items()}
    for share in ("sparsity", "utilisation"):
        shown[share] = "–" if shown[share] is None else f"{shown[share]:.1%}"
    width = max(map(len, shown))
    return "\n".join(f"{key:{width}}  {value}" for key, value in shown.items())


def _write(path: Path, matrix: Matrix) -> None:
    """Writes beside the target and renames: nobody ever sees half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.save(file, matrix)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"--output {path}: cannot be written: {error.strerror}") from None
