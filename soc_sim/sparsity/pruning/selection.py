"""Which units go, over all row blocks of all layers: always the one that costs least for what it brings."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soc_sim.sparsity.pruning.orders import Order


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many weights of a layer may, and must, go in this selection."""

    least: int
    most: int


def select(
    orders: Mapping[str, Sequence[Order]],
    weights: int,
    *,
    price: Mapping[str, float] | None = None,
    bounds: Mapping[str, Bounds] | None = None,
) -> dict[str, list[int]]:
    """For each layer and row block, how many of the first units of its order go.

    Args:
        orders: Layer → the orders of its row blocks.
        weights: How many weights go together; the result is within one unit, less where bounds or orders end sooner.
        price: Layer → factor on the costs of its units: what an error there means for the network, over what removing
            a weight there saves. Default: 1.
        bounds: Layer → limits; default: none.
    """
    taken = {layer: [0] * len(blocks) for layer, blocks in orders.items()}
    lost = dict.fromkeys(orders, 0)
    limits = bounds or {}
    total = 0

    def run(layers: Sequence[str], *, until: int, required: bool) -> None:
        """Take the cheapest units until so many weights have gone."""
        nonlocal total
        heap: list[tuple[float, int, int]] = []
        names = list(layers)

        def push(index: int, block: int) -> None:
            layer = names[index]
            order, position = orders[layer][block], taken[layer][block]
            if position < len(order.units):
                heapq.heappush(heap, (order.costs[position] * (price or {}).get(layer, 1.0), index, block))

        for index, layer in enumerate(names):
            for block in range(len(orders[layer])):
                push(index, block)
        while heap:
            _, index, block = heapq.heappop(heap)
            layer = names[index]
            size = int(orders[layer][block].sizes[taken[layer][block]])
            limit = limits.get(layer)
            if required and limit is not None and lost[layer] >= limit.least:
                continue
            # The unit that comes nearest to the wish is the last one.
            if not required and total + size - until > until - total:
                continue
            if limit is not None and lost[layer] + size > limit.most:
                continue
            taken[layer][block] += 1
            lost[layer] += size
            total += size
            push(index, block)

    run([layer for layer in orders if layer in limits and limits[layer].least > 0], until=0, required=True)
    run(list(orders), until=weights, required=False)
    return taken
