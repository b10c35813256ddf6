"""Compiles for several cores by trial: small programs are run once for each number of them that may pay.

The compiler prices layers one by one. What cores wait for between short layers, and what they do to one another at the
memory, depends on the layers around, and is seen only when all of them run.
"""

from __future__ import annotations

from typing import Literal

from soc_sim import compiler
from soc_sim.compiler.prices import Prices
from soc_sim.compiler.program import Program
from soc_sim.compiler.zeros import zeros_of
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.system.soc import run

MOST_INSTRUCTIONS = 4_000
"""Of a program that is tried: a run takes some tenths of a second. In larger ones waits between layers matter less."""


def compile_by_trial(
    network: Network, soc: Soc, mapping: Mapping, sparsity: Literal["dense"] | Sparsity, prices: Prices | None
) -> Program:
    """The program for ``soc``; where cores share layers for latency, for the number of them that makes it quickest.

    All are tried, and each smaller power of two; of equally quick ones the fewest win, and the other cores stay idle.

    Raises:
        MappingError: as in ``compiler.compile``.
    """
    zeros = sparsity if sparsity == "dense" else zeros_of(network, sparsity, soc.array)

    def compiled(mapping: Mapping) -> Program:
        return compiler.compile(network, soc, mapping, zeros, prices)

    whole = compiled(mapping)
    open_ = mapping.split == "auto" and mapping.objective == "latency" and mapping.cores is None
    if soc.cores == 1 or not open_ or len(whole.instructions) > MOST_INSTRUCTIONS:
        return whole
    fewer = [1 << bit for bit in range(soc.cores.bit_length()) if 1 << bit < soc.cores]
    programs = [compiled(mapping.model_copy(update={"cores": cores})) for cores in fewer]
    return min((*programs, whole), key=lambda program: run(soc, program).makespan_ps)
