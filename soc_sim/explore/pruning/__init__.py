"""Pruning a trained ONNX model for an SoC: accuracy, latency and energy from one search.

Read ``job`` (the steps, and what comes out), ``search`` (levels until a budget is met), ``repair`` (one level), then
``model`` (the ONNX file), ``measure`` (the SoC) and ``data`` (labelled images). Which weights go is decided in
``soc_sim.sparsity.pruning``.
"""

from soc_sim.explore.pruning.job import Pruned, prune

__all__ = ["Pruned", "prune"]
