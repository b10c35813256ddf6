"""From a network to a program: which operators run together, on which dataflow, in which tiles, from which addresses.

Read ``program`` for the result and ``pipeline`` for the steps; README.md says what is assumed.
"""

from __future__ import annotations

from soc_sim.compiler.pipeline import compile  # noqa: A004  the field's word
from soc_sim.compiler.program import Program

__all__ = ["Program", "compile"]
