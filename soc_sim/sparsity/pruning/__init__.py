"""Which weights to prune, and how to repair what is left: numpy only, without a network or an SoC.

Read ``units`` (what is pruned together), ``orders`` (what matters least, within a row block), ``selection`` (across
blocks and layers) and ``least_squares`` (weights that make up for what has gone).
"""

from soc_sim.sparsity.pruning.least_squares import Moments, fit, squared_error
from soc_sim.sparsity.pruning.orders import Order, second_order, sorted_order
from soc_sim.sparsity.pruning.selection import Bounds, select
from soc_sim.sparsity.pruning.units import Units, units_of

__all__ = [
    "Bounds",
    "Moments",
    "Order",
    "Units",
    "fit",
    "second_order",
    "select",
    "sorted_order",
    "squared_error",
    "units_of",
]
