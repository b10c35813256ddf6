"""Exported models are what ONNX accepts, and compute what the network does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soc_sim.network import onnx_import, zoo
from soc_sim.network.evaluation import evaluate_network
from soc_sim.network.onnx_export import to_onnx
from soc_sim.network.seeded import random_inputs, with_values

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "autoencoder", "bert_tiny"])
def test_the_whole_model_computes_what_its_operators_do_one_by_one(name: str) -> None:
    network = with_values(zoo.load(name), seed=1)
    feeds = {name: values[0] for name, values in random_inputs(network, seed=2).items()}
    values = evaluate_network(network, feeds, {})
    results = onnx.reference.ReferenceEvaluator(to_onnx(network)).run(None, feeds)
    for name, result in zip(network.outputs, results, strict=True):
        np.testing.assert_array_equal(values[name], result)


def test_an_exported_model_can_be_imported_again(tmp_path: Path) -> None:
    network = with_values(zoo.load("ds_cnn"), seed=1)
    path = tmp_path / "ds_cnn.onnx"
    onnx.save(to_onnx(network), path)
    again = onnx_import.load(path)
    assert [(o.op_type, o.outputs) for o in again.operators] == [(o.op_type, o.outputs) for o in network.operators]
    assert {name: again.tensors[name].shape for name in again.tensors} == {
        name: network.tensors[name].shape for name in again.tensors
    }
