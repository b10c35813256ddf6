"""The SoC: ``builder`` connects the components, ``soc`` runs a program on them, ``record`` is what happened."""

from soc_sim.system.record import RunRecord, TrafficRecord
from soc_sim.system.soc import run

__all__ = ["RunRecord", "TrafficRecord", "run"]
