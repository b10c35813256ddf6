"""The systolic array: a grid of PEs, what it can do and how its cycles are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.base import Description, Hertz, repeated

DataflowName = Literal["dOS", "dWS", "dIS"]
DATAFLOWS: tuple[DataflowName, ...] = ("dOS", "dWS", "dIS")
SparseDataflowName = Literal["sOS", "sWS", "sIS", "csOS"]
SPARSE_DATAFLOWS: tuple[SparseDataflowName, ...] = ("sOS", "sWS", "sIS", "csOS")
"""What skips zeros of the weights; `d` for `s` or `cs` gives the dense flow with the same movements."""
Flow = DataflowName | SparseDataflowName
FLOWS: tuple[Flow, ...] = (*DATAFLOWS, *SPARSE_DATAFLOWS)


def dense_family(flow: Flow) -> DataflowName:
    """The dense dataflow with the same movements; an array that supports it supports its sparse forms, too."""
    match flow:
        case "dOS" | "sOS" | "csOS":
            return "dOS"
        case "dWS" | "sWS":
            return "dWS"
        case "dIS" | "sIS":
            return "dIS"


class Decompression(Description):
    """The unit between the buffers and the load units: passes words on, and answers pruned ones with zero."""

    words_per_cycle: Annotated[int, Field(ge=1)] | None = None
    """Words of W and X, injected zeros included, that enter all load units together in a cycle; default: as many as
    there are load units, so that it is never a bound."""
    latency_cycles: Annotated[int, Field(ge=0)] = 0
    """From a tile's first word in the buffer to its first word at a load unit, paid once a tile."""


class Array(Description):
    """Grid of rows × columns PEs; W enters by the left edge, X by the top edge."""

    kind: Literal["array"] = "array"
    rows: Annotated[int, Field(ge=1, le=4096)]
    """PE rows R, 1 to 4096."""
    cols: Annotated[int, Field(ge=1, le=4096)]
    """PE columns C, 1 to 4096."""
    clock_hz: Hertz
    """Clock of the array, for example 800 MHz."""
    operand_bits: Literal[8, 16, 32] = 8
    """Width of weights and activations."""
    accumulator_bits: Literal[16, 32, 64] = 32
    """Width of partial sums."""
    operand_type: Literal["int", "float"] = "int"
    """Number format of weights and activations, for their energy; cycles do not depend on it."""
    clock_gating: bool = True
    """Whether the PEs' clock stops while no tile is computed; otherwise idle cycles cost energy."""
    dataflows: Annotated[tuple[DataflowName, ...], Field(strict=False, min_length=1)] = DATAFLOWS
    """What the array's sequencer supports; `auto` chooses among these."""
    edge_tiles: Literal["actual", "full"] = "actual"
    """Whether a fold that does not fill the grid costs its own extent or that of the whole grid."""
    os_drain: Literal["exposed", "hidden"] = "exposed"
    """Whether output-stationary folds pay for the drain; `hidden` counts as SCALE-Sim does and is not proven."""
    tile_overlap: Literal["none", "prefetch"] = "none"
    """Whether folds run one after another, or with the next preload or the last drain under the current stream."""
    decompression: Decompression = Decompression()

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Accumulators narrower than operands, dataflows named twice, a drain hidden in two ways."""
        if self.accumulator_bits < self.operand_bits:
            yield "accumulator_bits", f"{self.accumulator_bits} is less than operand_bits, {self.operand_bits}"
        if self.os_drain == "hidden" and self.tile_overlap == "prefetch":
            yield "os_drain", "'hidden' counts isolated folds; allowed with tile_overlap: prefetch: exposed"
        yield from repeated("dataflows", self.dataflows)

    @property
    def operand_bytes(self) -> int:
        """Bytes of a weight or an activation."""
        return self.operand_bits // 8

    @property
    def accumulator_bytes(self) -> int:
        """Bytes of a partial sum."""
        return self.accumulator_bits // 8
