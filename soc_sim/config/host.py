"""The unit that runs what is not a GEMM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Hertz, no_multiple

OperationKind = Literal["add", "multiply", "compare", "exp", "divide", "lookup", "move"]
"""``add`` stands for subtract, round and logic, ``compare`` for maximum, minimum and select, ``exp`` for logarithm and
sine, ``divide`` for square root and reciprocal."""
OPERATION_KINDS: tuple[OperationKind, ...] = get_args(OperationKind)

VECTOR_UNIT_CYCLES: dict[OperationKind, int] = {
    "add": 1, "multiply": 1, "compare": 1, "exp": 4, "divide": 4, "lookup": 1, "move": 1
}  # fmt: skip
"""Assumed: one result a lane and cycle; exponential and quotient from a table and two steps of refinement."""
CPU_CYCLES: dict[OperationKind, int] = {
    "add": 1, "multiply": 1, "compare": 1, "exp": 12, "divide": 8, "lookup": 4, "move": 1
}  # fmt: skip
"""Assumed: a SIMD unit that issues one instruction a cycle. An exponential is a range reduction and a polynomial of
degree five, about twelve instructions; dividers are not pipelined; look-ups go element by element through a lane."""


class OperationCycles(Description):
    """Cycles of one operation on all lanes, by kind; what is left out has the default of the host's kind."""

    add: PositiveInt | None = None
    """Add, subtract, round, logic. Default: 1."""
    multiply: PositiveInt | None = None
    """Default: 1."""
    compare: PositiveInt | None = None
    """Maximum, minimum, select. Default: 1."""
    exp: PositiveInt | None = None
    """Exponential, logarithm, sine. Default: 4 (vector unit), 12 (CPU)."""
    divide: PositiveInt | None = None
    """Quotient, reciprocal, square root. Default: 4 (vector unit), 8 (CPU)."""
    lookup: PositiveInt | None = None
    """An entry of a small table. Default: 1 (vector unit), 4 (CPU)."""
    move: PositiveInt | None = None
    """A copy. Default: 1."""
    access: Annotated[int, Field(ge=0)] | None = None
    """A load or a store of all lanes by an instruction. Default: 0 (vector unit, whose port streams), 1 (CPU)."""


class Host(Description):
    """A vector unit or CPU that streams tensors from memory, computes, and streams them back."""

    kind: Literal["vector_unit", "cpu"]
    """`vector_unit`: streams operands past its lanes. `cpu`: a SIMD unit that also spends instructions on loads and
    stores, and more of them on exponentials and divisions."""
    clock_hz: Hertz
    """Clock of the host, for example 1 GHz."""
    lanes: PositiveInt
    """Elements that one operation works on, the width of SIMD."""
    cycles: OperationCycles = OperationCycles()
    """Cycles of an operation, by kind."""
    start_cycles: Annotated[int, Field(ge=0)] = 200
    """Start of one operator: dispatch, loop set-up."""
    burst_bytes: Bytes = 64
    """Largest request to the interconnect."""
    max_outstanding: PositiveInt = 16
    """Requests that may be under way."""
    block_bytes: Bytes = 2048
    """Data that is read, computed and written as one step; the three overlap from block to block."""
    pj_per_operation: Annotated[float, Field(ge=0)] | None = None
    """Energy of one operation; None: unknown."""

    def operation_cycles(self, operations: Iterable[tuple[OperationKind, int]], accesses: int) -> int:
        """Cycles for operations by kind, and for ``accesses`` elements loaded or stored; without the start."""
        defaults = CPU_CYCLES if self.kind == "cpu" else VECTOR_UNIT_CYCLES
        access = self.cycles.access if self.cycles.access is not None else int(self.kind == "cpu")
        total = accesses * access
        for kind, count in operations:
            total += count * (getattr(self.cycles, kind) or defaults[kind])
        return -(-total // self.lanes)

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Blocks that are not made of whole bursts."""
        yield from no_multiple("block", self.block_bytes, "burst", self.burst_bytes)
