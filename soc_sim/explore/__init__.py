"""Several simulations to answer one question: ``bottlenecks`` asks what bounds a run and what would help.

``pruning`` searches for the weights that a trained network can do without.
"""

from soc_sim.explore.bottlenecks import bottlenecks

__all__ = ["bottlenecks"]
