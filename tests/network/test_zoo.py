"""The zoo's networks are the published ones: totals, layers, and graphs that ONNX accepts."""

from __future__ import annotations

import itertools

import pytest

from soc_sim.errors import NetworkError
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.operators import OPERATORS, GemmShape, count_macs, count_parameters, gemm_shape

# torchvision, meta data of <network>_Weights.IMAGENET1K_V1: num_params and _ops (GFLOPS, one per multiply-accumulate).
TORCHVISION = {
    "alexnet": (61_100_840, 0.714),
    "vgg16": (138_357_544, 15.47),
    "resnet18": (11_689_512, 1.814),
    "resnet50": (25_557_032, 4.089),
    "mobilenet_v2": (3_504_872, 0.301),
}

# github.com/NXP/eiq-model-zoo, README of each model: parameters, million operations (two per multiply-accumulate), and
# whether the statistics of batch normalisation are among the parameters (Keras' "total" against "trainable").
MLPERF_TINY = {
    "resnet8": (78_666, "25", True),
    "ds_cnn": (23_756, "5", False),
    "mobilenet_v1_025": (221_794, "15", True),
    "autoencoder": (267_928, "0.528", False),
}

# Shapes of the outputs: 1000 ImageNet classes; states and pooled state; 10 CIFAR-10 classes, 12 words, 2, 640 values.
OUTPUTS = {
    **{name: [(1, 1000)] for name in (*TORCHVISION, "vit_s16")},
    "bert_tiny": [(1, 128, 128), (1, 128)],
    "bert_base": [(1, 128, 768), (1, 768)],
    "resnet8": [(1, 10)],
    "ds_cnn": [(1, 12)],
    "mobilenet_v1_025": [(1, 2)],
    "autoencoder": [(1, 640)],
}

# Torchvision's and timm's layers as GEMMs (M output channels, K = input channels · kernel, N output pixels or tokens),
# from the shapes in the papers' tables: e.g. resnet50 layer3.0.conv2 is 3×3 on 256 channels with 14×14 results.
LAYERS = {
    ("alexnet", "features.0"): GemmShape(64, 3 * 11 * 11, 55 * 55),
    ("alexnet", "classifier.1"): GemmShape(4096, 256 * 6 * 6, 1),
    ("vgg16", "features.28"): GemmShape(512, 512 * 9, 14 * 14),
    ("vgg16", "classifier.0"): GemmShape(4096, 512 * 7 * 7, 1),
    ("resnet18", "layer2.0.downsample.0"): GemmShape(128, 64, 28 * 28),
    ("resnet50", "conv1"): GemmShape(64, 3 * 49, 112 * 112),
    ("resnet50", "layer3.0.conv1"): GemmShape(256, 512, 28 * 28),
    ("resnet50", "layer3.0.conv2"): GemmShape(256, 256 * 9, 14 * 14),
    ("resnet50", "layer4.2.conv3"): GemmShape(2048, 512, 7 * 7),
    ("mobilenet_v2", "features.2.conv.1.0"): GemmShape(1, 9, 56 * 56, groups=96),
    ("mobilenet_v2", "features.18.0"): GemmShape(1280, 320, 7 * 7),
    ("vit_s16", "blocks.11.attn.qkv"): GemmShape(3 * 384, 384, 197),
    ("vit_s16", "blocks.0.attn.scores"): GemmShape(197, 64, 197, groups=6),
    ("vit_s16", "blocks.0.attn.context"): GemmShape(197, 197, 64, groups=6),
    ("vit_s16", "head"): GemmShape(1000, 384, 1),
    ("bert_base", "encoder.layer.11.intermediate.dense"): GemmShape(3072, 768, 128),
    ("resnet8", "stack3.0.conv"): GemmShape(64, 32 * 9, 8 * 8),
    ("ds_cnn", "stem.conv"): GemmShape(64, 10 * 4, 25 * 5),
    ("mobilenet_v1_025", "block13.depthwise.conv"): GemmShape(1, 9, 3 * 3, groups=256),
    ("autoencoder", "dense5"): GemmShape(8, 128, 1),
}


@pytest.fixture(params=zoo.names())
def network(request: pytest.FixtureRequest) -> Network:
    return zoo.load(request.param)


def test_the_zoo_lists_its_networks_in_order() -> None:
    assert zoo.names() == (
        *("alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2", "vit_s16", "bert_tiny", "bert_base"),
        *("resnet8", "ds_cnn", "mobilenet_v1_025", "autoencoder"),
    )


def test_an_entry_states_the_totals_of_the_network_that_is_built(network: Network) -> None:
    entry = zoo.describe(network.name)
    assert (entry.macs, entry.parameters) == (count_macs(network), count_parameters(network))


