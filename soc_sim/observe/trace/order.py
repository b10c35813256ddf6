"""The order in which viewers show components and their tracks."""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.observe.trace.columns import TrackInfo

_FIRST = ("layers", "streams", "core", "host", "interconnect")
"""Components whose name begins so come first, in this order; memories come last."""
_STEP = 1024
"""Lanes of a track that have a place of their own in the order."""


def components(tracks: Sequence[TrackInfo]) -> dict[str, int]:
    """Component → its number, from 1, in the order of viewing."""
    names = dict.fromkeys(track.component for track in tracks)
    return {name: number for number, name in enumerate(sorted(names, key=_rank), start=1)}


def ranks(tracks: Sequence[TrackInfo]) -> list[int]:
    """By track: the place of its first lane in the order of viewing; further lanes follow it, counters come last."""
    order = sorted(
        range(len(tracks)),
        key=lambda track: (_rank(tracks[track].component), tracks[track].detail == "counters", tracks[track].name),
    )
    places = [0] * len(tracks)
    for place, track in enumerate(order, start=1):
        places[track] = place * _STEP
    return places


def _rank(component: str) -> tuple[int, int, str]:
    """Shorter names first, so that core10 follows core9."""
    rank = next((rank for rank, prefix in enumerate(_FIRST) if component.startswith(prefix)), len(_FIRST))
    return rank, len(component), component


def title(track: str, lane: int) -> str:
    """The name of a lane, numbered from the second on: ``core0.dma.weights #2``."""
    return track if lane == 0 else f"{track} #{lane + 1}"
