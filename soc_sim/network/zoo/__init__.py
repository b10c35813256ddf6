"""Networks that ship with the simulator: no file and no extra is needed, and their totals equal the published ones.

One file per network or family; each states the definition it follows and where its totals are published. A network is
built when it is asked for. Trained weights are left out: a shape is all that dense runs need.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from soc_sim.errors import NetworkError, suggestion
from soc_sim.network.base import Network


@dataclass(frozen=True, slots=True)
class ZooEntry:
    """What is stated about a network; how it compares with the publication is in the network's file."""

    name: str
    description: str
    macs: int
    """Multiply-accumulates of Conv, Gemm and MatMul for one input; bias excluded."""
    parameters: int
    """Trained parameters (statistics of batch normalisation are not)."""
    source: str


_ZOO = {
    "alexnet": (ZooEntry("alexnet", "AlexNet, one tower, 224×224", 714_188_480, 61_100_840, "torchvision"),),
    "vgg16": (ZooEntry("vgg16", "VGG-16, 224×224", 15_470_264_320, 138_357_544, "torchvision"),),
    "resnet": (
        ZooEntry("resnet18", "ResNet-18, 224×224", 1_814_073_344, 11_689_512, "torchvision"),
        ZooEntry("resnet50", "ResNet-50 v1.5, 224×224", 4_089_184_256, 25_557_032, "torchvision"),
    ),
    "mobilenet_v2": (ZooEntry("mobilenet_v2", "MobileNetV2, 224×224", 300_774_272, 3_504_872, "torchvision"),),
    "vit_s16": (ZooEntry("vit_s16", "ViT-S/16, 224×224", 4_598_882_304, 22_050_664, "timm"),),
    "bert": (
        ZooEntry("bert_tiny", "BERT-Tiny, 128 tokens", 58_736_640, 4_385_920, "google-research/bert"),
        ZooEntry("bert_base", "BERT-Base, 128 tokens", 11_174_215_680, 109_482_240, "google-research/bert"),
    ),
    "mlperf_tiny": (
        ZooEntry("resnet8", "ResNet-8, 32×32", 12_501_632, 78_186, "MLPerf Tiny"),
        ZooEntry("ds_cnn", "DS-CNN, 49×10 MFCC", 2_656_768, 23_756, "MLPerf Tiny"),
        ZooEntry("mobilenet_v1_025", "MobileNetV1 ×0.25, 96×96", 7_489_664, 216_322, "MLPerf Tiny"),
        ZooEntry("autoencoder", "Autoencoder, 640 mel values", 264_192, 267_928, "MLPerf Tiny"),
    ),
}
"""Module → what is in it; the module has a function of each network's name."""

_MODULES = {entry.name: module for module, entries in _ZOO.items() for entry in entries}
_ENTRIES = {entry.name: entry for entries in _ZOO.values() for entry in entries}


def names() -> tuple[str, ...]:
    """All networks of the zoo."""
    return tuple(_ENTRIES)


def describe(name: str) -> ZooEntry:
    """What is stated about ``name``, without building it.

    Raises:
        NetworkError: nothing has that name.
    """
    if name not in _ENTRIES:
        allowed = ", ".join(_ENTRIES)
        raise NetworkError(f"{name!r} is not a network of the zoo; allowed: {allowed}{suggestion(name, _ENTRIES)}")
    return _ENTRIES[name]


def load(name: str) -> Network:
    """The network ``name``.

    Raises:
        NetworkError: nothing has that name.
    """
    describe(name)
    module = importlib.import_module(f"soc_sim.network.zoo.{_MODULES[name]}")
    network: Network = getattr(module, name)()
    return network
