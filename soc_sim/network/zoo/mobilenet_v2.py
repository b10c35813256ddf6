"""MobileNetV2 of width 1.0.

Definition: torchvision.models.mobilenet_v2 (Sandler et al., arXiv:1801.04381) at 224×224; dropout is left out.

Published: 3,504,872 parameters and 0.301 GMAC (torchvision, MobileNet_V2_Weights.IMAGENET1K_V1, ``num_params`` and
``_ops``).
"""

from __future__ import annotations

from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.builder import NetworkBuilder

_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, output channels, blocks, stride of the first block (the paper's table 2)."""


def mobilenet_v2() -> Network:
    """MobileNetV2: (1, 3, 224, 224) to (1, 1000) logits."""
    net = NetworkBuilder("mobilenet_v2", source="torchvision.models.mobilenet_v2")
    x = net.input("input", 1, 3, 224, 224)
    x = _conv_bn_relu6(net, "features.0", x, 32, 3, stride=2)
    block = 1
    for expansion, channels, blocks, stride in _STAGES:
        for index in range(blocks):
            first_stride = stride if index == 0 else 1
            x = _inverted_residual(net, f"features.{block}", x, expansion, channels, first_stride)
            block += 1
    x = _conv_bn_relu6(net, f"features.{block}", x, 1280, 1)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.build(net.linear("classifier.1", x, 1000))


def _inverted_residual(
    net: NetworkBuilder, scope: str, x: Tensor, expansion: int, channels: int, stride: int
) -> Tensor:
    """1×1 up, depthwise 3×3, linear 1×1 down; the input is added where the shape stays."""
    hidden = expansion * x.shape[1]
    y, index = x, 0
    if expansion > 1:
        y, index = _conv_bn_relu6(net, f"{scope}.conv.0", y, hidden, 1), 1
    y = _conv_bn_relu6(net, f"{scope}.conv.{index}", y, hidden, 3, stride=stride, groups=hidden)
    y = net.conv(f"{scope}.conv.{index + 1}", y, channels, 1, bias=False)
    y = net.batch_norm(f"{scope}.conv.{index + 2}", y)
    return net.add(f"{scope}.add", x, y) if stride == 1 and x.shape[1] == channels else y


def _conv_bn_relu6(
    net: NetworkBuilder, scope: str, x: Tensor, channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> Tensor:
    x = net.conv(f"{scope}.0", x, channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return net.relu6(f"{scope}.2", net.batch_norm(f"{scope}.1", x))
