"""VGG-16 without batch normalisation, fully connected layers included.

Definition: torchvision.models.vgg16 (Simonyan and Zisserman, arXiv:1409.1556, configuration D) at 224×224. The adaptive
average pool from 7×7 to 7×7 does nothing and is left out, and so is dropout.

Published: 138,357,544 parameters and 15.47 GMAC (torchvision, VGG16_Weights.IMAGENET1K_V1, ``num_params`` and
``_ops``).
"""

from __future__ import annotations

from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions before each max pool."""


def vgg16() -> Network:
    """VGG-16: (1, 3, 224, 224) to (1, 1000) logits."""
    net = NetworkBuilder("vgg16", source="torchvision.models.vgg16")
    x = net.input("input", 1, 3, 224, 224)
    index = 0
    for stage in _STAGES:
        for channels in stage:
            x = net.conv(f"features.{index}", x, channels, 3, padding=1)
            x = net.relu(f"features.{index + 1}", x)
            index += 2
        x = net.max_pool(f"features.{index}", x, 2, stride=2)
        index += 1
    x = net.flatten("flatten", x)
    x = net.relu("classifier.1", net.linear("classifier.0", x, 4096))
    x = net.relu("classifier.4", net.linear("classifier.3", x, 4096))
    return net.build(net.linear("classifier.6", x, 1000))
