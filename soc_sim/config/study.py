"""A study: what sparse weights gain over dense ones, over networks, arrays, patterns and levels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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
    """Shares of zeros; the same in every layer of `networks`, over all layers of `trained` ones."""


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
    """Zoo names or .onnx files; the units of the smallest norm are zero, in every layer the same share. Weights of the
    zoo's networks are seeded (`workload.sparsity.score`), and the table calls these networks NAME_seeded."""
    trained: Annotated[tuple[TrainedNetwork, ...], Field(strict=False)] = ()
    """Trained networks, whose zeros are chosen by importance."""
    patterns: Annotated[tuple[PatternLevels, ...], Field(strict=False, min_length=1)]
    marks: Annotated[tuple[Annotated[float, Field(gt=1)], ...], Field(strict=False)] = (1.41, 4.28)
    """Speedups of which the table says at which level they are reached."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Decides the values of seeded weights."""

    @property
    def labels(self) -> dict[str, str]:
        """What the table calls each network that is not trained here, and where that network is."""
        return {Path(name).stem if name.endswith(".onnx") else f"{name}_seeded": name for name in self.networks}

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Names given twice, or no network at all."""
        yield from repeated("arrays", self.arrays)
        yield from repeated("networks", self.networks)
        yield from repeated("trained", [one.name for one in self.trained])
        for name in (one.name for one in self.trained if one.name in self.labels):
            yield "trained", f"'{name}' is the name of one of the networks, too; allowed: another name"
        if len(self.labels) < len(set(self.networks)):
            yield "networks", "two files have the same name; allowed: names that differ without their folder"
        yield from repeated("patterns", [one.pattern for one in self.patterns])
        if not self.networks and not self.trained:
            yield "networks", "there are none; allowed: networks, trained, or both"
