"""BERT encoders, uncased, pooler included, on a sequence of 128 tokens.

Definition: google-research/bert (Devlin et al., arXiv:1810.04805), the operators' names as in Hugging Face's BertModel.
bert_base is bert-base-uncased (12 blocks, width 768, 12 heads), bert_tiny is bert_uncased_L-2_H-128_A-2 (Turc et al.,
arXiv:1908.08962: 2 blocks, width 128, 2 heads). Vocabulary 30,522, 512 positions, 2 segments.
Left out: the attention mask (all 128 tokens are real), dropout and the heads of pre-training.

Published: bert_base 109,482,240 parameters (BertModel of Hugging Face transformers; 110 M in the paper), bert_tiny
4,385,920 (KerasHub, bert_tiny_en_uncased; 4.4 M in the paper). Multiply-accumulates follow from the definition for
T tokens, width H and L blocks: L · (12·T·H² + 2·T²·H) + H² (the pooler). For bert_base that is 11.17 G; Jiao et al.
(TinyBERT, arXiv:1909.10351) state 22.5 G floating-point operations, two for each of them and those of other operators.
"""

from __future__ import annotations

from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.attention import multi_head_attention
from soc_sim.network.zoo.builder import NetworkBuilder

_TOKENS, _VOCABULARY, _POSITIONS, _SEGMENTS = 128, 30522, 512, 2
_EPSILON = 1e-12


def bert_tiny() -> Network:
    """BERT-Tiny: token, segment and position numbers (1, 128) to states (1, 128, 128) and pooled state (1, 128)."""
    source = "google-research/bert, bert_uncased_L-2_H-128_A-2"
    return _bert("bert_tiny", source, blocks=2, width=128, heads=2)


def bert_base() -> Network:
    """BERT-Base: token, segment and position numbers (1, 128) to states (1, 128, 768) and pooled state (1, 768)."""
    return _bert("bert_base", "google-research/bert, bert-base-uncased", blocks=12, width=768, heads=12)


def _bert(name: str, source: str, blocks: int, width: int, heads: int) -> Network:
    net = NetworkBuilder(name, source)
    x = _embeddings(net, width)
    for index in range(blocks):
        x = _block(net, f"encoder.layer.{index}", x, heads)
    first = net.gather("pooler.first_token", x, net.constant("pooler.index", 0), axis=1)
    pooled = net.tanh("pooler.activation", net.linear("pooler.dense", first, width))
    return net.build(x, pooled)


def _embeddings(net: NetworkBuilder, width: int) -> Tensor:
    """The sum of the embeddings of word, segment and position, normalised."""

    def look_up(kind: str, entries: int, numbers: str) -> Tensor:
        table = net.weight(f"embeddings.{kind}_embeddings.weight", entries, width)
        return net.gather(f"embeddings.{kind}_embeddings", table, net.input(numbers, 1, _TOKENS), axis=0)

    words = look_up("word", _VOCABULARY, "input_ids")
    segments = look_up("token_type", _SEGMENTS, "token_type_ids")
    positions = look_up("position", _POSITIONS, "position_ids")
    x = net.add("embeddings.add_token_type", words, segments)
    x = net.add("embeddings.add_position", x, positions)
    return net.layer_norm("embeddings.LayerNorm", x, _EPSILON)


def _block(net: NetworkBuilder, scope: str, x: Tensor, heads: int) -> Tensor:
    """Attention, then MLP, each beside a shortcut and before its normalisation."""
    width = x.shape[-1]
    q, k, v = (net.linear(f"{scope}.attention.self.{part}", x, width) for part in ("query", "key", "value"))
    y = multi_head_attention(net, f"{scope}.attention.self", q, k, v, heads)
    y = net.linear(f"{scope}.attention.output.dense", y, width)
    y = net.add(f"{scope}.attention.output.add", y, x)
    x = net.layer_norm(f"{scope}.attention.output.LayerNorm", y, _EPSILON)
    y = net.linear(f"{scope}.intermediate.dense", x, 4 * width)
    y = net.gelu(f"{scope}.intermediate.act", y)
    y = net.add(f"{scope}.output.add", net.linear(f"{scope}.output.dense", y, width), x)
    return net.layer_norm(f"{scope}.output.LayerNorm", y, _EPSILON)
