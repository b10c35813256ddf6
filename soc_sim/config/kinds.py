"""Which kinds of files there are."""

from __future__ import annotations

from typing import Final

from soc_sim.config.base import Description
from soc_sim.config.places import Place, descriptions
from soc_sim.config.prune import Prune
from soc_sim.config.run import Run
from soc_sim.config.scenario import Scenario
from soc_sim.config.study import Study

ROOTS: Final[tuple[type[Description], ...]] = (Run, Scenario, Prune, Study)
"""Descriptions of whole jobs; every other kind is a part of one of them."""

KINDS: Final[dict[str, type[Description]]] = Place.of(*descriptions(*ROOTS)).kinds
"""Value of ``kind`` → description."""
