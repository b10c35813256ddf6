"""Writes a trace as Perfetto's protocol buffers, block by block and in columns.

Format: perfetto.protos.Trace of the Perfetto project (protos/perfetto/trace/), a sequence of packets. A component is a
process with a track for each lane; a slice is a begin and an end on one; names of slices and layers are interned.

Perfetto's clock ticks in ns: starts and ends are rounded down to one; ``duration_ps`` among a slice's arguments is
exact. Within a lane an end is written before a begin at the same time, and the consumer's sorting keeps that order.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import numpy as np

from soc_sim.observe.trace import protobuf as pb
from soc_sim.observe.trace.columns import Integers, Samples, Slices, Tables
from soc_sim.observe.trace.flows import Flows
from soc_sim.observe.trace.lanes import Lane, Lanes
from soc_sim.observe.trace.order import components, ranks, title

_PS_PER_NS: Final = 1000
_BEGIN, _END, _COUNTER = 1, 2, 4
_STATE_CLEARED: Final = 1
_BY_RANK: Final = 3
_SEQUENCE: Final = pb.number(10, 1)
"""All packets belong to one sequence, which shares interned names."""
_LAYER, _INSTRUCTION, _DURATION = 1, 2, 3
_ARGUMENTS: Final = {"layer": _LAYER, "instruction": _INSTRUCTION, "duration_ps": _DURATION}
"""Interned names of what a slice says about itself."""


class PerfettoWriter:
    """A sink that writes packets."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lanes = Lanes()
        self._ids: dict[Lane, int] = {}
        self._interned = 0

    def open(self, tables: Tables) -> None:
        """Write the descriptions of components, tracks and counters."""
        self._tables = tables
        self._flows = Flows(tables)
        self._processes = components(tables.tracks)
        self._ranks = ranks(tables.tracks)
        arguments = [pb.message(3, pb.number(1, iid) + pb.message(2, name)) for name, iid in _ARGUMENTS.items()]
        layers = [
            pb.message(29, pb.number(1, iid) + pb.message(2, name)) for iid, name in enumerate(tables.layers, start=1)
        ]
        self._packet(pb.number(13, _STATE_CLEARED) + pb.message(12, b"".join([*arguments, *layers])))
        for name, process in self._processes.items():
            described = pb.message(3, pb.number(1, process) + pb.message(6, name))
            self._packet(pb.message(60, pb.number(1, process) + described + pb.number(11, _BY_RANK)))
        for track in sorted(range(len(self._ranks)), key=self._ranks.__getitem__):
            self._id(Lane(track, 0))

    def slices(self, block: Slices) -> None:
        """Write a begin and an end for each slice."""
        self._intern()
        self._flows.note(block)
        lanes = list(self._lanes.split(block))
        ids = np.concatenate([np.full(len(slices), self._id(lane)) for lane, slices in lanes])
        slices = Slices.joined([slices for _, slices in lanes])
        starts_ns, ends_ns = slices.starts_ps // _PS_PER_NS, slices.ends_ps // _PS_PER_NS
        track = pb.numbers(11, ids)
        begin = pb.joined(
            pb.constants(len(ids), pb.number(9, _BEGIN)),
            track,
            pb.numbers(10, slices.names + 1),
            self._argument(_DURATION, 4, slices.ends_ps - slices.starts_ps),
            self._argument(_INSTRUCTION, 4, np.maximum(slices.instructions, 0)).where(slices.instructions >= 0),
            self._argument(_LAYER, 17, np.maximum(slices.layers, 0) + 1).where(
                (slices.layers >= 0) & (slices.layers < len(self._tables.layers))
            ),
            pb.fixed64(47, slices.instructions + 1).where(self._flows.leaves(slices)),
            pb.fixed64(48, slices.waited_for + 1).where(self._flows.arrives(slices)),
        )
        end = pb.joined(pb.constants(len(ids), pb.number(9, _END)), track)
        self._file.write(pb.joined(_events(starts_ns, begin), _events(ends_ns, end)).to_bytes())

    def samples(self, block: Samples) -> None:
        """Write the values of counters."""
        id_of = np.array([self._id(Lane(track, 0)) for track in range(len(self._tables.tracks))])
        value = pb.joined(
            pb.constants(len(block), pb.number(9, _COUNTER)),
            pb.numbers(11, id_of[block.tracks]),
            pb.fixed64(44, block.values),
        )
        self._file.write(_events(block.times_ps // _PS_PER_NS, value).to_bytes())

    def close(self, end_ps: int) -> None:
        """All has been written."""

    def _argument(self, name: int, field: int, values: Integers) -> pb.Column:
        """What slices say about themselves: a debug annotation with a value in ``field``."""
        return pb.messages(4, pb.joined(pb.constants(len(values), pb.number(1, name)), pb.numbers(field, values)))

    def _intern(self) -> None:
        """Write the names that have come since the last time."""
        names = self._tables.names[self._interned :]
        if names:
            numbered = enumerate(names, start=self._interned + 1)
            entries = [pb.message(2, pb.number(1, iid) + pb.message(2, name)) for iid, name in numbered]
            self._packet(pb.message(12, b"".join(entries)))
            self._interned += len(names)

    def _id(self, lane: Lane) -> int:
        """The identifier of a lane's track, which is described when it is seen first."""
        found = self._ids.get(lane)
        if found is None:
            found = self._ids[lane] = len(self._processes) + len(self._ids) + 1
            track = self._tables.tracks[lane.track]
            described = pb.number(1, found) + pb.number(5, self._processes[track.component])
            described += pb.message(2, title(track.name, lane.number))
            described += pb.number(12, self._ranks[lane.track] + lane.number)
            if track.detail == "counters":
                described += pb.message(8, pb.message(6, track.unit))
            self._packet(pb.message(60, described))
        return found

    def _packet(self, content: bytes) -> None:
        self._file.write(pb.message(1, _SEQUENCE + content))


def _events(times_ns: Integers, content: pb.Column) -> pb.Column:
    """Packets with track events at these times."""
    return pb.messages(
        1, pb.joined(pb.constants(len(times_ns), _SEQUENCE), pb.numbers(8, times_ns), pb.messages(11, content))
    )
