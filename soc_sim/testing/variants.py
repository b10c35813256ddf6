"""The same SoC with one thing changed: for checks that more never hurts and less never helps.

A program compiled for the original also runs on a variant, unless the buffers shrink.
"""

from __future__ import annotations

from typing import Any, TypeVar

from soc_sim.config.base import Description
from soc_sim.config.core import BufferName
from soc_sim.config.memory import Dram, IdealMemory, Memory, SimpleMemory
from soc_sim.config.soc import Soc

D = TypeVar("D", bound=Description)


def changed(description: D, **fields: Any) -> D:
    """A validated copy of a description with other fields (by their Python names)."""
    copy = description.model_copy(update=fields)
    return type(description).model_validate(copy.model_dump(mode="json", exclude_none=True))


def with_bandwidth(soc: Soc, factor: int) -> Soc:
    """Every memory moves ``factor`` times as many bytes a second, with the same latency; so does the interconnect."""
    return changed(
        soc,
        dram=_faster(soc.dram, factor),
        weight_memory=soc.weight_memory and _faster(soc.weight_memory, factor),
        interconnect=changed(soc.interconnect, width_bytes=soc.interconnect.width_bytes * factor),
    )


def with_latency(soc: Soc, extra_ps: int) -> Soc:
    """Every memory answers ``extra_ps`` later."""
    return changed(
        soc, dram=_later(soc.dram, extra_ps), weight_memory=soc.weight_memory and _later(soc.weight_memory, extra_ps)
    )


def with_ports(soc: Soc, ports: int) -> Soc:
    """Every buffer has ``ports`` ports."""
    return changed(
        soc,
        buffers=changed(
            soc.buffers, **{name: changed(getattr(soc.buffers, name), ports=ports) for name in soc.buffers.pads}
        ),
    )


def with_buffers(soc: Soc, factor: int) -> Soc:
    """Every buffer holds ``factor`` times as much."""
    larger = {
        name: changed(scratchpad, capacity_bytes=scratchpad.capacity_bytes * factor)
        for name in soc.buffers.pads
        for scratchpad in [getattr(soc.buffers, name)]
    }
    return changed(soc, buffers=changed(soc.buffers, **larger))


def with_unified(soc: Soc, *operands: BufferName) -> Soc:
    """The buffers of some operands in one, with the sum of their capacities and, as far as allowed, of their ports."""
    joined = [soc.buffers.of(operand) for operand in operands]
    capacity_bytes = sum(one.capacity_bytes for one in joined)
    unified = changed(joined[0], capacity_bytes=capacity_bytes, ports=min(8, sum(one.ports for one in joined)))
    # Consistent only with all changes made: one after another would be refused.
    return changed(soc, buffers=soc.buffers.model_copy(update={**dict.fromkeys(operands), "unified": unified}))


def with_ideal_memory(soc: Soc) -> Soc:
    """Memories and interconnect answer at once and at any rate; requests cost the DMA no time.

    Nor are the buffers' ports a bound: what arrives at an infinite rate would all meet one tile there.
    """
    ideal = IdealMemory(kind="ideal_memory", capacity="1 TiB")
    endless = {
        name: changed(scratchpad, ports=8, banks=256, width_bytes=scratchpad.capacity_bytes)
        for name in soc.buffers.pads
        for scratchpad in [getattr(soc.buffers, name)]
    }
    return changed(
        soc,
        buffers=changed(soc.buffers, **endless),
        dram=ideal,
        weight_memory=soc.weight_memory and ideal,
        interconnect=changed(soc.interconnect, kind="ideal", latency_cycles=0),
        dma=changed(soc.dma, descriptor_cycles=0),
    )


def _faster(memory: Memory, factor: int) -> Memory:
    match memory:
        case Dram():
            return changed(memory, channels=memory.channels * factor)
        case SimpleMemory():
            write = memory.write_bandwidth_bytes_per_s
            return changed(
                memory,
                read_bandwidth_bytes_per_s=memory.read_bandwidth_bytes_per_s * factor,
                write_bandwidth_bytes_per_s=write and write * factor,
            )
        case _:
            return memory


def _later(memory: Memory, extra_ps: int) -> Memory:
    match memory:
        case Dram():
            return changed(memory, controller_latency_ps=memory.controller_latency_ps + extra_ps)
        case SimpleMemory():
            return changed(memory, read_latency_ps=memory.read_latency_ps + extra_ps)
        case _:
            return memory
