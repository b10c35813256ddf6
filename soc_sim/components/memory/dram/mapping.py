"""Where an address lies: channel, bank, row. Order from high to low: row, bank, channel, column (offset in the row)."""

from __future__ import annotations

from collections.abc import Iterator

from soc_sim.config.memory import Dram


class AddressMapping:
    """Contiguous addresses fill one channel's interleaving block, then the next; in a channel, row by bank."""

    __slots__ = ("_banks", "_burst_bytes", "_channels", "_interleave_bytes", "_row_bytes", "_unit_bytes")

    def __init__(self, description: Dram) -> None:
        self._channels = description.channels
        self._interleave_bytes = description.channel_interleave_bytes
        self._row_bytes = description.row_bytes
        self._banks = description.banks
        self._burst_bytes = description.burst_bytes
        # Blocks that lie in one row of one channel: one size is a multiple of the other (the description is checked).
        self._unit_bytes = self._row_bytes if self._channels == 1 else min(self._row_bytes, self._interleave_bytes)

    def runs(self, address: int, line_bytes: int, lines: int, pitch_bytes: int) -> Iterator[tuple[int, int, int, int]]:
        """Split lines of bytes into runs that lie in one row: (channel, bank, row, bursts).

        Every line costs whole bursts, also where two lines share one. Consecutive lines in one row are one run.
        """
        unit, line = self._unit_bytes, 0
        while line < lines:
            start = address + line * pitch_bytes
            room = unit - start % unit
            if line_bytes <= room:
                count = min(lines - line, (room - line_bytes) // pitch_bytes + 1) if lines > 1 else 1
                yield *self._locate(start), self._bursts(start, line_bytes, count, pitch_bytes)
                line += count
                continue
            end = start + line_bytes
            while start < end:
                size = min(end - start, unit - start % unit)
                yield *self._locate(start), self._bursts(start, size, 1, 0)
                start += size
            line += 1

    def _locate(self, address: int) -> tuple[int, int, int]:
        """Channel, bank and row of an address."""
        channel, local = 0, address
        if self._channels > 1:
            block, offset = divmod(address, self._interleave_bytes)
            block, channel = divmod(block, self._channels)
            local = block * self._interleave_bytes + offset
        row, bank = divmod(local // self._row_bytes, self._banks)
        return channel, bank, row

    def _bursts(self, address: int, size_bytes: int, lines: int, pitch_bytes: int) -> int:
        burst = self._burst_bytes
        if lines == 1 or pitch_bytes % burst == 0:
            return lines * ((address + size_bytes - 1) // burst - address // burst + 1)
        starts = range(address, address + lines * pitch_bytes, pitch_bytes)
        return sum((start + size_bytes - 1) // burst - start // burst + 1 for start in starts)
