"""The DRAM as a target: splits transfers over channels and answers when the last byte has been served."""

from __future__ import annotations

from typing import Any

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.channel import Channel
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation, Transfer
from soc_sim.units import PS_PER_S


class DramModel(Memory):
    """Channels behind one port."""

    def __init__(self, simulation: Simulation, name: str, description: Dram) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = description.queue_depth * description.channels
        self.channels = [Channel(description) for _ in range(description.channels)]
        self._mapping = AddressMapping(description)

    @property
    def peak_bytes_per_s(self) -> float:
        """All data pins at double data rate."""
        description = self.description
        return description.channels * description.bus_bits / 8 * 2 * PS_PER_S / description.timing.tck_ps

    def submit(self, transfer: Transfer) -> None:
        """Serve the transfer's lines, run by run, on their channels."""
        arrival_ps, write = self.simulation.now_ps, transfer.write
        first_ps, last_ps = -1, transfer.data_end_ps if write else 0
        runs = self._mapping.runs(transfer.address, transfer.line_bytes, transfer.lines, transfer.pitch_bytes)
        for channel, bank, row, bursts in runs:
            start_ps, end_ps = self.channels[channel].serve(arrival_ps, bank, row, bursts, write)
            if first_ps < 0 or start_ps < first_ps:
                first_ps = start_ps
            if end_ps > last_ps:
                last_ps = end_ps
        self._serve(transfer, first_ps, last_ps, last_ps + self.description.controller_latency_ps)

    def finish(self) -> None:
        """Refreshes go on while nobody asks."""
        for channel in self.channels:
            channel.finish(self.simulation.now_ps)
        self.busy_ps = sum(channel.busy_ps for channel in self.channels) // len(self.channels)

    def counters(self) -> dict[str, Any]:
        """Commands, beside what every memory counts."""
        names = ("row_hits", "row_misses", "row_conflicts", "refreshes", "read_bursts", "write_bursts", "active_ps")
        totals = {name: sum(getattr(channel, name) for channel in self.channels) for name in names}
        return super().counters() | totals | {"activates": totals["row_misses"] + totals["row_conflicts"]}
