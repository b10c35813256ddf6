"""A study: what sparse weights gain over dense ones, over networks, arrays, patterns and levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Description, FileOrName, repeated
from soc_sim.config.prune import Prune
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import PatternName

Levels = Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(strict=False, min_length=1)]


class PatternLevels(Description):
    """One pattern of zeros at several levels."""

    pattern: PatternName
    """What is zero together, in the size of each array."""
    levels: Levels
    """Shares of zeros; the same in every layer of a network without trained weights."""


class TrainedNetwork(Description):
    """A network whose weights are pruned by importance and repaired."""

    name: str
    """What the table calls it."""
    job: Prune
    """How it is pruned; array, pattern and target are those of the study."""


class Study(Description):
    """The job of `soc-sim study`: every entry is a network on an array, at one level of one pattern, and dense."""

    kind: Literal["study"]
    soc: Soc
    """Everything but the size of the array."""
    arrays: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
    """Rows, and as many columns, of each array."""
    networks: Annotated[tuple[Annotated[str, FileOrName(".onnx")], ...], Field(strict=False)] = ()
    """Zoo names or .onnx files; their zeros are synthetic, by the pattern and `seed`."""
    trained: Annotated[tuple[TrainedNetwork, ...], Field(strict=False)] = ()
    """Trained networks, whose zeros are chosen by importance."""
    patterns: Annotated[tuple[PatternLevels, ...], Field(strict=False, min_length=1)]
    marks: Annotated[tuple[Annotated[float, Field(gt=1)], ...], Field(strict=False)] = (1.41, 4.28)
    """Speedups of which the table says at which level they are reached."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Decides which units are zero."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Names given twice, or no network at all."""
        yield from repeated("arrays", self.arrays)
        yield from repeated("networks", [*self.networks, *(one.name for one in self.trained)])
        yield from repeated("patterns", [one.pattern for one in self.patterns])
        if not self.networks and not self.trained:
            yield "networks", "there are none; allowed: networks, trained, or both"
