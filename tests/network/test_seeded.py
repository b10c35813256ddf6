"""Random values are the same for the same seed, and of the kind that operators need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.evaluation import evaluate_network
from soc_sim.network.seeded import random_inputs, with_values


def values(network: Network, name: str) -> Any:
    read = network.tensors[name].values
    assert read is not None
    return read()


def test_each_tensor_depends_on_its_name_and_the_seed_only() -> None:
    one, same, other = (with_values(zoo.load("resnet8"), seed) for seed in (1, 1, 2))
    weights = [name for name, tensor in one.tensors.items() if tensor.constant]
    assert all(np.array_equal(values(one, name), values(same, name)) for name in weights)
    assert not any(np.array_equal(values(one, name), values(other, name)) for name in weights)
    assert all(values(one, name).shape == one.tensors[name].shape for name in weights)


def test_values_that_are_known_stay() -> None:
    network = zoo.load("mobilenet_v2")
    known = [name for name, tensor in network.tensors.items() if tensor.values]
    assert known
    assert all(np.array_equal(values(network, name), values(with_values(network, 1), name)) for name in known)


def test_weights_have_the_variance_of_he() -> None:
    network = with_values(zoo.load("autoencoder"), seed=0)
    head = network.operators[0]
    weights = values(network, head.inputs[1])
    assert weights.shape == (128, 640)
    # 81,920 values: the estimate of a variance is within 4 √(2 / count) of it, save once in ten thousand.
    assert np.var(weights) == pytest.approx(2 / 640, rel=4 * np.sqrt(2 / weights.size))


def test_row_numbers_exist_in_their_table() -> None:
    network = zoo.load("bert_tiny").with_batch(2)
    inputs = random_inputs(network, seed=0)
    assert {array.dtype for array in inputs.values()} == {np.dtype(np.int64)}
    assert inputs["token_type_ids"].shape == (2, 1, 128)
    assert set(np.unique(inputs["token_type_ids"])) == {0, 1}


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v1_025", "bert_tiny"])
def test_signals_neither_vanish_nor_explode(name: str) -> None:
    pytest.importorskip("onnx")
    network = with_values(zoo.load(name), seed=0)
    feeds = {name: array[0] for name, array in random_inputs(network, seed=0).items()}
    computed = evaluate_network(network, feeds, {})
    written = [o.outputs[0] for o in network.operators if o.op_type in ("Conv", "Gemm", "MatMul")]
    assert all(1e-2 < np.abs(computed[name]).max() < 1e3 for name in written)
