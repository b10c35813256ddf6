"""Zeros of the weights: where they come from, and how weights with zeros are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from soc_sim.config.base import Description, FileOrName, repeated

PatternName = Literal["unstructured", "tile_columns", "tile_rows", "n_of_m", "channels", "blocks"]
FormatName = Literal["dense", "two_stage_bitmap", "csb", "csr"]
Level = Annotated[float, Field(ge=0, le=1)]


class LayerSparsity(Description):
    """What differs for one layer."""

    name: str
    """Of a layer that multiplies by weights."""
    level: Level
    """Share of zeros."""
    pattern: PatternName | None = None
    """Default: that of all layers."""


class Sparsity(Description):
    """Where the zeros of the weights are: a synthetic pattern, the network's own weights, or a file of arrays."""

    pattern: PatternName | None = None
    """What is zero together; the unit has the size of the array (a tile column: R × 1 weights)."""
    level: Level | None = None
    """Share of zeros, 0 to 1; reached within one unit in every layer."""
    score: Literal["random", "norm"] = "random"
    """Which units are zero: any, or those of the smallest L2 norm over their length. `norm` looks at the network's own
    weights; layers without values get seeded ones that spread as those of trained networks do."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Decides which units are zero, for each layer by its name; with `norm`, the values of weights that have none."""
    layers: Annotated[tuple[LayerSparsity, ...], Field(strict=False)] = ()
    """Layers with a level, or a pattern, of their own."""
    from_weights: bool = False
    """The zeros of the weights in the network's file."""
    weights: Annotated[str, FileOrName(".npz")] | None = None
    """A file of arrays by name of layer or weight tensor; layers it does not name have no zeros."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """No source, several sources, or half a pattern."""
        allowed = "allowed: one of pattern (with level), from_weights: true, weights: FILE.npz"
        sources = [
            name
            for name, given in (
                ("pattern", self.pattern is not None),
                ("from_weights", self.from_weights),
                (
                    "weights",
                    "weights" in self.model_fields_set,
                ),  # None, where the file is missing: that is said already
            )
            if given
        ]
        if not sources:
            yield "", f"no source of zeros is given; {allowed}"
        for name in sources[1:]:
            yield name, f"the zeros are those of {sources[0]} already; {allowed}"
        if self.pattern is not None and self.level is None:
            yield "level", "is missing; a pattern needs a number, 0 to 1"
        if self.pattern is None:
            for name, given in (
                ("level", self.level is not None),
                ("layers", self.layers),
                ("score", self.score != "random"),
            ):
                if given:
                    yield name, "says nothing without a pattern; allowed: together with pattern"
        yield from repeated("layers", [layer.name for layer in self.layers])
