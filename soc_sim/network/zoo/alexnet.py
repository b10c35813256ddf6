"""AlexNet, the one-tower version.

Definition: torchvision.models.alexnet (Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
arXiv:1404.5997) at 224×224. The adaptive average pool from 6×6 to 6×6 does nothing and is left out, and so is dropout.

Published: 61,100,840 parameters and 0.714 GMAC (torchvision, AlexNet_Weights.IMAGENET1K_V1, ``num_params`` and
``_ops``).
"""

from __future__ import annotations

from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder


def alexnet() -> Network:
    """AlexNet: (1, 3, 224, 224) to (1, 1000) logits."""
    net = NetworkBuilder("alexnet", source="torchvision.models.alexnet")
    x = net.input("input", 1, 3, 224, 224)
    x = net.relu("features.1", net.conv("features.0", x, 64, 11, stride=4, padding=2))
    x = net.max_pool("features.2", x, 3, stride=2)
    x = net.relu("features.4", net.conv("features.3", x, 192, 5, padding=2))
    x = net.max_pool("features.5", x, 3, stride=2)
    x = net.relu("features.7", net.conv("features.6", x, 384, 3, padding=1))
    x = net.relu("features.9", net.conv("features.8", x, 256, 3, padding=1))
    x = net.relu("features.11", net.conv("features.10", x, 256, 3, padding=1))
    x = net.max_pool("features.12", x, 3, stride=2)
    x = net.flatten("flatten", x)
    x = net.relu("classifier.2", net.linear("classifier.1", x, 4096))
    x = net.relu("classifier.5", net.linear("classifier.4", x, 4096))
    return net.build(net.linear("classifier.6", x, 1000))
