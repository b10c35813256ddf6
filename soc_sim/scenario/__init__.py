"""Several streams of requests on one SoC: ``scenario`` puts one together, ``outcome`` is what came of it."""

from soc_sim.scenario.outcome import Outcome
from soc_sim.scenario.scenario import Scenario

__all__ = ["Outcome", "Scenario"]
