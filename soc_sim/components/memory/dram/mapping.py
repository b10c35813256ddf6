"""Where an address lies: channel, bank, row. Order from high to low: row, bank, channel, column (offset in the row)."""

from __future__ import annotations

from collections.abc import Iterator

from soc_sim.config.memory import Dram


class AddressMapping:
    """Contiguous addresses fill ``channel_interleave_bytes`` of a channel, then the next channel; in a channel a row, then the next bank."""

    __slots__ = ("_banks", "_channels", "_interleave_bytes", "_row_bytes")

    def __init__(self, description: Dram) -> None:
        self._channels = description.channels
        self._interleave_bytes = description.channel_interleave_bytes
        self._row_bytes = description.row_bytes
        self._banks = description.banks

    def runs(self, address: int, size_bytes: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Split ``size_bytes`` from ``address`` on into (channel, bank, row, offset in the row, bytes)."""
        end = address + size_bytes
        while address < end:
            if self._channels == 1:
                channel, local, room = 0, address, end - address
            else:
                block, offset = divmod(address, self._interleave_bytes)
                channel = block % self._channels
                local = block // self._channels * self._interleave_bytes + offset
                room = self._interleave_bytes - offset
            page, column = divmod(local, self._row_bytes)
            size = min(end - address, room, self._row_bytes - column)
            yield channel, page % self._banks, page // self._banks, column, size
            address += size
