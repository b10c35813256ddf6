"""The run whose dumps lie in ``traces/``: two tiles on a small SoC made by hand, with a DRAM and a host.

    python tests/traces/two_tiles.py [FOLDER]

writes them anew, where a model or a format has been changed on purpose.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from soc_sim.compiler.program import Compute, Instruction, Load, Region, Store, VectorOp
from soc_sim.observe.replacing import replacing
from soc_sim.observe.requests import RequestRecorder
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.several import Several
from soc_sim.system import RunRecord, run
from soc_sim.testing.small import program_of, small_soc, tile

FOLDER = Path(__file__).parents[2] / "traces"
FORMATS = (".json", ".pftrace", ".csv", ".vcd")
"""Parquet is left out: which bytes it has depends on the version of the library that compresses them."""
FILES = (*(f"two_tiles{suffix}" for suffix in FORMATS), "two_tiles.requests.csv")

SETTINGS = ("dram=lpddr4_3200", "interconnect.latency_cycles=2", "controller.dispatch_cycles=4")


def instructions() -> list[Instruction]:
    """A layer of two tiles that share their weights, and an operator of the host on what they store."""

    def region(address: int, size: int) -> Region:
        return Region("dram", address, size)

    moved = {"macs": 640, "weight_bytes": 128, "input_bytes": 160, "output_write_bytes": 64}
    return [
        Load(0, 0, 0, "weights", (region(0, 256),), 256),
        Load(1, 0, 0, "inputs", (region(4096, 320),), 320),
        Compute(2, 0, 0, (0,), (1,), 128, 0, 320, tile(60, **moved)),
        Load(3, 0, 0, "inputs", (region(8192, 320),), 320),
        Compute(4, 0, 0, (0,), (3,), 0, 256, 320, tile(60, **moved)),
        Store(5, 0, 0, (region(65536, 128),), 128, (2, 4)),
        VectorOp(6, 1, (region(65536, 128),), (region(131072, 128),), 64, (5,)),
    ]


def write(folder: Path) -> RunRecord:
    """Write all dumps of the run."""
    with ExitStack() as files:
        sinks = [files.enter_context(writing(folder / f"two_tiles{suffix}")) for suffix in FORMATS]
        requests = files.enter_context(replacing(folder / "two_tiles.requests.csv"))
        recorder = Several(TraceRecorder(*sinks), RequestRecorder({"dram": requests}))
        return run(small_soc(*SETTINGS), program_of(instructions()), recorder=recorder)


def main() -> None:
    """Write the dumps into the folder named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
