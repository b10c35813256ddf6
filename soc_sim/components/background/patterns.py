"""When a background initiator asks for what: endless sequences of requests, each computed from its number.

A rate of B bytes a second makes chunk number k due at ⌊k · chunk / B⌋, so that nothing accumulates.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from soc_sim.config.background import Background
from soc_sim.units import PS_PER_S


class Due(NamedTuple):
    """A request and when it is due."""

    due_ps: int
    address: int
    size_bytes: int
    write: bool


def requests(description: Background, base: int, seed: int) -> Iterator[Due]:
    """Requests in order of time, from time 0 on, within its extent from the address ``base`` on."""
    # A text as seed gives the same numbers on any machine, whatever Python's hashes do.
    chance = random.Random(f"{seed}/{description.name}")  # noqa: S311 # jitter, not a secret
    write_share = 1 - Fraction(description.read_share).limit_denominator(10**6)
    writes, of = write_share.numerator, write_share.denominator
    steps = _frames(description) if description.pattern == "frame" else _steady(description, chance)
    for number, (due_ps, offset, size_bytes, gap_ps) in enumerate(steps):
        late_ps = int(chance.random() * description.jitter * gap_ps) if description.jitter else 0
        # Evenly spread: so many of the first n are writes as n · share says.
        write = (number + 1) * writes // of > number * writes // of
        yield Due(due_ps + late_ps, base + offset, size_bytes, write)


Step = tuple[int, int, int, int]
"""Due time without jitter, address within the extent, bytes, time until the next."""


def _steady(description: Background, chance: random.Random) -> Iterator[Step]:
    chunk, footprint = description.chunk_bytes, description.footprint_bytes
    rate = description.bandwidth_bytes_per_s or 1
    chunks = footprint // chunk
    stride = description.stride_bytes or chunk
    for number in count():
        due_ps, next_ps = (step * chunk * PS_PER_S // rate for step in (number, number + 1))
        match description.pattern:
            case "random":
                offset = chance.randrange(chunks) * chunk
            case "strided":
                offset = number * stride % (footprint - chunk + 1)
            case _:
                offset = number % chunks * chunk
        yield due_ps, offset, chunk, next_ps - due_ps


def _frames(description: Background) -> Iterator[Step]:
    chunk, frame_bytes = description.chunk_bytes, description.frame_bytes or 1
    rate = description.frame_rate_hz or 1
    chunks = -(-frame_bytes // chunk)
    active = 1 - Fraction(description.blanking).limit_denominator(10**6)
    for number in count():
        frame, place = divmod(number, chunks)
        start_ps, next_frame_ps = frame * PS_PER_S // rate, (frame + 1) * PS_PER_S // rate
        active_ps = int((next_frame_ps - start_ps) * active)
        due_ps, next_ps = (start_ps + step * active_ps // chunks for step in (place, place + 1))
        yield due_ps, place * chunk, min(chunk, frame_bytes - place * chunk), next_ps - due_ps
