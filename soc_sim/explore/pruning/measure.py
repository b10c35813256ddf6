"""What pruned weights are worth on the SoC: latency, energy and bytes of weights, whole and layer by layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from soc_sim import system
from soc_sim.config.prune import Prune
from soc_sim.config.sparsity import Sparsity
from soc_sim.energy.prices import prices
from soc_sim.explore.pruning.model import TrainedModel
from soc_sim.explore.pruning.repair import Masks
from soc_sim.network.base import Network
from soc_sim.observe.statistics import statistics


@dataclass(frozen=True)
class Measurement:
    """One simulated inference."""

    latency_ps: int
    energy_j: float | None
    """None where the SoC's energy is not known."""
    weight_bytes: int
    """Of all layers as they are stored, metadata included."""
    layer_latency_ps: Mapping[str, int]
    layer_energy_j: Mapping[str, float]
    dataflows: Mapping[str, str]

    @property
    def latency_s(self) -> float:
        """Latency in seconds."""
        return self.latency_ps / 1e12


def measure(job: Prune, model: TrainedModel, masks: Masks | None) -> Measurement:
    """Simulates the model with these weights kept; ``None`` for the dense baseline.

    Raises:
        MappingError: the network does not fit the SoC.
    """
    # A layer of the program bears the name of the operator that multiplies.
    if masks is None:
        return simulate(job, model.network, "dense")
    return simulate(job, model.sparse_network(masks), Sparsity(from_weights=True))


def simulate(job: Prune, network: Network, sparsity: Literal["dense"] | Sparsity) -> Measurement:
    """One inference with the job's SoC and mapping.

    Raises:
        MappingError: the network does not fit the SoC.
    """
    known = None if job.mapping.objective == "latency" else prices(job.soc)
    program = system.compile_by_trial(network, job.soc, job.mapping, sparsity, known)
    document = statistics(system.run(job.soc, program, seed=job.seed), config={}, seed=job.seed)
    latency: dict[str, int] = defaultdict(int)
    energy: dict[str, float] = {}
    size, flows = 0, {}
    for layer in document["layers"]:
        latency[layer["name"]] += sum(layer["array_time_ps"].values())
        if layer["energy_j"] is not None:
            energy[layer["name"]] = layer["energy_j"]
        if layer["dataflow"]:
            flows[layer["name"]] = layer["dataflow"]
        size += layer["weight_bytes"] or 0
    return Measurement(document["latency_ps"], document["energy_j"], size, dict(latency), energy, flows)
