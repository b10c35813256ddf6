"""From the columns of a run to its counts, in all and by the voltages at which things were done.

Where a voltage changes while an instruction runs, its amounts are divided by the cycles of its clock, in whole actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from soc_sim.config.core import BUFFERS
from soc_sim.config.domain import CLOCKS
from soc_sim.energy.counts import Counts, MemoryCounts, MemoryPhase, Traffic
from soc_sim.energy.supply import Supply
from soc_sim.energy.tally import Group, Integers, Tally
from soc_sim.system import RunRecord


def count(record: RunRecord, columns: Tally) -> tuple[Counts, list[tuple[Counts, Supply]]]:
    """Counts of the whole run, and the same without memories by voltage."""
    segments = list(_segments(record))
    whole = _measured(record, _counts(record, columns, 0, None))
    parts = [_counts(record, columns, start_ps, end_ps) for start_ps, end_ps, _ in segments[:-1]]
    # What was under way at the end of the run was not complete, but moved bytes.
    parts.append(_rest(_measured(record, _counts(record, columns, *segments[-1][:2])), parts))
    return whole, [(part, supply) for part, (_, _, supply) in zip(parts, segments, strict=True)]


def _segments(record: RunRecord) -> Iterator[tuple[int, int | None, Supply]]:
    """(start, end, voltages) of the times in which no voltage changed; the last has no end."""
    soc = record.soc
    changes = sorted(
        {0}
        | {
            phase.start_ps
            for clock in CLOCKS
            for before, phase in pairwise(record.phases[soc.domain_of(clock).name])
            if phase.voltage_v != before.voltage_v
        }
    )
    for start_ps, end_ps in zip(changes, [*changes[1:], None], strict=True):
        supply: dict[str, float | None] = {}
        for clock in CLOCKS:
            phases = record.phases[soc.domain_of(clock).name]
            supply[clock] = [phase for phase in phases if phase.start_ps <= start_ps][-1].voltage_v
        yield start_ps, end_ps, supply


def _counts(record: RunRecord, columns: Tally, start_ps: int, end_ps: int | None) -> Counts:
    """What was done from ``start_ps`` to ``end_ps`` (None: to the end), without and with memories (whole run)."""
    whole = (start_ps, end_ps) == (0, None)

    def total(group: Group, name: str) -> int:
        amounts = group.amount(name)
        return int((amounts if whole else _within(record, group, amounts, start_ps, end_ps)).sum())

    def compute(name: str) -> int:
        return total(columns.compute, name)

    def buffer(name: str) -> Traffic:
        reads, writes = (
            compute(f"{name}.{kind}") + total(columns.transfers, f"{name}.{kind}") for kind in ("read", "write")
        )
        return Traffic(reads, writes, compute(f"{name}.metadata"))

    until_ps = record.makespan_ps if end_ps is None else end_ps
    elapsed_ps = max(0, until_ps - start_ps)
    idle_pe_cycles = compute("pe_idle")
    if not record.soc.array.clock_gating:
        idle_pe_cycles += _stalled_pe_cycles(record, columns, start_ps, until_ps)
    return Counts(
        elapsed_ps=elapsed_ps,
        macs=compute("macs"),
        macs_gated=compute("macs_gated"),
        idle_pe_cycles=idle_pe_cycles,
        register_read_bytes=compute("register_read"),
        register_write_bytes=compute("register_write"),
        pe_to_pe_bytes=compute("pe_to_pe"),
        array_ps=_array_ps(record, start_ps, until_ps),
        decompressed_bytes=compute("decompressed") + total(columns.transfers, "decompressed"),
        weights_buffer=buffer("weights"),
        inputs_buffer=buffer("inputs"),
        outputs_buffer=buffer("outputs"),
        interconnect_bytes=sum(total(group, "interconnect") for group in columns.groups),
        host_operations={
            name.removeprefix("host."): total(columns.host, name)
            for name in columns.host.amounts
            if name.startswith("host.")
        },
        transitions={
            name: sum(
                start_ps <= phase.start_ps and (end_ps is None or phase.start_ps < end_ps) for phase in phases[1:]
            )
            for name, phases in record.phases.items()
        },
        dram=_memory(record, "dram") if whole else MemoryCounts(),
        weight_memory=_memory(record, "weight_memory") if whole else MemoryCounts(),
        system_sram=_memory(record, "system_sram") if whole else MemoryCounts(),
    )


def _measured(record: RunRecord, counts: Counts) -> Counts:
    """The same, with what buffers and interconnect themselves have counted in the whole run."""
    traffic: dict[str, Any] = {}
    for name in BUFFERS:
        pad = record.soc.buffers.name_of(name)
        buffers = [core.buffers[pad].operands[name] for core in record.cores]
        traffic[f"{name}_buffer"] = Traffic(
            sum(buffer.array_read_bytes + buffer.dma_read_bytes for buffer in buffers),
            sum(buffer.array_write_bytes + buffer.dma_write_bytes for buffer in buffers),
            getattr(counts, f"{name}_buffer").metadata_bytes,
        )
    return replace(counts, interconnect_bytes=sum(record.interconnect_bytes.values()), **traffic)


def _rest(last: Counts, before: Sequence[Counts]) -> Counts:
    """``last``, whose measured figures are those of the whole run, without what was measured before."""
    for part in before:
        traffic: dict[str, Any] = {}
        for name in BUFFERS:
            whole, earlier = (getattr(counts, f"{name}_buffer") for counts in (last, part))
            traffic[f"{name}_buffer"] = replace(
                whole,
                read_bytes=whole.read_bytes - earlier.read_bytes,
                written_bytes=whole.written_bytes - earlier.written_bytes,
            )
        last = replace(last, interconnect_bytes=last.interconnect_bytes - part.interconnect_bytes, **traffic)
    return last


def _within(record: RunRecord, group: Group, amounts: Integers, start_ps: int, end_ps: int | None) -> Integers:
    """The part of each amount that falls into a time: by the cycles of the group's clock, in whole actions."""
    before = _until(record, group, amounts, start_ps)
    after = amounts if end_ps is None else _until(record, group, amounts, end_ps)
    return after - before


