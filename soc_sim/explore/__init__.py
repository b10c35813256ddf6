"""Several simulations to answer one question: ``bottlenecks`` asks what bounds a run and what would help."""

from soc_sim.explore.bottlenecks import bottlenecks

__all__ = ["bottlenecks"]
