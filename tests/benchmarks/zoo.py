"""Time, events and memory of whole networks on one SoC, each in a process of its own.

    python tests/benchmarks/zoo.py [--soc edge_16x16] [NETWORK ...]

Times are orientation, not tests: they depend on the machine. The ratio to a plain Python loop (million additions a
second, measured in the same process) makes them comparable.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

ONE = """
import json, resource, sys, time
began = time.perf_counter()
import soc_sim
soc, network = soc_sim.load_soc(sys.argv[1]), soc_sim.load_network(sys.argv[2])
loaded = time.perf_counter()
program = soc_sim.compile(soc, network)
compiled = time.perf_counter()
result = soc_sim.simulate(soc, program)
simulated = time.perf_counter()
total = 0
for step in range(1_000_000):
    total += step
looped = time.perf_counter()
print(json.dumps({
    "network": sys.argv[2], "latency_ms": 1e3 * result.latency_s, "load_s": loaded - began,
    "compile_s": compiled - loaded, "simulate_s": simulated - compiled, "loop_s": looped - simulated,
    "events": result.simulation["events"], "instructions": len(program.instructions),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def measure(soc: str, network: str) -> dict[str, float]:
    """One network in a fresh process."""
    done = subprocess.run(  # noqa: S603 # our own interpreter
        [sys.executable, "-c", ONE, soc, network], capture_output=True, text=True, check=True
    )
    row: dict[str, float] = json.loads(done.stdout)
    return row


def main() -> None:
    """Print one row a network."""
    from soc_sim.network import zoo

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=zoo.names(), metavar="NETWORK")
    parser.add_argument("--soc", default="edge_16x16")
    arguments = parser.parse_args()
    print(
        f"{'network':18} {'latency ms':>10} {'load s':>7} {'compile s':>9} {'simulate s':>10} {'loops':>6} "
        f"{'events':>8} {'instr.':>7} {'peak MB':>8}"
    )
    for network in arguments.networks:
        row = measure(arguments.soc, network)
        loops = (row["compile_s"] + row["simulate_s"]) / row["loop_s"]
        print(
            f"{network:18} {row['latency_ms']:10.3f} {row['load_s']:7.2f} {row['compile_s']:9.2f} "
            f"{row['simulate_s']:10.2f} {loops:6.0f} {row['events']:8} {row['instructions']:7} {row['peak_mb']:8.0f}"
        )


if __name__ == "__main__":
    main()
