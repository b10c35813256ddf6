"""The clock domains of a machine: what frequency and voltage they have, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soc_sim.components.memory.dram.model import DramModel
from soc_sim.config.domain import ClockName, Domain
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError, suggestion
from soc_sim.kernel import Clock, Simulation
from soc_sim.units import PS_PER_S


@dataclass(frozen=True)
class Phase:
    """A time in which a domain had one frequency and one voltage."""

    start_ps: int
    """When the first edge of this frequency was; until then the previous voltage holds."""
    clock_hz: int
    voltage_v: float | None
    """None: that of the energy table."""
    past_cycles: int
    """Edges before ``start_ps``."""

    def cycles_at(self, time_ps: int) -> int:
        """Edges of the domain's clock before ``time_ps``, which lies in this phase."""
        return self.past_cycles + Clock(self.clock_hz, self.start_ps).index_at(time_ps)


class Domains:
    """Changes frequencies at simulated times, and remembers them."""

    def __init__(
        self,
        soc: Soc,
        simulation: Simulation,
        clocks: Mapping[ClockName, Sequence[Clock]],
        dram: DramModel | None = None,
    ) -> None:
        """``clocks``: all clocks that there are, one or more of each name; ``dram``: if its clock can change."""
        self._simulation = simulation
        self._soc, self._dram = soc, dram
        self._domains = {domain.name: domain for domain in soc.clock_domains}
        self._clocks = {
            domain.name: [clock for member, owned in clocks.items() if member in domain.members for clock in owned]
            for domain in soc.clock_domains
        }
        self.phases: dict[str, list[Phase]] = {
            domain.name: [Phase(0, clock_hz, domain.voltage_at(clock_hz), 0)]
            for domain in soc.clock_domains
            for clock_hz in (soc.clock_hz(domain.members[0]),)
        }
        self._counters = {domain.name: simulation.counter(f"{domain.name}.clock", "Hz") for domain in soc.domains}
        self._asked_hz = {name: phases[0].clock_hz for name, phases in self.phases.items()}
        """Of each domain: the last frequency that was asked for; a DRAM takes it when it is ready."""
        for name, counter in self._counters.items():
            if counter is not None:
                counter.set(0, self.phases[name][0].clock_hz)

    @property
    def longest_stop_ps(self) -> int:
        """For how long nothing may go on at most: all domains change one after another, and PEs wake up."""
        domains = self._domains.values()
        wake_ups_ps = (state.wake_up_ps for domain in domains for state in domain.idle_states)
        return sum(domain.transition_time_ps for domain in domains) + max(wake_ups_ps, default=0)

    def set_frequency(self, domain: str, clock_hz: float) -> None:
        """Change the frequency of a domain now; without a change nothing happens, and nothing is paid.

        The clocks stand still from their next edge on for the transition time of the domain. A DRAM serves first what
        it has, and closes its rows.

        Raises:
            ConfigurationError: there is no such domain, or the frequency is none of its points.
        """
        found = self._domains.get(domain)
        if found is None:
            hint = suggestion(domain, self._domains)
            raise ConfigurationError(f"'{domain}' is no clock domain; allowed: {', '.join(self._domains)}{hint}")
        frequency_hz = check_point(found, clock_hz)
        if frequency_hz == self._asked_hz[domain]:
            return
        if found.of_dram:
            for _, text in self._soc.beyond_timing("", frequency_hz):
                raise ConfigurationError(f"domain '{domain}': {text}")
        self._asked_hz[domain] = frequency_hz
        if found.of_dram:
            self._change_dram(found, frequency_hz)
            return
        for clock in self._clocks[domain]:
            clock.set_frequency(frequency_hz, self._simulation.now_ps, found.transition_time_ps)
        clock = self._clocks[domain][0]
        self.phases[domain].append(
            Phase(clock.start_ps, frequency_hz, found.voltage_at(frequency_hz), clock.past_cycles)
        )
        self._tell(domain, frequency_hz)

    def _change_dram(self, domain: Domain, frequency_hz: int) -> None:
        assert self._dram is not None  # noqa: S101 # or it would have no domain

        def changed(start_ps: int, past_cycles: int) -> None:
            self.phases[domain.name].append(Phase(start_ps, frequency_hz, domain.voltage_at(frequency_hz), past_cycles))
            self._tell(domain.name, frequency_hz)

        tck_ps = self._dram.description.tck_ps_at(frequency_hz)
        self._dram.change_clock(tck_ps, domain.transition_time_ps, changed)

    def _tell(self, domain: str, frequency_hz: int) -> None:
        counter = self._counters.get(domain)
        if counter is not None:
            counter.set(self._simulation.now_ps, frequency_hz)


def check_point(domain: Domain, clock_hz: float) -> int:
    """The frequency in whole Hz.

    Raises:
        ConfigurationError: it is none of the domain's points, or no frequency at all.
    """
    frequency_hz = round(clock_hz)
    if not 0 < frequency_hz <= PS_PER_S:
        raise ConfigurationError(f"{clock_hz} Hz is no frequency of domain '{domain.name}'; allowed: 1 Hz to 1 THz")
    if domain.points and domain.voltage_at(frequency_hz) is None:
        allowed = ", ".join(f"{point.clock_hz} Hz" for point in domain.points)
        raise ConfigurationError(f"domain '{domain.name}' has no point of {frequency_hz} Hz; allowed: {allowed}")
    return frequency_hz
