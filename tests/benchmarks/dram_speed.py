"""How fast the DRAM model is, beside a plain Python loop of the same machine.

    python tests/benchmarks/dram_speed.py

Times are those of the processor (``time.process_time``), the best of three. What is asked for: 100,000 requests/s of
64 bytes on streams and 30,000 at random through the command loop (``soc-sim dram``), 300 MB of simulated traffic a
second on long contiguous transfers of one initiator (the memory of an SoC).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from soc_sim import ahead_of_time
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.components.memory.dram.replay import Request, replay
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Transfer

LINE, MIB = 64, 2**20
MOVED = 32 * MIB
PRESET = "lpddr4_3200"


def seconds(work: Callable[[], object]) -> float:
    """Of processor time, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def plain_loop() -> int:
    """Two million additions."""
    total = 0
    for index in range(2_000_000):
        total += index
    return total


def stream(count: int) -> Iterator[Request]:
    """One address after another."""
    return (Request(0, index * LINE, LINE, False) for index in range(count))


def two_streams(count: int) -> Iterator[Request]:
    """256 bytes of each in turn."""
    return (
        Request(0, (index // 8 * 4 + index % 4) * LINE + index // 4 % 2 * 16 * MIB, LINE, False)
        for index in range(count)
    )


def at_random(count: int) -> Iterator[Request]:
    """In 64 MiB, without repetition."""
    lines = random.Random(1).sample(range(64 * MIB // LINE), count)  # noqa: S311 # the benchmark's own
    return (Request(0, line * LINE, LINE, False) for line in lines)


def contiguous(transfer_bytes: int, at_once: int = 2) -> float:
    """Reads MOVED bytes through the port of the memory; returns the share served several bursts at once."""
    simulation = Simulation()
    memory = DramModel(simulation, "dram", load(PRESET, Dram))
    addresses = iter(range(0, MOVED, transfer_bytes))

    def next_one(_: Transfer | None = None) -> None:
        address = next(addresses, None)
        if address is not None:
            memory.submit(Transfer("dma", "dram", False, address, transfer_bytes, 1, 0, 1, 0, next_one))

    for _ in range(at_once):
        next_one()
    simulation.run(lambda: memory.read_bytes == MOVED)
    counters = memory.counters()
    return float(counters["closed_form_bursts"] / counters["read_bursts"])


def main() -> None:
    """Print the table."""
    description = load(PRESET, Dram, ("controller_latency=0 s",))
    print(f"kernel and components: {ahead_of_time.form()}")
    print(f"plain loop: {2_000_000 / seconds(plain_loop) / 1e6:.1f} million additions/s")
    for name, make in (("one stream", stream), ("two streams", two_streams), ("random", at_random)):
        requests = list(make(40_000))
        rate = len(requests) / seconds(lambda requests=requests: replay(description, requests))
        print(f"command loop, {name}: {rate:,.0f} requests/s of {LINE} bytes")
    for transfer_bytes in (2048, 4096, 65536):
        share = contiguous(transfer_bytes)
        rate = MOVED / seconds(lambda size=transfer_bytes: contiguous(size)) / 1e6
        served = f"{share:.0%} of the bytes several bursts at once"
        print(f"contiguous transfers of {transfer_bytes} bytes: {rate:,.0f} MB/s simulated, {served}")


if __name__ == "__main__":
    main()
