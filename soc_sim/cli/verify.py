"""``soc-sim verify``: executes the compiled program's numbers and compares them with the network's definition."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.cli.configuration import add_overrides, read_run
from soc_sim.compiler.functional import Comparison, Verification, verify
from soc_sim.config.npz import read_npz
from soc_sim.errors import InputError, VerificationError, suggestion
from soc_sim.facade import compile_run
from soc_sim.network.base import Network
from soc_sim.network.evaluation import require_onnx
from soc_sim.network.resolve import load_network
from soc_sim.network.seeded import random_inputs, with_values


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="executes the compiled program and checks its numbers",
        description="Executes the compiled program tile by tile and compares every layer with ONNX's reference. "
        "Weights and inputs that have no values are random (--seed).",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file of kind run, or the name of a shipped one")
    add_overrides(parser)
    parser.add_argument("--input", type=Path, metavar="FILE.npz", help="an array for each input of the network")


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: faults of the configuration, the network, the mapping or the inputs, one line each.
        VerificationError: numbers differ; names all layers and outputs that do.
    """
    configuration = read_run(args.config, args.overrides, args.seed)
    require_onnx("soc-sim verify")
    workload = configuration.workload
    network = with_values(load_network(workload.network, workload.batch), configuration.seed)
    inputs = _read(args.input, network) if args.input else random_inputs(network, configuration.seed)
    program = compile_run(configuration, network)
    with Console(stderr=True, quiet=args.quiet or not sys.stderr.isatty()).status("executing"):
        found = verify(network, configuration.soc, program, inputs, workload.sparsity)
    if args.json:
        print(json.dumps(_report(found), indent=2))
    else:
        _print(found, program.macs)
    if not found.matches:
        raise VerificationError("\n".join(_differences(found)))
    return 0


def _read(path: Path, network: Network) -> dict[str, npt.NDArray[Any]]:
    """The inputs from a file; a single image of the file's shape is taken for a batch of one."""
    arrays = read_npz(path, "--input")
    faults = [
        f"--input {path}: '{name}' is no input of {network.name}; "
        f"allowed: {', '.join(network.inputs)}{suggestion(name, network.inputs)}"
        for name in arrays
        if name not in network.inputs
    ]
    found = {}
    for name in network.inputs:
        shape = (network.batch, *network.tensors[name].shape)
        if name not in arrays:
            faults.append(f"--input {path}: there is no array '{name}'")
        elif arrays[name].shape not in (shape, *([shape[1:]] if network.batch == 1 else [])):
            faults.append(f"--input {path}: '{name}' has the shape {arrays[name].shape}; allowed: {shape}")
        elif arrays[name].dtype.kind not in "iuf" or not np.isfinite(arrays[name]).all():
            faults.append(f"--input {path}: '{name}' is not all finite numbers; allowed: integers and floats")
        else:
            values = arrays[name].reshape(shape)
            found[name] = values.astype(np.float32) if values.dtype.kind == "f" else values
    if faults:
        raise InputError(*faults)
    return found


def _report(found: Verification) -> dict[str, Any]:
    def row(comparison: Comparison) -> dict[str, Any]:
        error = comparison.max_error
        return {
            "name": comparison.name,
            "max_error": error if math.isfinite(error) else None,
            "tolerance": comparison.tolerance,
            "matches": comparison.matches,
        }

    return {
        "network": found.network,
        "layers": [{**row(layer), "dataflow": layer.dataflow, "faults": list(layer.faults)} for layer in found.layers],
        "outputs": [row(output) for output in found.outputs],
        "matches": found.matches,
        "macs_executed": found.macs_executed,
    }


def _print(found: Verification, macs: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("layer", overflow="ellipsis", no_wrap=True, max_width=40)
    table.add_column("flow", no_wrap=True)
    for title in ("max error", "tolerance"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("ok", no_wrap=True)
    rows = [(layer.dataflow or "host", layer) for layer in found.layers]
    rows += [("output", output) for output in found.outputs]
    for kind, comparison in rows:
        errors = (f"{value:.3g}" for value in (comparison.max_error, comparison.tolerance))
        table.add_row(comparison.name, kind, *errors, "yes" if comparison.matches else "NO")
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)
    right = sum(layer.matches for layer in found.layers)
    print(f"{found.network}: {right} of {len(found.layers)} layers match the reference")
    print(f"MACs executed {found.macs_executed} of {macs}")


def _differences(found: Verification) -> list[str]:
    lines = []
    for kind, comparisons in (("layer", found.layers), ("output", found.outputs)):
        for comparison in comparisons:
            if not comparison.max_error <= comparison.tolerance:
                lines.append(
                    f"{kind} {comparison.name}: differs by {comparison.max_error:.3g}; "
                    f"allowed: {comparison.tolerance:.3g}"
                )
            lines += [f"{kind} {comparison.name}: {fault}" for fault in comparison.faults]
    return lines
