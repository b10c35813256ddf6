"""What each instruction of a run did, and when: columns of integers from which counts, layers and power are derived.

Registers, per MAC: every operand that streams is read where it is used and latched by the next PE, a stationary one is
only read, and the partial sum is read and latched once, by the same PE (output-stationary) or by the next. A preload
(WS, IS) or drain (OS) takes every word past the PEs on its way, which are (C + 1) / 2 or (R + 1) / 2 in the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.program import Compute, Layer, Load, Region, Store, VectorOp
from soc_sim.config.array import dense_family
from soc_sim.config.domain import ClockName
from soc_sim.config.host import OPERATION_KINDS
from soc_sim.system import RunRecord

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Executions of instructions of one kind."""

    clock: ClockName
    """At whose voltage their actions happen."""
    rows: Integers
    """Of each execution: its instruction's place in the columns of ``amounts``."""
    layers: Integers
    """Of each execution."""
    start_ps: Integers
    end_ps: Integers
    amounts: dict[str, Integers] = field(default_factory=dict)
    """Quantity → how much of it each instruction does."""

    def amount(self, name: str) -> Integers:
        """How much of a quantity each execution did; zeros where the group has none of it."""
        if name not in self.amounts:
            return np.zeros_like(self.rows)
        return self.amounts[name][self.rows]


@dataclass(frozen=True)
class Tally:
    """A run, instruction by instruction."""

    compute: Group
    transfers: Group
    host: Group
    background: Group
    """Initiators beside the programs, one execution each: as layers behind those of the programs."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """All."""
        return self.compute, self.transfers, self.host, self.background

    def total(self, name: str) -> int:
        """A quantity, of all instructions."""
        return sum(int(group.amount(name).sum()) for group in self.groups)


def tally(record: RunRecord) -> Tally:
    """The columns of a run."""
    layers = record.program.layers
    return Tally(
        _group(record, "array", Compute, lambda i: _compute(record, layers[i.layer], i)),
        _group(record, "interconnect", (Load, Store), _transfer),
        _group(record, "host", VectorOp, _operator, [f"host.{kind}" for kind in OPERATION_KINDS]),
        _background(record),
    )


def _group(
    record: RunRecord,
    clock: ClockName,
    kinds: type | tuple[type, ...],
    amounts_of: Callable[..., Mapping[str, int]],
    names: Sequence[str] = (),
) -> Group:
    """Columns of the instructions of some kinds."""
    own = [instruction for instruction in record.program.instructions if isinstance(instruction, kinds)]
    place = np.full(len(record.program.instructions), -1, dtype=np.int64)
    place[[i.index for i in own]] = np.arange(len(own))
    executed, started, completed = (
        np.array(column, dtype=np.int64)
        for column in (record.times.instructions, record.times.started_ps, record.times.completed_ps)
    )
    mine = place[executed] >= 0
    rows = place[executed[mine]]
    amounts = [amounts_of(instruction) for instruction in own]
    return Group(
        clock,
        rows,
        np.array([instruction.layer for instruction in own], dtype=np.int64)[rows],
        started[mine],
        completed[mine],
        {
            name: np.array([row.get(name, 0) for row in amounts], dtype=np.int64)
            for name in dict.fromkeys([*names, *(name for row in amounts for name in row)])
        },
    )


def _background(record: RunRecord) -> Group:
    """Background initiators work from the start of the run to its end."""
    initiators = record.soc.background
    moved = np.array(
        [sum(record.background_bytes[one.name, write] for write in (False, True)) for one in initiators], dtype=np.int64
    )
    places = np.arange(len(initiators), dtype=np.int64)
    amounts = {"interconnect": moved}
    for memory in ("dram", "weight_memory", "system_sram"):
        amounts[memory] = moved * np.array([one.memory == memory for one in initiators], dtype=np.int64)
    return Group(
        "interconnect",
        places,
        places + len(record.program.layers),
        np.zeros_like(places),
        np.full_like(places, record.makespan_ps),
        amounts,
    )


def _compute(record: RunRecord, layer: Layer, instruction: Compute) -> dict[str, int]:
    counts, array = instruction.counts, record.soc.array
    operand, accumulator = array.operand_bytes, array.accumulator_bytes
    values = (counts.weight_bytes - counts.metadata_bytes) // operand
    entering, macs = values + counts.zeros_injected, counts.macs
    # Words also pass PEs that do not multiply them: where groups share the grid, those of other groups.
    passed = entering * (macs - counts.macs_gated) // values if values else macs
    family = dense_family(layer.dataflow) if layer.dataflow is not None else "dOS"
    if family == "dOS":
        # Sums leave by the bottom, past the rows below theirs.
        moved, shifted = (
            2 * operand * passed,
            counts.output_write_bytes // operand * accumulator * (array.rows + 1) // 2,
        )
        read, latched = (2 * operand + accumulator) * passed, (2 * operand + accumulator) * passed
    else:
        words, extent = (entering, array.cols) if family == "dWS" else (counts.input_bytes // operand, array.rows)
        moved, shifted = (operand + accumulator) * passed, words * operand * (extent + 1) // 2
        read, latched = (2 * operand + accumulator) * passed, (operand + accumulator) * passed
    stored_sparse = layer.weight_format not in (None, "dense") and record.soc.dma.decompression is None
    return {
        "macs": macs,
        "macs_gated": counts.macs_gated,
        "pe_idle": max(0, array.rows * array.cols * counts.cycles - macs),
        "register_read": read + shifted,
        "register_write": latched + shifted,
        "pe_to_pe": moved + shifted,
        "decompressed": entering * operand + counts.input_bytes if stored_sparse else 0,
        "weights.read": counts.weight_bytes,
        "weights.metadata": counts.metadata_bytes,
        "inputs.read": counts.input_bytes,
        "outputs.read": counts.output_read_bytes,
        "outputs.write": counts.output_write_bytes,
    }


def _transfer(instruction: Load | Store) -> dict[str, int]:
    found = _asked(instruction.regions)
    moved = sum(region.size_bytes for region in instruction.regions)
    if isinstance(instruction, Load):
        expanded = {"decompressed": instruction.written_bytes} if instruction.expands else {}
        return found | {f"{instruction.buffer}.write": instruction.written_bytes} | expanded
    # What is kept moves on to the inputs buffer, past the interconnect.
    return found | {"outputs.read": moved, "inputs.write": found.pop("inputs_buffer", 0)}


def _operator(instruction: VectorOp) -> dict[str, int]:
    found = _asked((*instruction.reads, *instruction.writes))
    found |= {f"host.{kind}": count for kind, count in instruction.kinds}
    if other := instruction.operations - sum(count for _, count in instruction.kinds):
        found["host.other"] = other
    return found


def _asked(regions: tuple[Region, ...]) -> dict[str, int]:
    """Bytes that cross the interconnect, and of each memory."""
    found = {"interconnect": 0}
    for region in regions:
        found["interconnect"] += region.size_bytes * (region.memory != "inputs_buffer")
        found[region.memory] = found.get(region.memory, 0) + region.size_bytes
    return found
