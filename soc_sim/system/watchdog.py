"""Notices that nothing can go on while background traffic keeps time going, so that a run cannot last for ever."""

from __future__ import annotations

from collections.abc import Callable

from soc_sim.kernel import Simulation
from soc_sim.system.builder import Machine
from soc_sim.units import PS_PER_S

INTERVAL_PS = PS_PER_S // 100
"""Between two looks, beyond what leaves no trace at a look: stops of clocks and the dispatch of an instruction."""
STARVED_LOOKS = 10
"""So many looks without a byte moved for a program, while it waits for some, and it counts as starved."""


class Watchdog:
    """Looks now and then whether anything has been done on what was asked for."""

    def __init__(self, machine: Machine, pending: Callable[[], int], stop: Callable[[], None]) -> None:
        """``pending`` counts what has been asked for and has not ended; ``stop`` is called when nothing goes on."""
        self._machine = machine
        self._pending = pending
        self._stop = stop
        self._seen: tuple[int, ...] = ()
        self._looks = 0
        self._starved = False
        self._starved_from_ps = 0

    def start(self) -> None:
        """Plan the first look."""
        self._machine.simulation.on_deadlock(self._report)
        self._plan(self._machine.simulation)

    def _plan(self, simulation: Simulation) -> None:
        machine = self._machine
        dispatch_ps = max((core.controller.longest_dispatch_ps for core in machine.cores), default=0)
        quiet_ps = machine.domains.longest_stop_ps + dispatch_ps
        simulation.call_at(simulation.now_ps + INTERVAL_PS + quiet_ps, self._look)

    def _look(self) -> None:
        machine = self._machine
        seen = self._progress()
        at_work = machine.host.at_work or any(core.array.at_work is not None for core in machine.cores)
        if seen != self._seen or at_work or not self._pending():
            self._seen, self._looks = seen, 0
            self._starved_from_ps = machine.simulation.now_ps
        else:
            self._looks += 1
            self._starved = any(issuer.busy for issuer in machine.issuers)
            if self._looks >= (STARVED_LOOKS if self._starved else 1):
                self._stop()
                return
        self._plan(machine.simulation)

    def _progress(self) -> tuple[int, ...]:
        machine = self._machine
        handed = (core.controller.dispatched for core in machine.cores)
        background = {initiator.name for initiator in machine.background}
        moved = (traffic.moved_bytes for name, traffic in machine.fabric.traffic.items() if name not in background)
        changes = sum(len(phases) for phases in machine.domains.phases.values())
        return (self._pending(), changes, *handed, *moved)

    def _report(self) -> str | None:
        if not self._starved:
            return None
        names = ", ".join(initiator.name for initiator in self._machine.background)
        span_ms = (self._machine.simulation.now_ps - self._starved_from_ps) * 1000 // PS_PER_S
        return f"not a byte was moved for a program in {span_ms} ms: background traffic ({names}) leaves no bandwidth"