@pytest.mark.parametrize("name", TORCHVISION)
def test_totals_equal_torchvisions(name: str) -> None:
    parameters, giga_macs = TORCHVISION[name]
    network = zoo.load(name)
    assert count_parameters(network) == parameters
    assert round(count_macs(network) / 1e9, 2 if name == "vgg16" else 3) == giga_macs


def test_resnet50_has_the_macs_that_nni_counts() -> None:
    # microsoft/nni, test of count_flops_params.
    assert count_macs(zoo.load("resnet50")) == 4_089_184_256


@pytest.mark.parametrize("name", MLPERF_TINY)
def test_totals_of_mlperf_tiny_equal_the_published_ones(name: str) -> None:
    parameters, mega_operations, with_statistics = MLPERF_TINY[name]
    network = zoo.load(name)
    statistics = sum(
        network.tensors[tensor].elements
        for operator in network.operators
        if operator.op_type == "BatchNormalization"
        for tensor in operator.inputs[3:]
    )
    assert count_parameters(network) + with_statistics * statistics == parameters
    digits = len(mega_operations.partition(".")[2])
    assert round(2 * count_macs(network) / 1e6, digits) == float(mega_operations)


def test_resnet8_has_the_trained_parameters_of_the_training_log() -> None:
    # mlcommons/tiny, benchmark/training/image_classification/Logs/training_log.txt: "Trainable params: 78,186".
    assert count_parameters(zoo.load("resnet8")) == 78_186


def test_totals_of_vit_s16_equal_those_of_timm_and_fvcore() -> None:
    # timm: 22,050,664 parameters. fvcore adds 5 operations per input element of a layer normalisation to the
    # multiply-accumulates and so arrives at 4.608338304 G.
    network = zoo.load("vit_s16")
    normalised = sum(
        network.tensors[operator.inputs[0]].elements
        for operator in network.operators
        if operator.op_type == "LayerNormalization"
    )
    assert count_parameters(network) == 22_050_664
    assert count_macs(network) + 5 * normalised == 4_608_338_304


@pytest.mark.parametrize(
    ("name", "blocks", "width", "parameters"),
    # Parameters of BertModel: Hugging Face transformers (base), KerasHub bert_tiny_en_uncased (tiny).
    [("bert_base", 12, 768, 109_482_240), ("bert_tiny", 2, 128, 4_385_920)],
)
def test_totals_of_bert_equal_the_published_parameters_and_the_closed_form(
    name: str, blocks: int, width: int, parameters: int
) -> None:
    network = zoo.load(name)
    tokens = 128
    projections, attention, pooler = 12 * tokens * width**2, 2 * tokens**2 * width, width**2
    assert count_parameters(network) == parameters
    assert count_macs(network) == blocks * (projections + attention) + pooler


def test_bert_base_has_about_the_operations_of_the_tinybert_paper() -> None:
    # arXiv:1909.10351, table 1: 22.5 G at 128 tokens, two per multiply-accumulate and those of other operators.
    assert 2 * count_macs(zoo.load("bert_base")) == pytest.approx(22.5e9, rel=0.01)


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_a_layer_has_its_published_shape(name: str, layer: str) -> None:
    network = zoo.load(name)
    operator = next(operator for operator in network.operators if operator.name == layer)
    assert gemm_shape(operator, network) == LAYERS[name, layer]


def test_outputs_have_their_published_shapes(network: Network) -> None:
    assert [network.tensors[name].shape for name in network.outputs] == OUTPUTS[network.name]


def test_operators_are_known_and_uniquely_named(network: Network) -> None:
    assert {operator.op_type for operator in network.operators} <= set(OPERATORS)
    operator_names = [operator.name for operator in network.operators]
    assert len(set(operator_names)) == len(operator_names)


def test_operators_read_only_what_is_known_before_them(network: Network) -> None:
    known = set(network.inputs) | {name for name, tensor in network.tensors.items() if tensor.constant}
    for operator in network.operators:
        assert set(operator.inputs) <= known, operator.name
        assert known.isdisjoint(operator.outputs), operator.name
        known |= set(operator.outputs)
    assert set(network.outputs) <= known


def test_every_tensor_is_used_and_has_positive_sizes(network: Network) -> None:
    read = set(itertools.chain.from_iterable(operator.inputs for operator in network.operators))
    for name, tensor in network.tensors.items():
        assert tensor.name == name
        assert name in read or name in network.outputs, name
        assert all(size > 0 for size in tensor.shape), name
        assert tensor.values is None or tensor.values().shape == tensor.shape, name


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(NetworkError) as caught:
        zoo.load("resnet5O")
    assert str(caught.value) == (
        "'resnet5O' is not a network of the zoo; allowed: alexnet, vgg16, resnet18, resnet50, mobilenet_v2, vit_s16, "
        "bert_tiny, bert_base, resnet8, ds_cnn, mobilenet_v1_025, autoencoder; did you mean 'resnet50'?"
    )
