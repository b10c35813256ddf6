"""soc_sim: a discrete-event, system-level simulator of edge AI SoCs with a flexible systolic array.

>>> import soc_sim
>>> result = soc_sim.simulate(soc_sim.load_soc("edge_16x16"), soc_sim.load_network("resnet8"))
>>> sum(result.array_time_ps.values()) == result.latency_ps
True
"""

# Map of the package, in reading order; data flow one way (README.md in this folder says more):
#
#   config/    descriptions of everything below   network/    what runs (zoo, ONNX)
#   dataflow/  cycles of a GEMM on the array      compiler/   how it runs: layers, tiles, program
#   kernel/    time, ports, credits               components/ what it runs on, one folder per role
#   system/    an SoC out of components           energy/     counts x table
#   observe/   statistics, tables, traces         scenario/   several streams at once
#   cli/       one file per command
#
# Import rule, kept by tests/test_imports.py: errors, units <- config <- (network, sparsity, dataflow) <- compiler;
# config <- kernel <- components; both <- system <- observe (with energy) <- scenario <- facade <-
# cli.

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from soc_sim import ahead_of_time

if TYPE_CHECKING:
    from soc_sim.facade import (
        Outcome,
        Result,
        Scenario,
        compile,  # noqa: A004 # the field's word
        load_network,
        load_soc,
        register,
        simulate,
    )

ahead_of_time.choose()

__version__ = version("soc_sim")
__all__ = [
    "Outcome",
    "Result",
    "Scenario",
    "__version__",
    "compile",
    "load_network",
    "load_soc",
    "register",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `soc-sim --help` and a part used alone stay quick.
    if name in __all__:
        from soc_sim import facade

        return getattr(facade, name)
    raise AttributeError(f"module 'soc_sim' has no attribute {name!r}")
