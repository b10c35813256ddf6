"""How power over time is reported."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from soc_sim.config.base import Description, Picoseconds


class PowerReport(Description):
    """Power over the time of a run."""

    window_ps: Picoseconds = 10_000_000
    """Time over which the peak power is a mean, for example 10 us."""
    samples: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Parts of equal length for which the mean power of each component is given."""
