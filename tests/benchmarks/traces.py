"""What traces cost: ResNet-50 with all tiles and transfers, and five million slices into each format.

    python tests/benchmarks/traces.py [--slices 5000000] [SUFFIX ...]

Each measurement runs in a process of its own. Times are CPU time; memory is what a process needs above what it had when
the first slice was recorded (for ResNet-50: above the untraced run).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

_COMMON = """
import json, resource, sys, time
from contextlib import nullcontext
from pathlib import Path
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import DEFAULT
peak_mb = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""

_RESNET50 = (
    _COMMON
    + """
from soc_sim import compiler, system
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
soc = load("edge_16x16", Soc)
program = compiler.compile(zoo.load("resnet50"), soc)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else None
began = time.process_time()
with writing(path) if path else nullcontext() as sink:
    system.run(soc, program, recorder=TraceRecorder(sink, selection=DEFAULT) if sink else None)
print(json.dumps({"cpu_s": time.process_time() - began, "peak_mb": peak_mb()}))
"""
)

_MANY = (
    _COMMON
    + """
path, count = Path(sys.argv[1]), int(sys.argv[2])
with writing(path) as sink:
    recorder = TraceRecorder(sink)
    units = [recorder.track(f"core{core}.{unit}", "tiles") for core in range(4) for unit in ("array", "dma.weights")]
    memory = recorder.track("dram", "transfers")
    recorder.begin([f"layer{index}" for index in range(100)])
    before_mb, began, time_ps, state = peak_mb(), time.process_time(), 0, 1
    for index in range(0, count, 2):
        # A linear congruence: durations without a pattern, and two transfers of the memory at a time.
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        end_ps = time_ps + 1000 + state % 5000
        units[index % 8].slice("compute", time_ps, end_ps, index // 60_000 % 100, index, index - 8)
        memory.slice("read core0.dma.weights", time_ps + 300, end_ps + 300, index // 60_000 % 100)
        time_ps += 1500
    recorder.end(time_ps)
print(json.dumps({
    "cpu_s": time.process_time() - began, "added_mb": peak_mb() - before_mb,
    "bytes_per_slice": path.stat().st_size / count,
}))
"""
)


def measure(code: str, *arguments: object) -> dict[str, float]:
    """What one process prints."""
    done = subprocess.run(  # noqa: S603 # our own interpreter
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    row: dict[str, float] = json.loads(done.stdout)
    return row


def resnet50(suffix: str) -> dict[str, float]:
    """CPU time and memory of ResNet-50, traced into a file unless ``suffix`` is empty.

    Code that is compiled on first use should have been used before.
    """
    with tempfile.TemporaryDirectory() as folder:
        return measure(_RESNET50, *([Path(folder) / f"trace{suffix}"] if suffix else []))


def many(suffix: str, slices: int) -> dict[str, float]:
    """CPU time, memory and size of so many slices."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(_MANY, Path(folder) / f"trace{suffix}", slices)


def main() -> None:
    """Print one row a measurement."""
    from soc_sim.observe.trace.formats import FORMATS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suffixes", nargs="*", default=list(FORMATS), metavar="SUFFIX")
    parser.add_argument("--slices", type=int, default=5_000_000)
    arguments = parser.parse_args()
    resnet50("")
    untraced = resnet50("")
    print(f"ResNet-50, untraced   {untraced['cpu_s']:7.2f} s {untraced['peak_mb']:6.0f} MB")
    for suffix in arguments.suffixes:
        row = resnet50(suffix)
        print(
            f"ResNet-50, {suffix:9} {row['cpu_s']:8.2f} s {row['peak_mb'] - untraced['peak_mb']:+6.0f} MB "
            f"({row['cpu_s'] / untraced['cpu_s']:.2f} times the untraced time)"
        )
    for suffix in arguments.suffixes:
        row = many(suffix, arguments.slices)
        print(
            f"{arguments.slices:,} slices, {suffix:9} {row['cpu_s']:6.2f} s {row['added_mb']:+6.0f} MB, "
            f"{row['bytes_per_slice']:5.1f} bytes a slice"
        )


if __name__ == "__main__":
    main()
