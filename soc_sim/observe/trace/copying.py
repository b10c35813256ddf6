"""Hands a dumped trace, or a part of it, to sinks: how one format becomes another."""

from __future__ import annotations

import numpy as np

from soc_sim.observe.trace.columns import Block, Integers, Samples, Sink, Slices, Tables
from soc_sim.observe.trace.reading import Source
from soc_sim.observe.trace.selection import EVERYTHING, Selection


def copy(source: Source, *sinks: Sink, selection: Selection = EVERYTHING) -> None:
    """Copy what is selected.

    Raises:
        InputError: a pattern of the selection matches no component.
    """
    head = source.head
    selection.check([track.name for track in head.tracks])
    wanted = [number for number, track in enumerate(head.tracks) if selection.wants(track.name, track.detail)]
    number_of = np.full(len(head.tracks), -1)
    number_of[wanted] = np.arange(len(wanted))
    tables = Tables([head.tracks[number] for number in wanted], [], head.layers)
    for sink in sinks:
        sink.open(tables)
    for block in source.blocks():
        tables.names.extend(list(source.names)[len(tables.names) :])
        part = _part(block, number_of, selection)
        for sink in sinks if len(part) else ():
            if isinstance(part, Slices):
                sink.slices(part)
            else:
                sink.samples(part)
    for sink in sinks:
        sink.close(head.end_ps)


def _part(block: Block, number_of: Integers, selection: Selection) -> Block:
    """What is selected of a block, with the numbers that its tracks have now."""
    tracks = number_of[block.tracks]
    chosen = tracks >= 0
    window = selection.window
    if isinstance(block, Slices):
        if window is not None:
            chosen &= (block.starts_ps < window.to_ps) & (block.ends_ps > window.from_ps)
        rows = block.rows[chosen]
        rows[:, 0] = tracks[chosen]
        return Slices.of_rows(rows)
    times_ps = block.times_ps
    if window is not None:
        # A counter has at the window's start the last value that it had before.
        before = np.flatnonzero(times_ps < window.from_ps)
        _, last = np.unique(tracks[before][::-1], return_index=True)
        late = np.zeros(len(times_ps), np.bool_)
        late[before[::-1][last]] = True
        chosen &= ((times_ps >= window.from_ps) & (times_ps < window.to_ps)) | late
        times_ps = np.maximum(times_ps, window.from_ps)
    return Samples(tracks[chosen], times_ps[chosen], block.values[chosen])
