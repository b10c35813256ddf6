"""ViT-S/16: a vision transformer of width 384, 12 blocks, 6 heads, on patches of 16×16.

Definition: timm's vit_small_patch16_224 (Dosovitskiy et al., arXiv:2010.11929; the small variant of Touvron et al.,
arXiv:2012.12877), which normalises before attention and MLP and classifies by the class token.

Published: 22,050,664 parameters (timm, results-imagenet.csv: 22.05 M). fvcore's 4,608,338,304 "flops" of the same graph
(DeiT-S: 4.6 G) are the multiply-accumulates here, 4,598,882,304, and 5 operations per element that the 25 layer
normalisations read: 25 · 5 · 197 · 384 = 9,456,000.
"""

from __future__ import annotations

from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.attention import multi_head_attention
from soc_sim.network.zoo.builder import NetworkBuilder

_WIDTH, _BLOCKS, _HEADS, _PATCH = 384, 12, 6, 16
_EPSILON = 1e-6


def vit_s16() -> Network:
    """ViT-S/16: (1, 3, 224, 224) to (1, 1000) logits."""
    net = NetworkBuilder("vit_s16", source="timm vit_small_patch16_224")
    x = net.input("input", 1, 3, 224, 224)
    x = net.conv("patch_embed.proj", x, _WIDTH, _PATCH, stride=_PATCH)
    patches = x.shape[2] * x.shape[3]
    x = net.reshape("patch_embed.flatten", x, 1, _WIDTH, patches)
    x = net.transpose("patch_embed.transpose", x, 0, 2, 1)
    x = net.concat("cat_cls_token", [net.weight("cls_token", 1, 1, _WIDTH), x], axis=1)
    x = net.add("add_pos_embed", x, net.weight("pos_embed", 1, patches + 1, _WIDTH))
    for index in range(_BLOCKS):
        x = _block(net, f"blocks.{index}", x)
    x = net.layer_norm("norm", x, _EPSILON)
    x = net.gather("class_token", x, net.constant("class_token.index", 0), axis=1)
    return net.build(net.linear("head", x, 1000))


def _block(net: NetworkBuilder, scope: str, x: Tensor) -> Tensor:
    """Attention, then MLP, each behind its normalisation and beside a shortcut."""
    y = net.layer_norm(f"{scope}.norm1", x, _EPSILON)
    q, k, v = net.split(f"{scope}.attn.split", net.linear(f"{scope}.attn.qkv", y, 3 * _WIDTH), parts=3)
    y = multi_head_attention(net, f"{scope}.attn", q, k, v, _HEADS)
    x = net.add(f"{scope}.add1", x, net.linear(f"{scope}.attn.proj", y, _WIDTH))
    y = net.layer_norm(f"{scope}.norm2", x, _EPSILON)
    y = net.gelu(f"{scope}.mlp.act", net.linear(f"{scope}.mlp.fc1", y, 4 * _WIDTH))
    return net.add(f"{scope}.add2", x, net.linear(f"{scope}.mlp.fc2", y, _WIDTH))
