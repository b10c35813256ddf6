"""How fast schedules are: a large layer, and all layers of ResNet-50, under every dataflow."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from soc_sim.config.array import FLOWS, Array
from soc_sim.dataflow import counts_of_bitmap
from soc_sim.network import zoo
from soc_sim.network.operators import OPERATORS, gemm_shape

MODES = [{}, {"tile_overlap": "prefetch"}, {"edge_tiles": "full"}]


def cpu_s(call: Callable[[], object]) -> float:
    """The least of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)


def array(size: int, **modes: str) -> Array:
    return Array.model_validate({"rows": size, "cols": size, "clock": "1 GHz", **modes})


@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_large_layer_takes_less_than_a_fifth_of_a_second(size: int, modes: dict[str, str]) -> None:
    """4096 × 4096 × 1024, 80 % of the weights zero: 0.03 s under the slowest flow, some ten looks at each weight."""
    nonzero = np.random.default_rng(0).random((4096, 4096)) > 0.8
    one_look = cpu_s(lambda: np.count_nonzero(nonzero, axis=0))
    for flow in FLOWS:
        taken = cpu_s(lambda flow=flow: counts_of_bitmap(flow, array(size, **modes), nonzero, 1024))  # type: ignore[misc]
        assert taken < 0.2
        assert taken < 20 * one_look


def test_all_layers_of_resnet50_take_less_than_a_second() -> None:
    """54 layers under seven flows: 0.04 s."""
    network = zoo.load("resnet50")
    gemms = [operator for operator in network.operators if OPERATORS[operator.op_type].family == "gemm"]
    shapes = [gemm_shape(operator, network) for operator in gemms]
    rng = np.random.default_rng(0)
    layers = [(rng.random((shape.m, shape.k)) > 0.8, shape.n) for shape in shapes]
    assert len(layers) == 54

    def schedules() -> None:
        for nonzero, n in layers:
            for flow in FLOWS:
                counts_of_bitmap(flow, array(16), nonzero, n)

    assert cpu_s(schedules) < 1
