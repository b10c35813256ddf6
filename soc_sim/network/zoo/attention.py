"""Multi-head attention, which the vision transformer and BERT share (Vaswani et al., arXiv:1706.03762, section 3.2)."""

from __future__ import annotations

import math

from soc_sim.network.base import Tensor
from soc_sim.network.zoo.builder import NetworkBuilder


def multi_head_attention(
    net: NetworkBuilder, scope: str, query: Tensor, key: Tensor, value: Tensor, heads: int
) -> Tensor:
    """Softmax(Q·Kᵀ / √d)·V for each head; projections before and after are the caller's.

    Args:
        net: the network under construction.
        scope: prefix of the operators' names.
        query: (1, tokens, heads · d), and so are ``key``, ``value`` and the result.
        key: see ``query``.
        value: see ``query``.
        heads: number of heads.
    """
    batch, tokens, width = query.shape
    depth = width // heads

    def split_heads(name: str, x: Tensor, *perm: int) -> Tensor:
        x = net.reshape(f"{scope}.{name}_heads", x, batch, tokens, heads, depth)
        return net.transpose(f"{scope}.{name}_transpose", x, *perm)

    q = split_heads("query", query, 0, 2, 1, 3)
    k = split_heads("key", key, 0, 2, 3, 1)
    v = split_heads("value", value, 0, 2, 1, 3)
    # The factor goes to Q, not to the scores: tokens · width products instead of heads · tokens².
    q = net.mul(f"{scope}.scaling", q, net.constant(f"{scope}.scale", 1 / math.sqrt(depth)))
    scores = net.softmax(f"{scope}.softmax", net.matmul(f"{scope}.scores", q, k))
    context = net.transpose(f"{scope}.merge", net.matmul(f"{scope}.context", scores, v), 0, 2, 1, 3)
    return net.reshape(f"{scope}.merge_heads", context, batch, tokens, width)
