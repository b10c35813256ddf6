"""Speedup of sparse over dense ResNet-50 for tile-column sparsity 0 to 0.9, on three arrays, ideal memory and LPDDR4.

    python tests/benchmarks/sparse_resnet50.py [--network NAME] [--pattern NAME] [ROWS ...]

Each row compares with the dense run of the same SoC. ``busy``: share of the sparse run's time in which the array
computes. The layers are split by the dense run: in a compute-bound one the array computes for at least 90 % of the
layer's time; each part's speedup is that of its own time. The first layers behind operators of the host, and what
comes behind the last one, are a part of their own: the array waits for the host there, and the longer, the sooner it
has ended the layer before. ``lost``: what the layer that loses most takes longer, over the time of the dense network,
of all layers but these. A layer's time begins where the array ends the one before, so a wait that a slower neighbour
hid counts for the layer that now shows it.

The published range of whole-network speedups is 1.41 to 4.28 (FlexiSAGA, arXiv 2506.01566), for networks, arrays and
sparsities that are not public. What is printed here are this model's results, not a reproduction of those.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from soc_sim import compiler, system
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.system import RunRecord
from soc_sim.testing.variants import with_ideal_memory

ROWS = (8, 16, 32)
LEVELS = tuple(level / 10 for level in range(10))
COMPUTE_BOUND = 0.9


@dataclass(frozen=True)
class Speedup:
    """One sparse run beside its dense one."""

    record: RunRecord
    whole: float
    compute_bound: float | None
    """Of the layers that the array's computation bounds in the dense run; None where there are none."""
    bandwidth_bound: float | None
    """Of all others, but those behind the host."""
    behind_host: float | None
    """Of the layers of the host, as far as the array has to wait for them, and those right behind them."""
    lost: float
    """The most that a layer takes longer, over the time of the whole dense network, but those behind the host."""

    @property
    def busy(self) -> float:
        """Share of time in which the array computes."""
        times = self.record.cores[0].array_ps
        return sum(span for (_, cause), span in times.items() if cause == "busy") / self.record.makespan_ps


def soc_of(rows: int, *, ideal: bool = False) -> Soc:
    """The 16 × 16 edge SoC with another array."""
    soc = load("edge_16x16", Soc, [f"array.rows={rows}", f"array.cols={rows}"])
    return with_ideal_memory(soc) if ideal else soc


def simulate(soc: Soc, network: Network, sparsity: Sparsity | None = None) -> RunRecord:
    """Compiled for this SoC with its best dataflows."""
    return system.run(soc, compiler.compile(network, soc, None, sparsity or "dense"))


def speedup(dense: RunRecord, sparse: RunRecord) -> Speedup:
    """Of the whole network, and of the layers that computation and bandwidth bound in the dense run."""
    before, after = layer_times(dense), layer_times(sparse)
    busy = {layer: dense.cores[0].array_ps.get((layer, "busy"), 0) for layer in before}
    units = [layer.unit for layer in dense.program.layers]
    host = {layer for layer in before if "host" in units[max(0, layer - 1) : layer + 1]}
    bound = {layer for layer, time_ps in before.items() if busy[layer] >= COMPUTE_BOUND * time_ps} - host

    def of(layers: set[int]) -> float | None:
        return sum(before[i] for i in layers) / sum(after[i] for i in layers) if layers else None

    return Speedup(
        sparse,
        dense.makespan_ps / sparse.makespan_ps,
        of(bound),
        of(set(before) - bound - host),
        of(host),
        max(0, *(after[layer] - before[layer] for layer in set(before) - host)) / dense.makespan_ps,
    )


def layer_times(record: RunRecord) -> Counter[int]:
    """Layer → time of the (only) array that belongs to it."""
    times = Counter[int]()
    for (layer, _), span_ps in record.cores[0].array_ps.items():
        times[layer] += span_ps
    return times


def study(network: Network, soc: Soc, pattern: str, levels: tuple[float, ...]) -> Iterator[tuple[float, Speedup]]:
    """(level, speedup) for every level."""
    dense = simulate(soc, network)
    for level in levels:
        sparsity = Sparsity.model_validate({"pattern": pattern, "level": level, "seed": 1})
        yield level, speedup(dense, simulate(soc, network, sparsity))


def main() -> None:
    """Print one row for each array, memory and level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=ROWS, metavar="ROWS")
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--pattern", default="tile_columns")
    arguments = parser.parse_args()
    network = zoo.load(arguments.network)
    print(
        f"{'array':>7} {'memory':>7} {'zeros':>5} {'latency ms':>10} {'speedup':>7} {'compute-bound':>13} "
        f"{'bandwidth-bound':>15} {'host':>5} {'busy %':>6} {'lost %':>6}  dataflows"
    )
    for rows in arguments.rows:
        for memory in ("ideal", "LPDDR4"):
            for level, row in study(network, soc_of(rows, ideal=memory == "ideal"), arguments.pattern, LEVELS):
                parts = [
                    f"{part:.2f}" if part else "–" for part in (row.compute_bound, row.bandwidth_bound, row.behind_host)
                ]
                flows = Counter(layer.dataflow for layer in row.record.program.layers if layer.dataflow)
                print(
                    f"{rows:>4}×{rows:<2} {memory:>7} {level:5.1f} {row.record.makespan_ps / 1e9:10.3f} "
                    f"{row.whole:7.2f} {parts[0]:>13} {parts[1]:>15} {parts[2]:>5} "
                    f"{100 * row.busy:6.1f} {100 * row.lost:6.2f}  "
                    f"{', '.join(f'{flow} {count}' for flow, count in sorted(flows.items()))}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
