"""How energy is spread over the layers and the time of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soc_sim.energy.tally import Group, Integers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Shares that sum to one."""

    by_layer: Floats
    times_ps: Floats
    """Times at which the rate changes, ascending."""
    done: Floats
    """The share that is done by then, from 0 to 1; linear in between."""

    @classmethod
    def even(cls, layers: Sequence[int], end_ps: int) -> Spread:
        """The same at any time until ``end_ps``; layers by weight."""
        return cls(
            _shares(np.array(layers, dtype=float), len(layers)),
            np.array([0.0, float(max(end_ps, 1))]),
            np.array([0.0, 1.0]),
        )

    @classmethod
    def of_instructions(cls, groups: Sequence[tuple[Group, Integers]], owners: int, layers: int) -> Spread:
        """By amounts of instructions, each evenly over its time.

        Args:
            groups: Instructions, and how much each did.
            owners: Layers and background initiators.
            layers: How many of them are layers: these share what nobody did.
        """
        who = np.concatenate([group.layers for group, _ in groups])
        amounts = np.concatenate([amounts for _, amounts in groups]).astype(float)
        starts = np.concatenate([group.start_ps for group, _ in groups])[amounts > 0].astype(float)
        ends = np.concatenate([group.end_ps for group, _ in groups])[amounts > 0].astype(float)
        by_layer = _shares(np.bincount(who, amounts, minlength=owners).astype(float), layers)
        amounts = amounts[amounts > 0]
        if not len(amounts):
            return cls(by_layer, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        ends = np.maximum(ends, starts + 1)
        rates = amounts / (ends - starts)
        times, positions = np.unique(np.concatenate([starts, ends]), return_inverse=True)
        change = np.bincount(positions, np.concatenate([rates, -rates]), minlength=len(times))
        done = np.concatenate([[0.0], np.cumsum(np.cumsum(change)[:-1] * np.diff(times))])
        return cls(by_layer, times, done / done[-1])

    def until(self, times_ps: Floats) -> Floats:
        """The share that is done at some times."""
        found: Floats = np.interp(times_ps, self.times_ps, self.done)
        return found


def _shares(weights: Floats, layers: int) -> Floats:
    total = weights.sum()
    if total:
        shares: Floats = weights / total
        return shares
    return np.where(np.arange(len(weights)) < layers, 1 / max(1, layers), 0.0)
