"""A memory of fixed latency and bandwidth (SRAM, flash, PSRAM, MRAM).

Modelled: latency from request to first data, pipelined; one data path that reads and writes share; a smallest access.
Left out: pages, refresh of PSRAM, erase and program times of flash.
"""

from __future__ import annotations

from soc_sim.components.memory.base import Memory
from soc_sim.config.memory import SimpleMemory
from soc_sim.kernel import Simulation, Timeline, Transfer
from soc_sim.units import PS_PER_S


class Simple(Memory):
    """Serves in order of arrival."""

    def __init__(self, simulation: Simulation, name: str, description: SimpleMemory) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = description.max_outstanding
        self._data_path = Timeline()
        self.accessed_bytes = 0
        """Bytes moved in whole accesses."""

    @property
    def peak_bytes_per_s(self) -> float:
        """Rate of reads."""
        return self.description.read_bandwidth_bytes_per_s

    def submit(self, transfer: Transfer) -> None:
        """Book the data path now; what it reads leaves after the latency."""
        description, now_ps = self.description, self.simulation.now_ps
        accessed_bytes = transfer.accesses(description.burst_bytes) * description.burst_bytes
        self.accessed_bytes += accessed_bytes
        if transfer.write:
            rate = description.write_bandwidth_bytes_per_s or description.read_bandwidth_bytes_per_s
            duration_ps = -(-accessed_bytes * PS_PER_S // rate)
            start_ps = self._data_path.book(now_ps, duration_ps)
            end_ps = max(start_ps + duration_ps, transfer.data_end_ps)
            done_ps = end_ps + description.write_latency_ps
        else:
            duration_ps = -(-accessed_bytes * PS_PER_S // description.read_bandwidth_bytes_per_s)
            start_ps = self._data_path.book(now_ps, duration_ps) + description.read_latency_ps
            end_ps = done_ps = start_ps + duration_ps
        self._serve(transfer, start_ps, end_ps, done_ps)

    def finish(self) -> None:
        """What has been promised for later is not counted."""
        self.busy_ps = self._data_path.busy_until(self.simulation.now_ps)
