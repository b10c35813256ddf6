"""Trained networks of a study, pruned by importance to one level after another."""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.config.prune import Target
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import PatternName
from soc_sim.config.study import TrainedNetwork
from soc_sim.explore.pruning.job import search_of
from soc_sim.explore.pruning.search import Level, Search
from soc_sim.network.base import Network

STEP = 0.1
"""Levels on the way to the wanted one; the same whether or not others were asked for before."""


@dataclass(slots=True)
class _Walk:
    """How far one network has been pruned on one array."""

    name: object
    search: Search
    last: Level
    steps: int = 0


_walk: list[_Walk] = []


def trained_model(
    network: TrainedNetwork, soc: Soc, pattern: PatternName, level: float
) -> tuple[Network, Network, float, float]:
    """The pruned and the dense network, the sparsity reached, and the accuracy lost on the validation part.

    Raises:
        InputError: the job cannot be done.
    """
    name = network.name, soc.array.rows, pattern
    whole = int(level / STEP + 1e-9)
    if not _walk or _walk[0].name != name or _walk[0].steps > whole:
        pruning = network.job.pruning.model_copy(update={"pattern": pattern})
        target = Target(sparsity=level)
        job = network.job.model_copy(update={"soc": soc, "pruning": pruning, "target": target})
        search = search_of(job)
        _walk[:] = [_Walk(name, search, search.begin())]
    walk = _walk[0]
    while walk.steps < whole:
        walk.steps += 1
        walk.last = walk.search.step(walk.last, walk.steps * STEP)
    found = walk.last if level - whole * STEP < 1e-6 else walk.search.step(walk.last, level)
    model = found.model
    return model.sparse_network(found.masks), model.network, found.sparsity, walk.search.drop(found)
