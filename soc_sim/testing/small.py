"""A small SoC and programs made by hand, with round numbers: one cycle is 1000 ps, one byte of memory traffic 1 ns.

>>> soc = small_soc("dram.read_bandwidth=2 GB/s")
>>> soc.dram.read_bandwidth_bytes_per_s
2000000000
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from soc_sim.compiler.program import Compute, Instruction, Layer, MemoryMap, Program, TileCounts, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc

CYCLE_PS = 1000

_SOC: dict[str, Any] = {
    "kind": "soc",
    "name": "small",
    "array": {"rows": 4, "cols": 4, "clock": "1 GHz"},
    "buffers": {
        "weights": {"capacity": "1 KiB", "ports": 8, "width": "128 B"},
        "inputs": {"capacity": "1 KiB", "ports": 8, "width": "128 B"},
        "outputs": {"capacity": "1 KiB", "ports": 8, "width": "128 B"},
    },
    "dma": {"clock": "1 GHz", "burst": "64 B", "chunk": "256 B", "descriptor_cycles": 0},
    "controller": {"clock": "1 GHz", "dispatch_cycles": 0},
    "interconnect": {"kind": "crossbar", "clock": "1 GHz", "width": "1 KiB", "latency_cycles": 0},
    "dram": {
        "kind": "simple_memory",
        "name": "plain",
        "technology": "sram",
        "capacity": "1 MiB",
        "read_bandwidth": "1 GB/s",
        "write_bandwidth": "1 GB/s",
        "burst": "1 B",
    },
    "host": {"kind": "cpu", "clock": "1 GHz", "lanes": 1, "start_cycles": 0, "block": "256 B"},
    "energy": "28nm",
}


@cache
def small_soc(*overrides: str) -> Soc:
    """A SoC whose parts cost nothing but the memory's 1 ns a byte, except for what ``overrides`` (``path=value``) say.

    Raises:
        ConfigurationError: an override does not fit.
    """
    return load(_SOC, Soc, overrides)


def tile(cycles: int, **counts: int) -> TileCounts:
    """What a Compute of ``cycles`` does; it touches no buffer unless ``counts`` says so."""
    nothing = dict.fromkeys(TileCounts.__slots__, 0)
    return TileCounts(**nothing | {"cycles": cycles, "folds": 1} | counts)


def program_of(instructions: Sequence[Instruction], cores: int = 1) -> Program:
    """A program of these instructions, with the layers they name."""
    layers = 1 + max((instruction.layer for instruction in instructions), default=-1)
    return Program(
        network="hand-made",
        layers=tuple(_layer(index, instructions) for index in range(layers)),
        instructions=tuple(instructions),
        memory_map=MemoryMap((), 0, 0, {"dram": 0}),
        cores=cores,
    )


def _layer(index: int, instructions: Sequence[Instruction]) -> Layer:
    own = [instruction for instruction in instructions if instruction.layer == index]
    on_host = any(isinstance(instruction, VectorOp) for instruction in own)
    macs = sum(instruction.counts.macs for instruction in own if isinstance(instruction, Compute))
    return Layer(index, f"layer{index}", "Conv", (f"layer{index}",), "host" if on_host else "array", macs)
