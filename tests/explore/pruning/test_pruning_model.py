"""Weights, input vectors and repair of ONNX models, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from pruning_models import convolutions, images

from soc_sim.config.loader import load
from soc_sim.config.prune import Prune, Repair
from soc_sim.errors import NetworkError
from soc_sim.explore.pruning import model as trained
from soc_sim.explore.pruning.model import TrainedModel
from soc_sim.explore.pruning.quantise import rounded
from soc_sim.explore.pruning.repair import Reference, repaired
from soc_sim.explore.pruning.samples import columns, outputs
from soc_sim.explore.pruning.units import patterns_of

MNIST = "package://qonnx/data/onnx/mnist-conv/model.onnx"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return trained.load(str(convolutions(tmp_path_factory.mktemp("models") / "convolutions.onnx")))[0]


def masks(model: TrainedModel, share: float, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {layer.name: rng.random((layer.groups, layer.m, layer.k)) >= share for layer in model.layers}


def test_layers_know_their_form(model: TrainedModel) -> None:
    assert [(layer.name, layer.groups, layer.m, layer.k) for layer in model.layers] == [
        ("conv1", 1, 8, 18),
        ("conv2", 2, 4, 12),
        ("fc", 1, 3, 32),
    ]
    assert [layer.shift and (layer.shift.tensor, layer.shift.sign) for layer in model.layers] == [
        ("mean", -1),
        ("bias2", 1),
        ("bias3", 1),
    ]
    assert [layer.rectified for layer in model.layers] == [False, True, False]
    assert [layer.pool for layer in model.layers] == [None, (2, 2), None]


def test_input_vectors_times_weights_are_the_outputs(model: TrainedModel) -> None:
    """im2col against onnxruntime's convolution: padding, strides, groups."""
    batch = images(5)
    names = [name for layer in model.layers for name in (layer.input, layer.output)]
    found = dict(zip(names, model.run(batch, names)[1:], strict=True))
    for layer in model.layers:
        output = found[layer.output]
        rows = np.arange(output.size // (layer.groups * layer.m))
        x, y = columns(layer, found[layer.input], rows), outputs(layer, output, rows)
        bias = np.zeros((layer.groups, layer.m))
        if len(layer.operator.inputs) > 2:
            bias = model.values[layer.operator.inputs[2]].reshape(bias.shape)
        whole = np.concatenate((model.weights(layer), bias[..., None]), axis=2)
        assert np.einsum("gmk,grk->grm", whole, x) == pytest.approx(y, abs=1e-4), layer.name


def test_a_changed_model_keeps_its_interface(model: TrainedModel) -> None:
    changed = model.changed({"fc": np.zeros((1, 3, 32))}, {"fc": np.array([1.0, 2.0, 3.0])})
    assert [value.name for value in changed.proto.graph.input] == ["image"]
    assert changed.proto.opset_import[0].version == 13
    assert {t.name for t in changed.proto.graph.initializer} == {t.name for t in model.proto.graph.initializer}
    (answer,) = changed.run(images(2))
    assert answer == pytest.approx(np.tile(model.values["bias3"] + [1, 2, 3], (2, 1)), abs=1e-5)


def test_repair_without_a_pruned_weight_changes_nothing(model: TrainedModel) -> None:
    batch = images(40)
    reference = Reference.of(model, batch, 1000, 0)
    same = repaired(reference, masks(model, 0.0), Repair())
    assert same.run(batch)[0] == pytest.approx(model.run(batch)[0], abs=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_repair_brings_outputs_nearer_and_keeps_zeros(model: TrainedModel, share: float) -> None:
    reference = Reference.of(model, images(300), 20_000, 0)
    chosen = masks(model, share)
    dense = model.run(images(400)[300:])[0]

    def error(repair: Repair) -> float:
        found = repaired(reference, chosen, repair)
        for layer in found.layers:
            assert not found.weights(layer)[~chosen[layer.name]].any()
        return float(((found.run(images(400)[300:])[0] - dense) ** 2).mean())

    plain = error(Repair(method="none"))
    assert error(Repair(distil=False)) < 0.6 * plain
    assert error(Repair(distil=False)) < error(Repair(distil=False, bias=False, batch_norm=False)) * 1.05


def test_batch_norm_keeps_the_mean_and_spread_of_its_output(model: TrainedModel) -> None:
    """On the calibration images; its input has lost a part of both."""
    batch = images(300)
    chosen = masks(model, 0.0) | {"conv1": masks(model, 0.7)["conv1"]}
    found = repaired(Reference.of(model, batch, 10**6, 0), chosen, Repair(distil=False))
    before, after = (one.run(batch, ["b1"])[1] for one in (model, found))
    assert after.mean(axis=(0, 2, 3)) == pytest.approx(before.mean(axis=(0, 2, 3)), abs=1e-3)
    assert after.std(axis=(0, 2, 3)) == pytest.approx(before.std(axis=(0, 2, 3)), rel=1e-2)


def test_rounded_weights_are_whole_multiples_of_a_scale(model: TrainedModel) -> None:
    layer = model.layers[0]
    weights = rounded(model).weights(layer)
    scale = np.abs(weights).max(axis=2, keepdims=True) / 127
    assert weights / scale == pytest.approx(np.round(weights / scale), abs=1e-3)
    assert np.abs(weights - model.weights(layer)).max() <= scale.max() / 2 * 1.001


def test_weights_behind_a_reshape_are_found() -> None:
    """mnist-conv keeps the weights of its last product as a tensor of four axes."""
    pytest.importorskip("qonnx")
    model, warnings = trained.load(MNIST)
    assert [(layer.name, layer.home.tensor) for layer in model.layers][-1] == ("Times212", "Parameter193")
    assert model.weights(model.layers[-1])[0] == pytest.approx(model.values["Parameter193"].reshape(256, 10).T)
    assert warnings == []


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"there is nothing to prune.*allowed: a model with trained weights"):
        trained.load("package://onnx/backend/test/data/light/light_squeezenet.onnx")


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "g", values[:2], values[2:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match="has 2 inputs; allowed: one"):
        trained.load(str(tmp_path / "m.onnx"))


def test_the_answers_are_no_channels_to_prune(model: TrainedModel) -> None:
    job = load("prune_digits", Prune, ["pruning.pattern=channels"])
    assert list(patterns_of(job, model)) == ["conv1", "conv2"]
