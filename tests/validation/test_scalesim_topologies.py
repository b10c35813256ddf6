"""A topology of SCALE-Sim, as a network for a whole SoC: GEMM shapes and compute cycles are those of SCALE-Sim.

The layers of AlexNet are those of Krizhevsky et al. (2012) without groups; the shapes of ViT-S are in the reference.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import soc_sim
from soc_sim.compiler.program import Compute, Layer

ROWS = list(csv.DictReader(Path(__file__).with_name("scalesim_compute_cycles.csv").read_text().splitlines()))

ALEXNET = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 227, 227, 11, 11, 3, 96, 4,
Conv2, 27, 27, 5, 5, 96, 256, 1,
Conv3, 13, 13, 3, 3, 256, 384, 1,
Conv4, 13, 13, 3, 3, 384, 384, 1,
Conv5, 13, 13, 3, 3, 384, 256, 1,
"""


def topology(network: str) -> str:
    """The topology file of a network in the reference."""
    if network == "alexnet":
        return ALEXNET
    shapes = dict.fromkeys((row["layer"], row["n"], row["m"], row["k"]) for row in ROWS if row["network"] == network)
    return "Layer, M, N, K,\n" + "".join(f"{','.join(shape)},\n" for shape in shapes)


def compiled(folder: Path, network: str, dataflow: str, rows: str) -> dict[str, tuple[Layer, int]]:
    """Layer's name → the layer, and the cycles of its tiles."""
    path = folder / f"{network}.csv"
    path.write_text(topology(network))
    buffers = [f"buffers.{name}.capacity=64 MiB" for name in ("weights", "inputs", "outputs")]
    size = [f"array.rows={rows}", f"array.cols={rows}", "array.edge_tiles=full", "array.os_drain=hidden"]
    soc = soc_sim.load_soc("edge_16x16", [*size, *buffers, "dram=ideal"])
    program = soc_sim.compile(soc, soc_sim.load_network(path), dataflow)
    cycles = Counter[int]()
    for instruction in program.instructions:
        if isinstance(instruction, Compute):
            cycles[instruction.layer] += instruction.counts.cycles
    return {layer.name: (layer, cycles[layer.index]) for layer in program.layers}


CASES = sorted({(row["network"], row["dataflow"], row["rows"]) for row in ROWS})


def test_compute_cycles_of_topologies_are_those_of_scale_sim(tmp_path: Path) -> None:
    """Of 63 rows 60 are equal; in three the compiler cuts the streamed dimension into tiles, to overlap the loads.

    That pays fill and drain again: at worst 7.4 % of a layer's cycles.
    """
    ratios = []
    for case in CASES:
        layers = compiled(tmp_path, *case)
        for row in ROWS:
            if (row["network"], row["dataflow"], row["rows"]) == case:
                layer, cycles = layers[row["layer"]]
                assert layer.gemm is not None
                assert [layer.gemm.m, layer.gemm.k, layer.gemm.n] == [int(row[key]) for key in "mkn"]
                ratios.append(cycles / int(row["cycles"]))
    assert len(ratios) == len(ROWS)
    assert all(1 <= ratio <= 1.1 for ratio in ratios)
    assert ratios.count(1) >= 0.9 * len(ROWS)
