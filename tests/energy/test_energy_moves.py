"""Moves between PEs against the register-level model, whose words are counted link by link.

A full tile: every PE takes part. Weights are 2 and inputs 1000, so a word's value says what it is: sums are larger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from soc_sim.compiler.program import Compute, Layer, MemoryMap, Program
from soc_sim.config.array import DataflowName
from soc_sim.dataflow import counts
from soc_sim.dataflow.reference.edges import OutputBuffer
from soc_sim.dataflow.reference.grid import Grid, Link
from soc_sim.dataflow.reference.memory import Memory
from soc_sim.dataflow.reference.movements import input_stationary, output_stationary, weight_stationary
from soc_sim.energy.run import energy_of
from soc_sim.system import run
from soc_sim.testing.small import small_soc, tile

SIDE = 4
"""Rows and columns of the small SoC's grid."""
WEIGHT, INPUT = 2, 1000
SHAPES: dict[DataflowName, tuple[Callable[..., object], tuple[int, int, int]]] = {
    "dOS": (output_stationary, (SIDE, 7, SIDE)),
    "dWS": (weight_stationary, (SIDE, SIDE, 9)),
    "dIS": (input_stationary, (6, SIDE, SIDE)),
}
"""Flow → movement of one fold, and m, k, n that fill the grid."""


def moved(flow: DataflowName) -> Counter[str]:
    """Words by kind that crossed a wire: into the grid, from PE to PE, and sums on their way out."""
    movement, (m, k, n) = SHAPES[flow]
    found: Counter[str] = Counter()

    def watch(grid: Grid, left: Sequence[Link], top: Sequence[Link]) -> None:
        right, down = grid.links
        inner = [word for row in right for word in row[:-1]] + [word for row in down[:-1] for word in row]
        leaving = [row[-1] for row in right] + list(down[-1])
        for word in (*left, *top, *inner):
            if word is not None:
                found["weight" if word == WEIGHT else "input" if word == INPUT else "sum"] += 1
        found["sum"] += sum(word is not None and word not in (WEIGHT, INPUT) for word in leaving)

    memory = Memory([[WEIGHT] * k] * m, [[INPUT] * n] * k, decompresses=False)
    movement(memory, OutputBuffer(), range(m), range(k), range(n), watch)
    return found


@pytest.mark.parametrize("flow", SHAPES)
def test_bytes_between_pes_are_those_of_the_register_level_model(flow: DataflowName) -> None:
    m, k, n = SHAPES[flow][1]
    soc = small_soc("dram={kind: ideal_memory}", "buffers.outputs.capacity=64 KiB")
    gemm = counts(flow, soc.array, m, k, n)
    word_bytes = soc.array.operand_bytes if flow == "dOS" else soc.array.accumulator_bytes
    compute = Compute(
        0, 0, 0, (), (), 0, 0, 0,
        tile(
            gemm.cycles, macs=gemm.macs, weight_bytes=gemm.weight_words, input_bytes=gemm.input_words,
            output_write_bytes=gemm.output_words * word_bytes,
        ),
    )  # fmt: skip
    layer = Layer(0, "gemm", "Gemm", ("gemm",), "array", gemm.macs, dataflow=flow)
    program = Program("one tile", (layer,), (compute,), MemoryMap((), 0, 0, {"dram": 0}))
    found = energy_of(run(soc, program)).counts
    words = moved(flow)
    operand, accumulator = soc.array.operand_bytes, soc.array.accumulator_bytes
    assert found.pe_to_pe_bytes == (words["weight"] + words["input"]) * operand + words["sum"] * accumulator
