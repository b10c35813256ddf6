"""``soc-sim compile``: what the compiler chose for each layer and what it expects, without simulating."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from soc_sim.cli.configuration import add_overrides, read_run
from soc_sim.compiler import Program, listing
from soc_sim.compiler.program import Layer
from soc_sim.facade import compile_run
from soc_sim.network.resolve import load_network
from soc_sim.observe.replacing import replacing
from soc_sim.units import PS_PER_S


def add_parser(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compile",
        help="prints the compiled program without simulating it",
        description="Compiles a network for an SoC: dataflow, tiles and expected time of each layer.",
    )
    parser.add_argument("config", metavar="CONFIG", help="a YAML file of kind run, or the name of a shipped one")
    add_overrides(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="writes the whole program: JSON if .json, else text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command; results go to stdout.

    Raises:
        InputError: faults of the configuration, the network or the mapping, one line each.
    """
    configuration = read_run(args.config, args.overrides, args.seed)
    network = load_network(configuration.workload.network, configuration.workload.batch)
    program = compile_run(configuration, network)
    if args.out is not None:
        with replacing(args.out) as file:
            if args.out.suffix == ".json":
                json.dump(listing.to_dict(program), file)
            else:
                file.writelines(f"{line}\n" for line in listing.lines(program))
    if args.json:
        print(json.dumps(_report(program), indent=2))
        return 0
    _print(program)
    for warning in program.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _report(program: Program) -> dict[str, Any]:
    """Choices, estimates and memory, without the instructions (``--out FILE.json`` has those)."""
    document = listing.to_dict(program)
    document["instructions"] = len(program.instructions)
    document["estimate"] = {
        "latency_s": sum(layer.estimate.latency_ps for layer in program.layers if layer.estimate) / PS_PER_S
    }
    return document


def _print(program: Program) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("layer", overflow="ellipsis", no_wrap=True, max_width=40)
    table.add_column("op", no_wrap=True)
    for title in ("M", "K", "N", "groups", "flow", "tile M×K×N", "outer", "cycles", "read", "written", "expected µs"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("results in", no_wrap=True)
    table.add_column("because", overflow="ellipsis", no_wrap=True)
    for layer in program.layers:
        table.add_row(*_row(layer))
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)
    memory = program.memory_map
    expected_ps = sum(layer.estimate.latency_ps for layer in program.layers if layer.estimate)
    print(f"{program.network}: {len(program.layers)} layers, {len(program.instructions)} instructions")
    print(f"MACs {program.macs}; expected {expected_ps / 1e9:.3f} ms, layers one after another")
    for stage in program.stages:
        first, last = (program.layers[layer].name for layer in (stage.first_layer, stage.last_layer))
        print(f"stage on core {stage.core}: {first} to {last}, expected {stage.latency_ps / 1e9:.3f} ms")
    if program.pace is not None:
        print(f"pipeline: expected interval {program.pace.interval_ps / 1e9:.3f} ms, bound by {program.pace.bound}")
    print(f"weights {memory.weight_bytes} bytes; activations {memory.peak_activation_bytes} bytes at most at once")


def _row(layer: Layer) -> list[str]:
    cells = [layer.name, layer.op]
    if layer.gemm is None or layer.tiling is None:
        cells += ["", "", "", "", "host", "", "", ""]
    else:
        gemm, tiling = layer.gemm, layer.tiling
        pixels = tiling.images * tiling.rows * tiling.cols
        groups = f"{tiling.groups}{'|' if tiling.side_by_side else '×'}" if tiling.groups > 1 else ""
        cells += [str(gemm.m), str(gemm.k), str(gemm.n), str(gemm.groups), str(layer.dataflow)]
        cells += [f"{groups}{tiling.m}×{tiling.k}×{pixels}", tiling.outer]
        cells += [str(layer.estimate.compute_cycles) if layer.estimate else ""]
    if layer.estimate is not None:
        estimate = layer.estimate
        cells += [str(estimate.dram_read_bytes), str(estimate.dram_write_bytes), f"{estimate.latency_ps / 1e6:.1f}"]
    if layer.residency is not None:
        why = layer.residency.reason
        if layer.residency.weights_reason:
            why += f"; weights in {layer.residency.weights}: {layer.residency.weights_reason}"
        cells += [", ".join(dict.fromkeys(layer.residency.outputs)), why]
    return cells
