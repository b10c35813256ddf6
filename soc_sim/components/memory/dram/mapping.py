"""Where an address lies: channel, rank, bank, row. The order of the parts is configuration.

Sizes need not be powers of two: parts are taken by division. Addresses wrap at the capacity.
Bits of the address may be flipped by others first (XOR hashing).
"""

from __future__ import annotations

from math import gcd
from typing import Final

from soc_sim.config.memory import MAPPING_PARTS, Dram
from soc_sim.kernel import Transfer

_MOST_PLACES: Final = 2**16
"""So many blocks are remembered."""


class AddressMapping:
    """Takes an address apart, from its lowest part to its highest.

    Banks are numbered rank by rank, in a rank group by group.
    """

    __slots__ = (
        "_banks_per_group",
        "_burst_bytes",
        "_channels",
        "_groups",
        "_hash_mask",
        "_hashes",
        "_interleave_bytes",
        "_one_channel",
        "_parts",
        "_places",
        "_split",
        "_split_of",
        "_unit_bytes",
    )

    def __init__(self, description: Dram) -> None:
        d = description
        groups = d.bank_groups
        sizes = {
            "ro": d.rows,
            "ra": d.ranks,
            "ba": d.banks // groups,
            "bg": groups,
            "co": d.row_bytes // d.burst_bytes,
            "ch": d.channels,
        }
        order = [d.mapping[start : start + 2] for start in range(0, len(d.mapping), 2)]
        # Parts that the order does not name lie above it.
        order = [part for part in MAPPING_PARTS if part not in order and part != "ch"] + order
        self._parts = [(part, sizes[part]) for part in reversed(order) if sizes[part] > 1]
        self._channels = 1 if "ch" in order else d.channels
        self._interleave_bytes = d.channel_interleave_bytes
        self._banks_per_group, self._groups = d.banks // groups, groups
        self._burst_bytes = d.burst_bytes
        self._hash_mask = d.banks - 1 if d.hash_banks else 0
        # Addresses within blocks of this size lie in one row.
        lowest, columns = self._parts[0] if self._parts else ("co", 1)
        self._unit_bytes = d.burst_bytes * (columns if lowest == "co" else 1)
        self._hashes = [(each.bit, sum(1 << bit for bit in set(each.flipped_by))) for each in d.address_hash]
        for _, mask in self._hashes:
            self._unit_bytes = gcd(self._unit_bytes, mask & -mask)
        if self._channels > 1:
            self._unit_bytes = gcd(self._unit_bytes, self._interleave_bytes)
        self._split_of: Transfer | None = None
        self._split: dict[int, list[tuple[int, int, int]]] = {}
        """The last transfer, by channel."""
        self._one_channel = d.channels == 1
        self._places: dict[int, tuple[int, int, int]] = {}
        """Blocks that lie in one row, where they are: transfers come back to the same rows."""

    def locate(self, address: int) -> tuple[int, int, int]:
        """Channel, bank and row of an address."""
        for bit, mask in self._hashes:
            address ^= ((address & mask).bit_count() & 1) << bit
        channel = 0
        if self._channels > 1:
            block, offset = divmod(address, self._interleave_bytes)
            block, channel = divmod(block, self._channels)
            address = block * self._interleave_bytes + offset
        rest = address // self._burst_bytes
        found = dict.fromkeys(MAPPING_PARTS, 0)
        for part, size in self._parts:
            rest, found[part] = divmod(rest, size)
        row = found["ro"]
        bank = found["bg"] * self._banks_per_group + found["ba"]
        if self._hash_mask:
            bank ^= row & self._hash_mask
        return channel + found["ch"], found["ra"] * self._groups * self._banks_per_group + bank, row

    def _place(self, block: int) -> tuple[int, int, int]:
        """As :meth:`locate`, of a block that lies in one row."""
        found = self._places.get(block)
        if found is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            found = self._places[block] = self.locate(block * self._unit_bytes)
        return found

    def runs_on(self, channel: int, transfer: Transfer) -> list[tuple[int, int, int]]:
        """Runs of a transfer that lie on a channel: (bank, row, bursts)."""
        if self._one_channel:
            runs = self.runs(transfer.address, transfer.line_bytes, transfer.lines, transfer.pitch_bytes)
            return [(bank, row, bursts) for _, bank, row, bursts in runs]
        if self._split_of is not transfer:
            self._split_of, self._split = transfer, {}
            for number, bank, row, bursts in self.runs(
                transfer.address, transfer.line_bytes, transfer.lines, transfer.pitch_bytes
            ):
                if number in self._split:
                    self._split[number].append((bank, row, bursts))
                else:
                    self._split[number] = [(bank, row, bursts)]
        return self._split.get(channel, [])

    def runs(self, address: int, line_bytes: int, lines: int, pitch_bytes: int) -> list[tuple[int, int, int, int]]:
        """Split lines of bytes into runs that lie in one row: (channel, bank, row, bursts).

        Every line costs whole bursts, also where two lines share one. Consecutive lines in one row are one run.
        """
        unit, burst = self._unit_bytes, self._burst_bytes
        found: list[tuple[int, int, int, int]] = []
        line = 0
        while line < lines:
            start = address + line * pitch_bytes
            room = unit - start % unit
            if line_bytes <= room:
                count = min(lines - line, (room - line_bytes) // pitch_bytes + 1) if lines > 1 else 1
                if count == 1 or pitch_bytes % burst == 0:
                    bursts = count * ((start + line_bytes - 1) // burst - start // burst + 1)
                else:
                    starts = range(start, start + count * pitch_bytes, pitch_bytes)
                    bursts = sum([(first + line_bytes - 1) // burst - first // burst + 1 for first in starts])
                channel, bank, row = self._place(start // unit)
                found.append((channel, bank, row, bursts))
                line += count
                continue
            end = start + line_bytes
            while start < end:
                until = start + unit - start % unit
                if until > end:
                    until = end
                channel, bank, row = self._place(start // unit)
                found.append((channel, bank, row, (until - 1) // burst - start // burst + 1))
                start = until
            line += 1
        return found
