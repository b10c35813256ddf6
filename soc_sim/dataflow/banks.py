"""How long a buffer's ports keep a tile: throughput of all banks, and conflicts where accesses meet at one.

A buffer has ``banks`` of ``ports`` each, interleaved by words of ``width``; a port serves one access a cycle. In each
cycle each stream of the array (reading weights, writing results, ...) moves a word with a probability of its own, and
the DMA one with d, each at some bank. More than ``ports`` of them at one bank lose cycles:

- the array by itself waits until the fullest bank is served: the mean of max(ceil(accesses of a bank / ports)) - 1 over
  all ways to place the streams that are active. For one that reads (r) and one that writes (w), one port: r w / B.
- ``ports`` of them and the DMA: one of these waits, the DMA (whose word waits in its queue) as often as each of the
  others: ports / (ports + 1) e d / B^ports, e the sum over all choices of ``ports`` streams.

One bank is a memory with that many ports to every word: accesses queue and only throughput counts. Left out: strides
that favour some banks (words are taken to be spread evenly), queues of more than one word, and the DMA where more than
``ports`` streams of the array meet already.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from soc_sim.config.core import Scratchpad


def port_cycles(buffer: Scratchpad, width_bytes: int, cycles: Any, array_bytes: Sequence[Any], dma_bytes: Any) -> Any:
    """Cycles that the ports need for a tile of ``cycles``; numbers or arrays that broadcast.

    ``array_bytes``: of each stream of the array; ``dma_bytes``: moved in and out meanwhile.
    """
    accesses = (sum(array_bytes) + dma_bytes) / width_bytes
    throughput = accesses / (buffer.ports * buffer.banks)
    streams = [size for size in array_bytes if isinstance(size, np.ndarray) or size]
    if buffer.banks == 1 or buffer.ports > len(streams):
        return throughput
    available = np.maximum(cycles, 1)
    *rates, dma = (np.minimum(size / width_bytes / available, 1.0) for size in (*streams, dma_bytes))
    lost = 0.0
    for active, likely in enumerate(_active(rates)):
        if (mean := _lost(active, buffer.banks, buffer.ports)) > 0:
            lost = lost + likely * mean
    chosen = sum(math.prod(some) for some in combinations(rates, buffer.ports))
    met = buffer.ports / (buffer.ports + 1) * chosen * dma / buffer.banks**buffer.ports
    return np.maximum(throughput, available * (1 + lost + met))


def _active(rates: Sequence[Any]) -> list[Any]:
    """Probabilities that none, one, two, ... of the streams move a word in a cycle."""
    found: list[Any] = [1.0]
    for rate in rates:
        found = [
            (found[count] * (1 - rate) if count < len(found) else 0.0) + (found[count - 1] * rate if count else 0.0)
            for count in range(len(found) + 1)
        ]
    return found


@cache
def _lost(accesses: int, banks: int, ports: int) -> float:
    """Cycles beyond the first until all ``accesses``, each at any of the banks, are served: the mean."""
    likely = Counter[int]()
    for parts in _partitions(accesses):
        placed = math.prod(range(banks, banks - len(parts), -1))
        likely[max((-(-part // ports) for part in parts), default=1) - 1] += placed
    total = sum(lost * ways for lost, ways in likely.items())
    mean: float = total / banks**accesses
    return mean


def _partitions(items: int) -> Iterator[tuple[int, ...]]:
    """Sizes of the blocks, for each way to divide distinct items into blocks."""
    if not items:
        yield ()
        return
    for blocks in _partitions(items - 1):
        yield (*blocks, 1)
        for index, size in enumerate(blocks):
            yield (*blocks[:index], size + 1, *blocks[index + 1 :])
