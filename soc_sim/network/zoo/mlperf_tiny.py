"""The four networks of MLPerf Tiny (Banbury et al., arXiv:2106.07597), float version before batch norm is folded.

Definition: the training code of github.com/mlcommons/tiny, each Keras layer one operator, tensors in (N, C, H, W):

- resnet8: image classification, image_classification/keras_model.py with the benchmark's 16 filters (later revisions of
  the file default to 26, which is not the benchmark's network). No batch norm on the two projected shortcuts.
- ds_cnn: keyword spotting on 49×10 MFCC features, keyword_spotting/keras_model.py. Its last pool has a window of half
  the input, 24×5, on 25×5 pixels: the last row is not read. Dropout is left out.
- mobilenet_v1_025: visual wake words, visual_wake_words/vww_model.py.
- autoencoder: anomaly detection, anomaly_detection/keras_model.py.

Published (github.com/NXP/eiq-model-zoo, which lists the pretrained models; operations are two per multiply-accumulate):

================  ==========  ====================================================================
network           operations  parameters
================  ==========  ====================================================================
resnet8           25 M        78,666, of which 480 are statistics of batch norm: 78,186 trained
                              (mlcommons/tiny, image_classification/Logs/training_log.txt, has both)
ds_cnn            5 M         23,756 trained
mobilenet_v1_025  15 M        221,794, of which 5,472 are statistics of batch norm: 216,322 trained
autoencoder       0.528 M     267,928 trained
================  ==========  ====================================================================
"""

from __future__ import annotations

from functools import partial

from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.builder import NetworkBuilder


def resnet8() -> Network:
    """ResNet-8: a CIFAR-10 image (1, 3, 32, 32) to (1, 10) probabilities."""
    net = NetworkBuilder("resnet8", source="mlcommons/tiny, image_classification/keras_model.py")
    x = _conv_bn_relu(net, "stem", net.input("input", 1, 3, 32, 32), 16, 3)
    for stage, channels in enumerate((16, 32, 64), start=1):
        scope, stride = f"stack{stage}", 1 if stage == 1 else 2
        y = _conv_bn_relu(net, f"{scope}.0", x, channels, 3, stride)
        y = _batch_norm(net, f"{scope}.1.bn", net.conv(f"{scope}.1.conv", y, channels, 3, padding="same"))
        if stride > 1:
            x = net.conv(f"{scope}.shortcut", x, channels, 1, stride, padding="same")
        x = net.relu(f"{scope}.relu", net.add(f"{scope}.add", x, y))
    return _classify(net, x, pool=(8, 8), classes=10)


def ds_cnn() -> Network:
    """DS-CNN: MFCC features of one second (1, 1, 49, 10) to (1, 12) probabilities."""
    net = NetworkBuilder("ds_cnn", source="mlcommons/tiny, keyword_spotting/keras_model.py")
    x = _conv_bn_relu(net, "stem", net.input("input", 1, 1, 49, 10), 64, (10, 4), stride=2)
    for index in range(1, 5):
        x = _separable(net, f"block{index}", x, 64)
    return _classify(net, x, pool=(24, 5), classes=12)


def mobilenet_v1_025() -> Network:
    """MobileNetV1 of width 0.25: an image (1, 3, 96, 96) to (1, 2) probabilities."""
    net = NetworkBuilder("mobilenet_v1_025", source="mlcommons/tiny, visual_wake_words/vww_model.py")
    x = _conv_bn_relu(net, "stem", net.input("input", 1, 3, 96, 96), 8, 3, stride=2)
    channels = (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)
    for index, width in enumerate(channels, start=1):
        x = _separable(net, f"block{index}", x, width, stride=2 if index in (2, 4, 6, 12) else 1)
    return _classify(net, x, pool=(3, 3), classes=2)


def autoencoder() -> Network:
    """Autoencoder: 5 frames of 128 mel bands (1, 640) to their reconstruction (1, 640)."""
    net = NetworkBuilder("autoencoder", source="mlcommons/tiny, anomaly_detection/keras_model.py")
    x = net.input("input", 1, 640)
    for index, units in enumerate((128, 128, 128, 128, 8, 128, 128, 128, 128), start=1):
        x = _batch_norm(net, f"dense{index}.bn", net.linear(f"dense{index}", x, units))
        x = net.relu(f"dense{index}.relu", x)
    return net.build(net.linear("output", x, 640))


def _conv_bn_relu(
    net: NetworkBuilder,
    scope: str,
    x: Tensor,
    channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    groups: int = 1,
) -> Tensor:
    x = net.conv(f"{scope}.conv", x, channels, kernel, stride, padding="same", groups=groups)
    return net.relu(f"{scope}.relu", _batch_norm(net, f"{scope}.bn", x))


def _separable(net: NetworkBuilder, scope: str, x: Tensor, channels: int, stride: int = 1) -> Tensor:
    """Depthwise 3×3, then 1×1."""
    x = _conv_bn_relu(net, f"{scope}.depthwise", x, x.shape[1], 3, stride, groups=x.shape[1])
    return _conv_bn_relu(net, f"{scope}.pointwise", x, channels, 1)


def _classify(net: NetworkBuilder, x: Tensor, pool: tuple[int, int], classes: int) -> Network:
    """The mean of one window per channel, one fully connected layer, softmax."""
    x = net.flatten("flatten", net.average_pool("pool", x, pool))
    return net.build(net.softmax("softmax", net.linear("dense", x, classes)))


_batch_norm = partial(NetworkBuilder.batch_norm, epsilon=1e-3, momentum=0.99)
"""With the defaults of Keras."""
