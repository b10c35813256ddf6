"""When the requests of a stream come."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count, islice

from soc_sim.config.scenario import RequestStream


def arrivals_ps(stream: RequestStream, seed: int) -> Iterator[int]:
    """Times in ps, ascending: endless unless the stream ends.

    Periodic: number n comes at offset + n · period, and up to jitter · period later. Poisson: the times between two
    requests are independent and exponentially distributed, with the period as mean.
    """
    # A text as seed gives the same numbers on any machine, whatever Python's hashes do.
    chance = random.Random(f"{seed}/{stream.name}")  # noqa: S311 # arrivals, not a secret
    return islice(_endless(stream, chance), stream.requests)


def _endless(stream: RequestStream, chance: random.Random) -> Iterator[int]:
    period_ps = stream.period_ps or 0
    match stream.arrivals:
        case "trace":
            yield from stream.times
        case "poisson":
            time_ps = 0
            while True:
                time_ps += round(chance.expovariate(1 / period_ps))
                yield time_ps
        case _:
            for number in count():
                late_ps = int(chance.random() * stream.jitter * period_ps) if stream.jitter else 0
                yield stream.offset_ps + number * period_ps + late_ps
