"""What sparse weights gain over dense ones: one entry for each network, array, pattern and level.

Read ``entries`` (what is simulated), ``table`` (what is kept), ``page`` (what it says), ``figure``.
"""

from soc_sim.explore.study.entries import Entry, Key, in_parts, keys_of, run_entry
from soc_sim.explore.study.table import Table

__all__ = ["Entry", "Key", "Table", "in_parts", "keys_of", "run_entry"]
