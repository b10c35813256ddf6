"""A whole SoC: cores, host, interconnect and memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim import units
from soc_sim.config.array import Array, Decompression
from soc_sim.config.background import Background
from soc_sim.config.base import Description, repeated
from soc_sim.config.core import BufferName, Buffers, Controller, Dma
from soc_sim.config.domain import CLOCKS, Domain
from soc_sim.config.energy import EnergyTable, PartTables
from soc_sim.config.host import Host
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.memory import Dram, Memory, SimpleMemory, SystemSram
from soc_sim.errors import suggestion
from soc_sim.units import PS_PER_S

MemoryName = Literal["dram", "weight_memory", "system_sram", "inputs_buffer", "weights_buffer"]
"""Where a tensor lies; in a buffer: of the core that uses it, from its first byte to its last use."""

PAGE_BYTES = 4096
"""What programs and background initiators have of a memory starts at multiples of this, as operating systems do it."""

_CYCLES_BETWEEN_REFRESHES = 4
"""What one access needs from refresh to refresh: refresh, activate, read, precharge, a cycle each at least."""


class Soc(Description):
    """Accelerator cores of one kind and a host, behind one interconnect, with one or two memories."""

    kind: Literal["soc"]
    name: str
    """How the SoC is called."""
    cores: Annotated[int, Field(ge=1, le=64)] = 1
    """How many arrays, each with buffers, DMA and controller of its own; tiles of a layer are dealt out to them."""
    array: Array
    buffers: Buffers
    dma: Dma
    controller: Controller
    interconnect: Interconnect
    dram: Memory
    """Main memory: activations, and weights unless `weight_memory` holds them."""
    weight_memory: Memory | None = None
    """A second memory for weights alone, such as flash."""
    system_sram: SystemSram | None = None
    """Shared SRAM on chip: the compiler places activations there, where they fit and it pays."""
    host: Host
    energy: EnergyTable
    energy_parts: PartTables = PartTables()
    """Parts with a table of their own, where an SoC mixes technologies."""
    background: Annotated[tuple[Background, ...], Field(strict=False)] = ()
    """Initiators beside cores and host that share interconnect and memories, from the start of a run to its end."""
    domains: Annotated[tuple[Domain, ...], Field(strict=False)] = ()
    """Clocks that change together; every other clock is a domain of its own, with any frequency and one voltage."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Main memory that cannot be written, priorities of initiators that do not exist, domains that clash."""
        if isinstance(self.dram, SimpleMemory) and self.dram.write_bandwidth_bytes_per_s is None:
            yield "dram.write_bandwidth", "is missing; main memory holds the activations and must be writable"
        for path, name in self.interconnect.named_initiators:
            if name not in self.initiators:
                of_a_core = self._own_initiators[: len(self._own_initiators) // self.cores]
                others = ("host", *(background.name for background in self.background))
                allowed = ", ".join(dict.fromkeys((*of_a_core, *(["…"] if self.cores > 1 else []), *others)))
                hint = suggestion(name, self.initiators)
                yield f"interconnect.{path}", f"'{name}' is no initiator; allowed: {allowed}{hint}"
        yield from self._background_faults()
        yield from self._domain_faults()
        if self.dma.decompression is not None and self.array.decompression != Decompression():
            yield (
                "array.decompression",
                "has nothing to do where dma.decompression expands weights; allowed: one of both",
            )
        macs, array = self.table("array").macs, self.array
        if (array.operand_bits, array.operand_type) not in {(mac.operand_bits, mac.operand_type) for mac in macs}:
            known = ", ".join(f"{mac.operand_bits} ({mac.operand_type})" for mac in macs)
            text = f"the energy table '{self.table('array').name}' has no MAC of {array.operand_bits} bits"
            yield "array.operand_bits", f"{text} ({array.operand_type}); allowed: {known}"
        for position, domain in enumerate(self.domains):
            parts = [part for part, clock in _CLOCK_OF_PART.items() if clock in domain.members and domain.points]
            for name in dict.fromkeys(self.table(part).name for part in parts if self.table(part).voltage_v is None):
                yield f"domains[{position}].points", f"have voltages, but energy table '{name}' names no voltage"

    def _background_faults(self) -> Iterator[tuple[str, str]]:
        yield from repeated("background", [background.name for background in self.background])
        for position, background in enumerate(self.background):
            if background.name in self._own_initiators:
                yield f"background[{position}].name", f"'{background.name}' is an initiator of the SoC already"
            memory = getattr(self, background.memory)
            if memory is None:
                yield (
                    f"background[{position}].memory",
                    f"the SoC has no {background.memory}; allowed: {', '.join(self.memories)}",
                )
            elif background.read_share < 1 and getattr(memory, "write_bandwidth_bytes_per_s", 1) is None:
                yield f"background[{position}].read_share", f"'{background.memory}' cannot be written; allowed: 1"

    def _domain_faults(self) -> Iterator[tuple[str, str]]:
        yield from repeated("domains", [domain.name for domain in self.domains])
        owner: dict[str, str] = {}
        for position, domain in enumerate(self.domains):
            for member in domain.members:
                if owner.setdefault(member, domain.name) != domain.name:
                    yield f"domains[{position}].clocks", f"'{member}' is in domain '{owner[member]}' already"
            if domain.of_dram and not isinstance(self.dram, Dram):
                text = f"'dram' has no clock of its own, it is of kind {self.dram.kind}; needed: kind dram"
                yield f"domains[{position}].clocks", text
                continue
            for point in domain.points if domain.of_dram else ():
                yield from self.beyond_timing(f"domains[{position}].points", point.clock_hz)
            clocks = {member: self.clock_hz(member) for member in domain.members}
            if len(set(clocks.values())) > 1:
                shown = ", ".join(f"{member} {units.format_quantity(hertz, 'hz')}" for member, hertz in clocks.items())
                yield f"domains[{position}].clocks", f"have different frequencies: {shown}; allowed: one in common"
            elif domain.points and domain.voltage_at(next(iter(clocks.values()))) is None:
                first = domain.members[0]
                shown = units.format_quantity(clocks[first], "hz")
                yield f"domains[{position}].points", f"have none for {first}.clock, {shown}, at which a run begins"

    def table(self, part: str) -> EnergyTable:
        """The energy table of a part (a key of `energy_parts`)."""
        return getattr(self.energy_parts, part) or self.energy

    def domain_of(self, clock: str) -> Domain:
        """The domain of a clock, one of `CLOCKS`."""
        return next(domain for domain in self.clock_domains if clock in domain.members)

    def clock_hz(self, clock: str) -> int:
        """Frequency at the start, of one of `MEMBERS`."""
        if clock != "dram":
            return int(getattr(self, clock).clock_hz)
        # Its timing has whole picoseconds; a point has the frequency as it is spoken of.
        assert isinstance(self.dram, Dram)  # noqa: S101 # or its clock would not be asked for
        tck_ps = self.dram.timing.tck_ps
        points = (point.clock_hz for domain in self.domains if domain.of_dram for point in domain.points)
        return next((hertz for hertz in points if self.dram.tck_ps_at(hertz) == tck_ps), round(PS_PER_S / tck_ps))

    def beyond_timing(self, path: str, clock_hz: int) -> Iterator[tuple[str, str]]:
        """A fault, if the DRAM's timing allows no command clock of this frequency, or refreshes take it all."""
        if not isinstance(self.dram, Dram):
            return
        timing, tck_ps = self.dram.timing, self.dram.tck_ps_at(clock_hz)
        interval_ps = timing.nREFI * timing.tck_ps
        shown = units.format_quantity(clock_hz, "hz")
        if tck_ps < timing.tck_ps:
            most = units.format_quantity(self.clock_hz("dram"), "hz")
            yield path, f"{shown} is faster than {most}, the command clock of '{self.dram.name}'; allowed: at most that"
        elif interval_ps // tck_ps < _CYCLES_BETWEEN_REFRESHES:
            least = units.format_quantity(-(-_CYCLES_BETWEEN_REFRESHES * PS_PER_S // interval_ps), "hz")
            yield path, f"{shown} leaves no time between refreshes of '{self.dram.name}'; allowed: {least} at least"

    @property
    def dram_domain(self) -> Domain | None:
        """The domain of the DRAM's clock, if that can change."""
        return next((domain for domain in self.domains if domain.of_dram), None)

    @property
    def clock_domains(self) -> tuple[Domain, ...]:
        """`domains`, and one for each clock that is in none of them."""
        taken = {member for domain in self.domains for member in domain.members}
        return (*self.domains, *(Domain(name=clock) for clock in CLOCKS if clock not in taken))

    @property
    def initiators(self) -> tuple[str, ...]:
        """Names of all that ask the interconnect for transfers, in the order in which they are created."""
        return (*self._own_initiators, *(background.name for background in self.background))

    @property
    def _own_initiators(self) -> tuple[str, ...]:
        channels = dict.fromkeys(self.dma.channel_of.values())
        return (*(f"core{core}.{channel}" for core in range(self.cores) for channel in channels), "host")

    @property
    def memories(self) -> dict[MemoryName, Memory]:
        """All memories behind the interconnect."""
        found: dict[MemoryName, Memory] = {"dram": self.dram}
        if self.weight_memory is not None:
            found["weight_memory"] = self.weight_memory
        if self.system_sram is not None:
            found["system_sram"] = self.system_sram.as_memory
        return found

    def room_bytes(self, name: MemoryName) -> int:
        """What the background initiators leave of a memory."""
        taken = [-(-one.extent_bytes // PAGE_BYTES) * PAGE_BYTES for one in self.background if one.memory == name]
        capacity = self.memories[name].capacity_bytes
        return max(0, capacity - sum(taken)) // PAGE_BYTES * PAGE_BYTES if taken else capacity

    @property
    def local_width_bytes(self) -> int | None:
        """Bytes that a DMA channel moves from buffer to buffer in a cycle of its clock; None: any number."""
        if self.dma.local_width_bytes is None and self.interconnect.kind == "ideal":
            return None
        return self.dma.local_width_bytes or self.interconnect.width_bytes

    def port_width_bytes(self, operand: BufferName) -> int:
        """Bytes of one access of an operand's buffer; by default what the adjoining edge of the array moves in a cycle.

        Results leave by either edge, depending on the dataflow, so the outputs buffer is as wide as the longer one; one
        that several operands share, as the widest of their edges.
        """
        array = self.array
        edges = {
            "weights": array.rows * array.operand_bytes,
            "inputs": array.cols * array.operand_bytes,
            "outputs": max(array.rows, array.cols) * array.accumulator_bytes,
        }
        sharing = self.buffers.pads[self.buffers.name_of(operand)]
        return self.buffers.of(operand).width_bytes or max(edges[name] for name in sharing)


_CLOCK_OF_PART = {"array": "array", "buffers": "array", "interconnect": "interconnect", "host": "host"}