def _until(record: RunRecord, group: Group, amounts: Integers, time_ps: int) -> Integers:
    begun, ended = (_cycles(record, group, times) for times in (group.start_ps, group.end_ps))
    now = _cycles(record, group, np.array([time_ps]))
    spans = np.maximum(ended - begun, 1)
    share = np.where(group.end_ps <= time_ps, 1.0, np.clip((now - begun) / spans, 0.0, 1.0))
    return np.floor(amounts * share).astype(np.int64)


def _cycles(record: RunRecord, group: Group, times_ps: Integers) -> Integers:
    """Cycles of the group's clock up to some times."""
    phases = record.phases[record.soc.domain_of(group.clock).name]
    found = np.zeros(len(times_ps), dtype=np.int64)
    for index, phase in enumerate(phases):
        until = phases[index + 1].past_cycles if index + 1 < len(phases) else None
        since_ps = np.maximum(times_ps - phase.start_ps, 0)
        # An edge lies less than a picosecond after its exact time: the small share keeps rounding from losing it.
        cycles = phase.past_cycles + np.floor(since_ps * (phase.clock_hz / 1e12) + 1e-6).astype(np.int64)
        cycles = cycles if until is None else np.minimum(cycles, until)
        found = np.where(times_ps >= phase.start_ps, cycles, found)
    return found


def _array_ps(record: RunRecord, start_ps: int, end_ps: int) -> dict[str, int] | None:
    """Power state of the PEs → time in it, all cores together; None where they know no states."""
    states = record.soc.domain_of("array").idle_states
    if not states:
        return None
    spans = [
        (name, max(0, min(until_ps, end_ps) - max(from_ps, start_ps)))
        for core in record.cores
        for name, from_ps, until_ps in core.idle_spans
    ]
    found = {"on": len(record.cores) * max(0, end_ps - start_ps)} | {state.name: 0 for state in states}
    for name, span_ps in spans:
        found[name] += span_ps
        found["on"] -= span_ps
    return found


def _stalled_pe_cycles(record: RunRecord, columns: Tally, start_ps: int, end_ps: int) -> int:
    """Cycles in which the PEs were clocked and no tile was computed."""
    soc, group = record.soc, columns.compute
    first, last = _cycles(record, group, np.array([start_ps, end_ps]))
    busy = _cycles(record, group, np.clip(group.end_ps, start_ps, end_ps)) - _cycles(
        record, group, np.clip(group.start_ps, start_ps, end_ps)
    )
    gated = np.array(
        [(from_ps, until_ps) for core in record.cores for _, from_ps, until_ps in core.idle_spans], dtype=np.int64
    ).reshape(-1, 2)
    stopped = np.diff([_cycles(record, group, np.clip(gated[:, end], start_ps, end_ps)) for end in (0, 1)], axis=0)
    clocked = soc.cores * int(last - first) - int(busy.sum()) - int(stopped.sum())
    return soc.array.rows * soc.array.cols * max(0, clocked)


def _memory(record: RunRecord, name: str) -> MemoryCounts:
    counters = record.memories.get(name)
    if counters is None:
        return MemoryCounts()
    return replace(_memory_counts(counters), phases=tuple(_memory_phases(record, counters)) if name == "dram" else ())


def _memory_counts(counters: Mapping[str, Any]) -> MemoryCounts:
    sleeping = ("active_power_down_ps", "precharged_power_down_ps", "self_refresh_ps")
    dram_only = ("activates", "read_bursts", "write_bursts", "refreshes", "active_ps", *sleeping)
    return MemoryCounts(
        read_bytes=counters["read_bytes"],
        written_bytes=counters["write_bytes"],
        **{key: counters.get(key, 0) for key in dram_only},
    )


def _memory_phases(record: RunRecord, counters: Mapping[str, Any]) -> Iterator[MemoryPhase]:
    """By voltage, in order; nothing where none is given."""
    domain = record.soc.dram_domain
    if domain is None or not domain.points:
        return
    phases = record.phases[domain.name]
    ends_ps = [*(phase.start_ps for phase in phases[1:]), record.makespan_ps]
    for phase, end_ps, counted in zip(phases, ends_ps, counters.get("by_clock", [counters]), strict=False):
        yield MemoryPhase(phase.voltage_v, max(0, end_ps - phase.start_ps), _memory_counts(counted))
