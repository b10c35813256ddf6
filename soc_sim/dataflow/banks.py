"""How long a buffer's ports keep a tile: throughput of all banks, and conflicts where accesses meet at one.

A buffer has ``banks`` of ``ports`` each, interleaved by words of ``width``; a port serves one access a cycle. In each
cycle the array reads a word with probability r, writes one with w, and the DMA moves one with d, each at some bank.
More than ``ports`` of them at one bank lose a cycle:

- one port: r w / B + (r + w) d / (2 B). Where the array meets itself it waits; where it meets the DMA, each loses as
  often, and the DMA's word waits in its queue.
- two ports: all three at one bank, 2/3 r w d / B^2.
- more: never.

One bank is a memory with that many ports to every word: accesses queue and only throughput counts. Left out: strides
that favour some banks (words are taken to be spread evenly), queues of more than one word.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from soc_sim.config.core import Scratchpad


def port_cycles(
    buffer: Scratchpad, width_bytes: int, cycles: Any, read_bytes: Any, written_bytes: Any, dma_bytes: Any
) -> Any:
    """Cycles that the ports need for a tile of ``cycles`` with so many bytes; numbers or arrays that broadcast."""
    accesses = (read_bytes + written_bytes + dma_bytes) / width_bytes
    throughput = accesses / (buffer.ports * buffer.banks)
    if buffer.banks == 1 or buffer.ports > 2:
        return throughput
    available = np.maximum(cycles, 1)
    r, w, d = (np.minimum(size / width_bytes / available, 1.0) for size in (read_bytes, written_bytes, dma_bytes))
    pairs, triples = (r * w + (r + w) * d / 2) / buffer.banks, 2 / 3 * r * w * d / buffer.banks**2
    return np.maximum(throughput, available * (1 + (pairs if buffer.ports == 1 else triples)))
