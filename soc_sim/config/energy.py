"""Energy per action at one technology node. Values come from published tables, named in each file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Milliwatts, Picojoules, SquareMillimetres, repeated


class SramPoint(Description):
    """One memory of a table; others are interpolated between points of the same width, on logarithmic axes."""

    capacity_bytes: Bytes
    """Size of the memory."""
    width_bits: PositiveInt
    """Bits of one access."""
    read_pj: Picojoules
    """One access of the full width."""
    write_pj: Picojoules
    """One access of the full width."""
    leakage_mw: Milliwatts
    """Of the whole memory."""
    area_mm2: SquareMillimetres
    """Of the whole memory."""


class MacPoint(Description):
    """One multiply-accumulate of a given operand width."""

    operand_bits: Literal[8, 16, 32]
    """Width of weights and activations."""
    mac_pj: Picojoules
    """One multiplication and addition."""
    leakage_mw: Milliwatts
    """Of one PE."""
    area_mm2: SquareMillimetres
    """Of one PE."""


class EnergyTable(Description):
    """What one action costs."""

    kind: Literal["energy"]
    name: str
    """How the table is called."""
    technology_nm: PositiveInt
    """Process node in nm."""
    macs: Annotated[tuple[MacPoint, ...], Field(strict=False, min_length=1)]
    """One entry for each width of operands."""
    register_pj_per_byte: Annotated[float, Field(ge=0)]
    """A PE's register, one byte written and read."""
    sram: Annotated[tuple[SramPoint, ...], Field(strict=False, min_length=1)]
    """Memories between which buffers are interpolated."""
    interconnect_pj_per_byte: Annotated[float, Field(ge=0)]
    """One hop."""
    host_pj_per_operation: Annotated[float, Field(ge=0)]
    """Vector-unit operation where the host names none of its own."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Two entries for one thing."""
        yield from repeated("macs", [f"{point.operand_bits} bits" for point in self.macs])
        yield from repeated("sram", [f"{point.capacity_bytes} B, {point.width_bits} bits" for point in self.sram])
