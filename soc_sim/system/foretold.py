"""How many transfers will reach each memory, reckoned before the run: results do not depend on it, its speed does.

A run moves what its program says, chunk by chunk as the issuers cut it. A scenario moves at least one inference of each
stream that is asked for one, and what its background initiators ask for, if the memories keep up with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from soc_sim.compiler.program import Load, Program, Store, VectorOp
from soc_sim.components.background.initiator import Background
from soc_sim.kernel import Issuer
from soc_sim.units import PS_PER_S


def of_program(program: Program, dma: Issuer, host: Issuer, inferences: int) -> Counter[str]:
    """Memory → transfers of so many inferences.

    Args:
        program: What is executed.
        dma: One of the DMA channels' queues; they all cut alike.
        host: One of the host's queues.
        inferences: How many; what an instruction brings once counts once.
    """
    found = Counter[str]()
    if not inferences:
        return found
    for instruction in program.instructions:
        match instruction:
            case Load() | Store():
                regions, issuer = instruction.regions, dma
            case VectorOp():
                regions, issuer = (*instruction.reads, *instruction.writes), host
            case _:
                continue
        times = 1 if instruction.index in program.once else inferences
        for region in regions:
            found[region.memory] += times * issuer.transfers_of(region)
    return found


def of_background(initiators: Iterable[Background], until_ps: int) -> Counter[str]:
    """Memory → transfers asked for by ``until_ps``; nothing of what repeats a recording."""
    found = Counter[str]()
    for initiator in initiators:
        description = initiator.description
        if description.bandwidth_bytes_per_s is not None:
            asked_bytes = description.bandwidth_bytes_per_s * until_ps // PS_PER_S
            found[description.memory] += int(asked_bytes // min(description.chunk_bytes, initiator.most_bytes))
    return found
