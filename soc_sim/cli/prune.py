"""``soc-sim prune``: prunes a trained model for an SoC, and says what that costs and brings."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.cli.configuration import add_overrides
from soc_sim.config.loader import dump, load
from soc_sim.config.overrides import Setting
from soc_sim.config.prune import Prune
from soc_sim.errors import InputError
from soc_sim.explore.pruning import Pruned, prune, report
from soc_sim.observe.replacing import replacing
from soc_sim.observe.wording import si


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "prune",
        help="prunes a trained model for an SoC: accuracy, latency, energy",
        description="Prunes and repairs a trained ONNX model until a budget is met; prints the trade-off curve. "
        "Options for targets replace those of the configuration.",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file of kind prune, or the name of a shipped one")
    add_overrides(parser)
    parser.add_argument("--out", type=Path, metavar="MODEL.onnx", required=True, help="where the pruned model goes")
    parser.add_argument("--report", type=Path, metavar="DIR", help="writes curve and sensitivity as CSV and PNG there")
    parser.add_argument("--target-sparsity", metavar="S", help="zeros over all weights, as in 0.7")
    parser.add_argument("--target-speedup", metavar="X", help="latency of the dense model over that of the pruned one")
    parser.add_argument("--target-latency", metavar="T", help="latency, at most, as in '120 us'")
    parser.add_argument("--max-accuracy-drop", metavar="D", help="accuracy that may be lost; 0.01 is one point")


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: faults of the input, one line each; or a target that is out of reach.
    """
    settings = (
        Setting("target.sparsity", args.target_sparsity, "--target-sparsity"),
        Setting("target.speedup", args.target_speedup, "--target-speedup"),
        Setting("target.latency", args.target_latency, "--target-latency"),
        Setting("target.max_accuracy_drop", args.max_accuracy_drop, "--max-accuracy-drop"),
        Setting("seed", args.seed, "--seed"),
    )
    job = load(args.config, Prune, [*args.overrides, *(setting for setting in settings if setting.value is not None)])
    _check_place(args.out)

    def progress(line: str) -> None:
        if not args.quiet:
            print(line, file=sys.stderr)

    pruned = prune(job, progress=progress)
    document = pruned.document
    warnings = [*document["warnings"]]
    if pruned.model is not None:
        _save(args.out, pruned.model)
        document["model"] = str(args.out)
        if pruned.int8 is not None:
            beside = args.out.with_suffix(".int8.onnx")
            _save(beside, pruned.int8)
            document["int8"]["model"] = str(beside)
    if args.report:
        warnings += report.write(args.report, pruned, dump(job))
    if args.json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(pruned)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if pruned.failure:
        raise InputError(pruned.failure)
    return 0


def _check_place(path: Path) -> None:
    """Before minutes of work: whether the result can be written.

    Raises:
        InputError: it cannot.
    """
    if path.suffix != ".onnx":
        raise InputError(f"--out {path}: is no name of an ONNX file; allowed: a path that ends in .onnx")
    if path.exists() and not path.is_file():
        raise InputError(f"--out {path}: is there already and is not a file; name a file")
    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--out {path}: the folder {folder} cannot be written to")


def _save(path: Path, model: Any) -> None:
    with replacing(path, binary=True) as file:
        file.write(model.SerializeToString())


def _print(pruned: Pruned) -> None:
    document = pruned.document
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("sparsity", "accuracy %", "drop, points", "latency", "speedup", "energy", "weight bytes"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in pruned.curve:
        table.add_row(
            f"{row['sparsity']:.3f}",
            f"{100 * row['accuracy']:.2f}",
            f"{100 * row['accuracy_drop']:.2f}",
            si(row["latency_s"], "s"),
            f"{row['speedup']:.2f}",
            "unknown" if row["energy_j"] is None else si(row["energy_j"], "J"),
            str(row["weight_bytes"]),
        )
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)
    images = document["images"]
    print(
        f"{document['network']}: {document['weights']} weights; images: {images['calibration']} for calibration, "
        f"{images['validation']} for validation (the table's accuracies), {images['evaluation']} for evaluation"
    )
    if "result" not in document:
        return
    result, dense = document["result"], document["dense"]
    for layer in result["layers"]:
        print(f"  {layer['name']}: {layer['sparsity']:.1%} of {layer['weights']} weights are zero, {layer['dataflow']}")
    print(
        f"result: sparsity {result['sparsity']:.3f}, speedup {result['speedup']:.2f}; accuracy on the evaluation part "
        f"{100 * result['evaluation_accuracy']:.2f} %, dense {100 * dense['evaluation_accuracy']:.2f} %"
    )
    if "int8" in document:
        print(f"int8: accuracy on the evaluation part {100 * document['int8']['evaluation_accuracy']:.2f} %")
