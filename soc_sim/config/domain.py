"""Clock domains: which clocks change together, and the pairs of frequency and voltage between which they change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import Field

from soc_sim import units
from soc_sim.config.base import Delay, Description, Hertz, Picojoules, Volts, repeated

ClockName = Literal["array", "dma", "controller", "interconnect", "host"]
CLOCKS: tuple[ClockName, ...] = get_args(ClockName)
"""Parts of an SoC whose clock can change; the array's includes its buffers."""
MemberName = Literal["array", "dma", "controller", "interconnect", "host", "dram"]
MEMBERS: tuple[MemberName, ...] = get_args(MemberName)
"""The same, and the DRAM, whose clock is fixed unless `domains` names it."""


class OperatingPoint(Description):
    """A frequency, and the supply it needs."""

    clock_hz: Hertz
    """Frequency, for example 400 MHz."""
    voltage_v: Volts
    """Supply at this frequency, for example 0.8 V."""


class IdleState(Description):
    """What idle PEs fall into, how soon, and how they get out again."""

    name: Literal["clock_gated", "power_gated"]
    """`power_gated` switches the supply off; what leaks on is `leakage_share`."""
    after_ps: Delay
    """Idle time after which the state is entered."""
    wake_up_ps: Delay = 0
    """From the next tile being ready until the PEs work again."""
    leakage_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Leakage that remains, of what the PEs leak when powered: retention registers, switches."""
    retains: bool = True
    """Whether registers keep their contents; a state that does not is not entered between parts of one tile's sums."""


class Domain(Description):
    """Clocks that change their frequency together, and what a change costs."""

    name: str
    """How the domain is called; `clocks` may be left out where this is the name of one of them."""
    clocks: Annotated[tuple[MemberName, ...], Field(strict=False)] = ()
    """Whose clocks these are; they have one frequency in common. `dram` is alone in its domain: its command clock
    changes once what has arrived is served and all rows are closed; none is faster than that of its timing,
    or so slow that refreshes leave no time."""
    points: Annotated[tuple[OperatingPoint, ...], Field(strict=False)] = ()
    """Frequencies that are allowed; without any, all are, at the voltage of the energy table."""
    transition_time_ps: Delay = 0
    """How long the clocks stand still at each change of frequency; a DRAM, after its rows have been closed."""
    transition_energy_pj: Picojoules = 0.0
    """What each change costs beside that."""

    idle_states: Annotated[tuple[IdleState, ...], Field(strict=False)] = ()
    """States that the PEs enter while no tile is computed, the earliest first; buffers stay powered."""

    @property
    def members(self) -> tuple[str, ...]:
        """`clocks`, or the one that the domain is named after."""
        return self.clocks or (self.name,)

    @property
    def of_dram(self) -> bool:
        """Whether this is the clock of the DRAM."""
        return "dram" in self.members

    def voltage_at(self, clock_hz: int) -> float | None:
        """Supply at a frequency; None where no points are given (the energy table's) or it is none of them."""
        return next((point.voltage_v for point in self.points if point.clock_hz == clock_hz), None)

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A domain of nothing, points given twice, a voltage that falls where the frequency rises."""
        if not self.clocks and self.name not in MEMBERS:
            yield "clocks", f"is missing, and '{self.name}' is no clock; allowed: {', '.join(MEMBERS)}"
        if self.clocks and self.name in MEMBERS and self.name not in self.clocks:
            yield "name", f"'{self.name}' is a clock that is not part of the domain; choose another name"
        if self.of_dram and len(self.members) > 1:
            yield "clocks", "'dram' changes after all others have waited for it; give it a domain of its own"
        yield from repeated("clocks", self.clocks)
        yield from repeated("idle_states", [state.name for state in self.idle_states])
        if self.idle_states and "array" not in self.members:
            yield "idle_states", "are those of the array, which is not in this domain"
        for earlier, later in pairwise(self.idle_states):
            if later.after_ps <= earlier.after_ps:
                yield "idle_states", f"'{later.name}' is not entered later than '{earlier.name}'"
        yield from repeated("points", [f"{point.clock_hz} Hz" for point in self.points])
        by_clock = sorted(self.points, key=lambda point: point.clock_hz)
        for slow, fast in pairwise(by_clock):
            if fast.voltage_v < slow.voltage_v:
                shown = [units.format_quantity(point.clock_hz, "hz") for point in (fast, slow)]
                yield "points", f"{shown[0]} needs less voltage than {shown[1]}"


class FrequencyChange(Description):
    """At a time of the run, a domain goes to another of its points."""

    at_ps: Delay
    """Simulated time, for example 1 ms."""
    domain: str
    """Name of one of the SoC's domains; a clock that is in none is a domain by its own name."""
    clock_hz: Hertz
    """The new frequency; one of the domain's points, if it has any."""
