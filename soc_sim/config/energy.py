"""Energy per action at one technology node. Values come from published tables, named in each file.

All energies are those at the table's supply; an operating point of a clock domain scales them (energy/supply.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Milliwatts, Picojoules, SquareMillimetres, Volts, repeated
from soc_sim.config.host import OperationKind


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


SramCell = Literal["lstp", "lop", "hp"]
"""Transistors of a memory: low standby power, low operating power, high performance (ITRS)."""


class CellPoint(Description):
    """What another kind of cell or another temperature makes of the table's memories: factors."""

    cell: SramCell
    """Kind of transistors."""
    temperature_k: Annotated[int, Field(ge=200, le=450)]
    """Temperature in K."""
    read: Annotated[float, Field(gt=0)]
    """Factor on the energy of a read."""
    write: Annotated[float, Field(gt=0)]
    """Factor on the energy of a write."""
    leakage: Annotated[float, Field(gt=0)]
    """Factor on the leakage."""
    area: Annotated[float, Field(gt=0)]
    """Factor on the area."""


UncertainAction = Literal["mac", "idle", "register", "buffer", "decompression", "interconnect", "host", "leakage"]


class Uncertainty(Description):
    """How far other sources lie from this table in one kind of action: factors on its figures."""

    action: UncertainAction
    """`buffer`: reads and writes; `leakage`: of PEs and buffers."""
    low: Annotated[float, Field(gt=0, le=1)]
    """Lowest published figure over the table's."""
    high: Annotated[float, Field(ge=1)]
    """Highest published figure over the table's."""
    source: str
    """Who says so."""


class HostOperation(Description):
    """One elementary operation on one element, operands fetched and result stored."""

    operation: OperationKind
    """As under `host.cycles`."""
    energy_pj: Picojoules
    """One operation."""


class MacPoint(Description):
    """One multiply-accumulate of a given operand width."""

    operand_bits: Literal[8, 16, 32]
    """Width of weights and activations."""
    operand_type: Literal["int", "float"] = "int"
    """Integers or floating point."""
    mac_pj: Picojoules
    """One multiplication and addition."""
    idle_pj: Picojoules | None = None
    """A cycle in which a clocked PE does not multiply: the operand is an injected zero, or none has arrived. None:
    unknown, and left out."""
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
    voltage_v: Volts | None = None
    """Supply at which the figures hold; needed where a clock domain has operating points."""
    macs: Annotated[tuple[MacPoint, ...], Field(strict=False, min_length=1)]
    """One entry for each width and type of operands."""
    register_pj_per_byte: Annotated[float, Field(ge=0)]
    """A PE's register, one byte written and read."""
    register_area_mm2: SquareMillimetres | None = None
    """Of one bit. None: unknown."""
    decompression_pj_per_byte: Annotated[float, Field(ge=0)] | None = None
    """A byte of a word that passes the decompression unit. None: unknown, and left out."""
    sram: Annotated[tuple[SramPoint, ...], Field(strict=False, min_length=1)]
    """Memories between which buffers are interpolated."""
    sram_cells: Annotated[tuple[CellPoint, ...], Field(strict=False)] = ()
    """Factors for other cells and temperatures than those of `sram`."""
    cell: SramCell = "lstp"
    """Cells of the buffers; leakage differs by orders of magnitude between them."""
    temperature_k: Annotated[int, Field(ge=200, le=450)] = 300
    """Temperature of the buffers in K; between two of `sram_cells` leakage grows exponentially."""
    interconnect_pj_per_byte: Annotated[float, Field(ge=0)]
    """One hop, 1 mm of wire."""
    host_pj_per_operation: Annotated[float, Field(ge=0)]
    """Operation of a vector lane or CPU whose kind is not in `host_operations`, where the host names no energy."""
    host_operations: Annotated[tuple[HostOperation, ...], Field(strict=False)] = ()
    """Operations by kind."""
    uncertainty: Annotated[tuple[Uncertainty, ...], Field(strict=False)] = ()
    """Where published figures differ from these; several for one action widen the range."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Two entries for one thing."""
        yield from repeated("macs", [_kind(point) for point in self.macs])
        yield from self._cell_faults()
        yield from repeated("host_operations", [entry.operation for entry in self.host_operations])
        yield from repeated("sram_cells", [f"{point.cell}, {point.temperature_k} K" for point in self.sram_cells])
        yield from repeated("sram", [f"{point.capacity_bytes} B, {point.width_bits} bits" for point in self.sram])

    @property
    def cell_points(self) -> tuple[CellPoint, ...]:
        """Factors of all cells and temperatures, those of `sram` itself (lstp, 300 K) first."""
        same = CellPoint(cell="lstp", temperature_k=300, read=1.0, write=1.0, leakage=1.0, area=1.0)
        return (same, *self.sram_cells)

    def _cell_faults(self) -> Iterator[tuple[str, str]]:
        """Cells or a temperature for which there are no factors."""
        temperatures = [point.temperature_k for point in self.cell_points if point.cell == self.cell]
        if not temperatures:
            cells = ", ".join(dict.fromkeys(point.cell for point in self.cell_points))
            yield "cell", f"the table has no factors for '{self.cell}'; allowed: {cells}"
        elif not min(temperatures) <= self.temperature_k <= max(temperatures):
            shown = " to ".join(str(kelvin) for kelvin in dict.fromkeys((min(temperatures), max(temperatures))))
            yield "temperature_k", f"the table has no factors for {self.temperature_k}; allowed: {shown}"


class PartTables(Description):
    """Tables of parts that are made in another technology than the rest of the SoC."""

    array: EnergyTable | None = None
    """PEs, their registers and the decompression unit."""
    buffers: EnergyTable | None = None
    """All buffers of the cores."""
    interconnect: EnergyTable | None = None
    """Wires between cores, host and memories."""
    host: EnergyTable | None = None
    """Vector unit or CPU."""


def _kind(point: MacPoint) -> str:
    return f"{point.operand_bits} bits" if point.operand_type == "int" else f"{point.operand_bits} bits, float"
