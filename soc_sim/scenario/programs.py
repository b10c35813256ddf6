"""The programs of a scenario's streams: each network is compiled once for all streams that map it alike.

A program may keep weights and results on chip, as if the machine were its own. Where streams share cores, none keeps
anything in buffers between its layers, unless buffers are divided: then each has an equal part, and keeps what it wants
there. What background initiators leave of a shared SRAM is divided into equal parts,
one for each stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from soc_sim import system
from soc_sim.compiler.program import Program
from soc_sim.config.core import Buffers, Scratchpad
from soc_sim.config.scenario import RequestStream, Scenario
from soc_sim.config.soc import PAGE_BYTES, Soc
from soc_sim.energy.prices import prices
from soc_sim.network.base import Network
from soc_sim.network.resolve import load_network


@dataclass(frozen=True)
class Mapped:
    """A stream with its program."""

    stream: RequestStream
    program: Program
    cores: tuple[int, ...]


def programs_of(scenario: Scenario, soc: Soc, given: Mapping[str, Network | Program]) -> tuple[list[Mapped], list[str]]:
    """The streams' programs, and what the user should know about them.

    Args:
        scenario: The description.
        soc: Its SoC, background initiators included.
        given: Stream → its network or program, where the caller has it already.

    Raises:
        NetworkError, MappingError: as in ``compile``.
    """
    sharing = [_sharing(scenario, stream) for stream in scenario.streams]
    divided = scenario.scheduling.buffers == "divided"
    keys = [
        (stream.model_dump_json(include={"network", "batch", "sparsity", "mapping"}), id(given.get(stream.name)),
         len(scenario.cores_of(stream)), shares)
        for stream, shares in zip(scenario.streams, sharing, strict=True)
    ]  # fmt: skip
    programs: dict[object, Program] = {}
    for stream, shares, key in zip(scenario.streams, sharing, keys, strict=True):
        if key not in programs:
            network = given.get(stream.name)
            if isinstance(network, Program):
                programs[key] = network
            else:
                part = _part(soc, len(scenario.cores_of(stream)), len(scenario.streams))
                if divided:
                    part = part.model_copy(update={"buffers": _divided(part.buffers, shares)})
                program = _compile(part, stream, network, keeps=shares == 1 or divided)
                programs[key] = replace(program, buffer_parts=shares if divided else 1)
    mapped = [
        Mapped(stream, programs[key], scenario.cores_of(stream))
        for stream, key in zip(scenario.streams, keys, strict=True)
    ]
    ready = [stream.name for stream in scenario.streams if isinstance(given.get(stream.name), Program)]
    together = zip(scenario.streams, sharing, strict=True)
    off = [one.name for one, shares in together if shares > 1 and one.name not in ready]
    warnings = []
    if off and not divided:
        warnings.append(
            f"streams that share cores keep nothing on chip between layers (scheduling.buffers): {', '.join(off)}"
        )
    without = [one.name for one in scenario.streams if one.mapping.sram_weights != "off" and one.name not in ready]
    if without and _part(soc, 1, len(scenario.streams)).system_sram is None:
        warnings.append(f"nothing of system_sram is left for weights of streams: {', '.join(without)}")
    if ready:
        warnings.append(f"the embedded configuration does not hold the programs that Python gave: {', '.join(ready)}")
    return mapped, warnings


def _sharing(scenario: Scenario, stream: RequestStream) -> int:
    """How many streams use the stream's cores, itself included."""
    own = set(scenario.cores_of(stream))
    return sum(bool(own & set(scenario.cores_of(other))) for other in scenario.streams)


def _divided(buffers: Buffers, parts: int) -> Buffers:
    """What one of several streams has of each buffer."""
    pads: dict[str, Scratchpad] = {
        name: pad.model_copy(update={"capacity_bytes": pad.capacity_bytes // parts})
        for name in buffers.pads
        if (pad := getattr(buffers, name)) is not None
    }
    return buffers.model_copy(update=pads)


def _part(soc: Soc, cores: int, streams: int) -> Soc:
    """The SoC as the compiler sees it for one of several streams; other initiators only take room from it."""
    sram = soc.system_sram
    if sram is not None:
        room = soc.room_bytes("system_sram")
        share = room if streams == 1 else room // streams // PAGE_BYTES * PAGE_BYTES
        sram = sram.model_copy(update={"capacity_bytes": share}) if share else None
    return soc.model_copy(update={"cores": cores, "system_sram": sram, "background": ()})


def _compile(soc: Soc, stream: RequestStream, network: Network | None, *, keeps: bool) -> Program:
    mapping = stream.mapping if keeps else stream.mapping.model_copy(update={"residency": "off"})
    if soc.system_sram is None:  # none is left of it: that was said
        mapping = mapping.model_copy(update={"sram_weights": "off"})
    known = None if mapping.layer_objective == "latency" else prices(soc)
    loaded = load_network(stream.network, stream.batch) if network is None else network
    return system.compile_by_trial(loaded, soc, mapping, stream.sparsity, known)
