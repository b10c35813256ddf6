"""What a run did, in the words of the energy table."""

from __future__ import annotations

from soc_sim.compiler.program import Compute
from soc_sim.config.array import Array
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.system import RunRecord


def executed(record: RunRecord) -> int:
    """MACs that the PEs performed, injected zeros included."""
    done = record.executions
    return sum(i.counts.macs * done[i.index] for i in record.program.instructions if isinstance(i, Compute))


def of_run(record: RunRecord) -> Counts:
    """Actions of the whole run, for the energy table."""
    macs = executed(record)
    return Counts(
        elapsed_ps=record.makespan_ps,
        macs=macs,
        register_bytes=_register_bytes(macs, record.soc.array),
        weights_buffer=_buffer_traffic(record, "weights"),
        inputs_buffer=_buffer_traffic(record, "inputs"),
        outputs_buffer=_buffer_traffic(record, "outputs"),
        interconnect_bytes=sum(record.interconnect_bytes.values()),
        host_operations=record.host_operations,
        dram=_memory_counts(record, "dram"),
        weight_memory=_memory_counts(record, "weight_memory"),
    )


def _register_bytes(macs: int, array: Array) -> int:
    """Bytes PE registers latch: for every MAC both operands move on by one PE, and the partial sum is updated."""
    return macs * (2 * array.operand_bytes + array.accumulator_bytes)


def _buffer_traffic(record: RunRecord, name: str) -> Traffic:
    buffers = [core.buffers[name] for core in record.cores]
    return Traffic(
        read_bytes=sum(buffer.array_read_bytes + buffer.dma_read_bytes for buffer in buffers),
        written_bytes=sum(buffer.array_write_bytes + buffer.dma_write_bytes for buffer in buffers),
    )


def _memory_counts(record: RunRecord, name: str) -> MemoryCounts:
    counters = record.memories.get(name)
    if counters is None:
        return MemoryCounts()
    dram_only = ("activates", "read_bursts", "write_bursts", "refreshes", "active_ps")
    return MemoryCounts(
        read_bytes=counters["read_bytes"],
        written_bytes=counters["write_bytes"],
        **{key: counters.get(key, 0) for key in dram_only},
    )
