"""The document of `run --json`: every figure derived once, from the integers of a run.

``document`` puts it together; each other file derives the figures of one part of it.
"""

from soc_sim.observe.statistics.document import SCHEMA, statistics
from soc_sim.observe.statistics.pipeline import pipeline_statistics

__all__ = ["SCHEMA", "pipeline_statistics", "statistics"]
