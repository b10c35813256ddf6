"""Writes a timeline as Chrome trace JSON, which Perfetto and chrome://tracing show.

Format: "Trace Event Format" (the Chromium project). Each slice is a complete event (``ph: X``) with ``ts`` and ``dur``
in µs and six decimals, that is whole picoseconds. A process of the trace is a component, a thread is a lane.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import soc_sim
from soc_sim.observe.replacing import replacing
from soc_sim.observe.timeline import LAYERS_TRACK, Lane, Timeline

_PS_PER_US = 10**6
_ORDER = (LAYERS_TRACK, "core", "host", "interconnect")
"""Processes whose name begins so come first, in this order; memories come last."""


def write_chrome(path: Path, timeline: Timeline, *, latency_ps: int) -> None:
    """Write the trace to ``path``; ``latency_ps``, where the last slice ends, goes into its ``otherData``.

    Raises:
        InputError: ``path`` cannot be written.
    """
    about = {"generator": f"soc_sim {soc_sim.__version__}", "clock": "simulated, in ps", "latency_ps": latency_ps}
    with replacing(path) as file:
        file.write(f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[')
        events = _events(timeline)
        file.write("\n" + next(events, ""))
        file.writelines(f",\n{event}" for event in events)
        file.write("\n]}\n")


def _events(timeline: Timeline) -> Iterator[str]:
    names = [json.dumps(text) for text in timeline.slice_names]
    arguments = {index: json.dumps({"layer": name}) for index, name in enumerate(timeline.layer_names)}
    lanes = sorted(timeline.lanes(), key=lambda lane: _process_order(_process(lane)))
    thread = 0
    for process, (title, members) in enumerate(groupby(lanes, key=_process), start=1):
        yield _metadata("process_name", process, 0, name=title)
        yield _metadata("process_sort_index", process, 0, sort_index=process)
        for lane in members:
            thread += 1
            yield _metadata("thread_name", process, thread, name=lane.title)
            yield _metadata("thread_sort_index", process, thread, sort_index=thread)
            yield from _slices(lane, process, thread, names, arguments)


def _process(lane: Lane) -> str:
    return lane.track.partition(".")[0]


def _process_order(process: str) -> tuple[int, int, str]:
    """Rank of the component; shorter names first, so that core10 follows core9."""
    rank = next((rank for rank, prefix in enumerate(_ORDER) if process.startswith(prefix)), len(_ORDER))
    return rank, len(process), process


def _metadata(kind: str, process: int, thread: int, **arguments: str | int) -> str:
    return json.dumps({"ph": "M", "pid": process, "tid": thread, "name": kind, "args": arguments})


def _slices(lane: Lane, process: int, thread: int, names: list[str], arguments: dict[int, str]) -> Iterator[str]:
    head = f'{{"ph":"X","pid":{process},"tid":{thread},"ts":'
    columns = (lane.starts_ps, lane.ends_ps - lane.starts_ps, lane.names, lane.layers)
    for start_ps, duration_ps, name, layer in zip(*(column.tolist() for column in columns), strict=True):
        yield (
            f"{head}{start_ps // _PS_PER_US}.{start_ps % _PS_PER_US:06d},"
            f'"dur":{duration_ps // _PS_PER_US}.{duration_ps % _PS_PER_US:06d},'
            f'"name":{names[name]},"args":{arguments.get(layer, "{}")}}}'
        )
