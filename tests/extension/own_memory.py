"""A user's own memory, from its description to a run: the example of how to extend the simulator."""

from __future__ import annotations

import sys
from typing import Literal

import soc_sim
from soc_sim.components.memory.base import Memory
from soc_sim.config.base import Bytes, Delay
from soc_sim.config.memory import SimpleMemory
from soc_sim.kernel import Simulation, Timeline, Transfer
from soc_sim.units import PS_PER_S


class PagedFlash(SimpleMemory):
    """A flash that takes extra time for each new page."""

    kind: Literal["paged_flash"]
    page_bytes: Bytes
    open_ps: Delay


@soc_sim.register(PagedFlash)
class PagedFlashModel(Memory):
    """Serves in order of arrival, one page at a time."""

    def __init__(self, simulation: Simulation, name: str, description: PagedFlash) -> None:
        super().__init__(simulation, name)
        self.description = description
        self.max_outstanding = description.max_outstanding
        self.pages = 0
        self._path = Timeline()
        self._open_page = -1

    @property
    def peak_bytes_per_s(self) -> float:
        return self.description.read_bandwidth_bytes_per_s

    def submit(self, transfer: Transfer) -> None:
        description = self.description
        first = transfer.address // description.page_bytes
        last = (transfer.address + transfer.size_bytes - 1) // description.page_bytes
        pages = last - first + (first != self._open_page)
        self._open_page = last
        self.pages += pages
        duration_ps = pages * description.open_ps
        duration_ps += transfer.size_bytes * PS_PER_S // description.read_bandwidth_bytes_per_s
        start_ps = self._path.book(self.simulation.now_ps, duration_ps)
        self._serve(transfer, start_ps, start_ps + duration_ps, start_ps + duration_ps)

    def counters(self) -> dict[str, object]:
        return super().counters() | {"pages": self.pages}


if __name__ == "__main__":
    flash = "kind: paged_flash, name: mine, technology: flash, capacity: 16 MiB, read_bandwidth: 500 MB/s, page: 4 KiB"
    soc = soc_sim.load_soc("mcu_8x8", [f"weight_memory={{{flash}, open: {sys.argv[1]}}}"])
    print(soc_sim.simulate(soc, soc_sim.load_network("ds_cnn")).to_json())
