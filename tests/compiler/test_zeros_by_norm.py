"""Zeros of a pattern by the norm of its units: of the network's own weights, or of seeded ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import make_soc

from soc_sim import compiler
from soc_sim.compiler.zeros import Zeros
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder

BY_NORM = Sparsity(pattern="tile_columns", level=0.5, score="norm", seed=4)


def network(values: np.ndarray | None) -> Network:
    """Tokens times a matrix, stored k × m."""
    net = NetworkBuilder("net", "test")
    built = net.build(net.matmul("fc", net.input("x", 1, 16, 6), net.weight("w", 6, 8)))
    if values is None:
        return built
    return replace(built, tensors={**built.tensors, "w": replace(built.tensors["w"], values=lambda: values)})


def test_the_networks_own_weights_decide() -> None:
    """Two row blocks of four with six columns each; the six of the smallest norm go, 1 to 6, over both together."""
    weights = np.ones((8, 6))
    weights[:4] *= [9, 8, 7, 1, 2, 3]
    weights[4:] *= [4, 20, 5, 30, 6, 40]
    soc = make_soc(rows=4, cols=4)
    zeros = Zeros(network(weights.T), BY_NORM, soc.array)
    program = compiler.compile(zeros.network, soc, None, BY_NORM)
    assert program.layers[0].sparsity == 0.5
    assert not program.warnings
    assert compiler.compile(zeros.network, soc, None, zeros).layers == program.layers
    (layer,) = zeros._known.values()
    assert layer is not None
    kept = layer.nonzero[0]
    assert kept[0].tolist() == [True, True, True, False, False, False]
    assert kept[4].tolist() == [False, True, False, True, False, True]


def test_layers_without_values_get_seeded_ones_and_the_program_says_so() -> None:
    soc = make_soc(rows=4, cols=4)
    program = compiler.compile(network(None), soc, None, BY_NORM)
    assert program.layers[0].sparsity == 0.5
    assert program.warnings == (
        "net: layers whose weights have no values: 1; seeded ones decide what is zero (workload.sparsity.score)",
    )
    assert compiler.compile(network(None), soc, None, BY_NORM).layers == program.layers


def test_zeros_serve_one_network_and_array_alone() -> None:
    soc = make_soc(rows=4, cols=4)
    zeros = Zeros(network(None), BY_NORM, soc.array)
    with pytest.raises(ValueError, match="zeros of another network or array"):
        compiler.compile(network(None), soc, None, zeros)
