"""ResNet-18 and ResNet-50.

Definition: torchvision.models.resnet18 and resnet50 (He et al., arXiv:1512.03385) at 224×224. ResNet-50 is version 1.5:
the stride of a stage is in the 3×3 convolution of its first block, not in the 1×1 before it.

Published (torchvision, ResNet18_Weights and ResNet50_Weights.IMAGENET1K_V1, ``num_params`` and ``_ops``):
ResNet-18 11,689,512 parameters, 1.814 GMAC; ResNet-50 25,557,032 parameters, 4.089 GMAC. The flop counter of NNI
(microsoft/nni, count_flops_params) gives ResNet-50's total to the last digit: 4,089,184,256.
"""

from __future__ import annotations

from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.builder import NetworkBuilder


def resnet18() -> Network:
    """ResNet-18: (1, 3, 224, 224) to (1, 1000) logits."""
    return _resnet("resnet18", blocks=(2, 2, 2, 2), bottleneck=False)


def resnet50() -> Network:
    """ResNet-50 v1.5: (1, 3, 224, 224) to (1, 1000) logits."""
    return _resnet("resnet50", blocks=(3, 4, 6, 3), bottleneck=True)


def _resnet(name: str, blocks: tuple[int, ...], bottleneck: bool) -> Network:
    net = NetworkBuilder(name, source=f"torchvision.models.{name}")
    x = net.input("input", 1, 3, 224, 224)
    x = net.conv("conv1", x, 64, 7, stride=2, padding=3, bias=False)
    x = net.relu("relu", net.batch_norm("bn1", x))
    x = net.max_pool("maxpool", x, 3, stride=2, padding=1)
    for stage, count in enumerate(blocks):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            block = _bottleneck if bottleneck else _basic_block
            x = block(net, f"layer{stage + 1}.{index}", x, 64 << stage, stride)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.build(net.linear("fc", x, 1000))


def _basic_block(net: NetworkBuilder, scope: str, x: Tensor, width: int, stride: int) -> Tensor:
    """Two 3×3 convolutions beside a shortcut."""
    y = net.conv(f"{scope}.conv1", x, width, 3, stride=stride, padding=1, bias=False)
    y = net.relu(f"{scope}.relu1", net.batch_norm(f"{scope}.bn1", y))
    y = net.conv(f"{scope}.conv2", y, width, 3, padding=1, bias=False)
    y = net.batch_norm(f"{scope}.bn2", y)
    y = net.add(f"{scope}.add", y, _shortcut(net, scope, x, width, stride))
    return net.relu(f"{scope}.relu2", y)


def _bottleneck(net: NetworkBuilder, scope: str, x: Tensor, width: int, stride: int) -> Tensor:
    """1×1 down to ``width``, 3×3, 1×1 up to four times ``width``, beside a shortcut."""
    y = net.conv(f"{scope}.conv1", x, width, 1, bias=False)
    y = net.relu(f"{scope}.relu1", net.batch_norm(f"{scope}.bn1", y))
    y = net.conv(f"{scope}.conv2", y, width, 3, stride=stride, padding=1, bias=False)
    y = net.relu(f"{scope}.relu2", net.batch_norm(f"{scope}.bn2", y))
    y = net.conv(f"{scope}.conv3", y, 4 * width, 1, bias=False)
    y = net.batch_norm(f"{scope}.bn3", y)
    y = net.add(f"{scope}.add", y, _shortcut(net, scope, x, 4 * width, stride))
    return net.relu(f"{scope}.relu3", y)


def _shortcut(net: NetworkBuilder, scope: str, x: Tensor, channels: int, stride: int) -> Tensor:
    """The block's input, projected where its shape changes."""
    if stride == 1 and x.shape[1] == channels:
        return x
    x = net.conv(f"{scope}.downsample.0", x, channels, 1, stride=stride, bias=False)
    return net.batch_norm(f"{scope}.downsample.1", x)
