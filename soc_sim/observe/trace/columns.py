"""What a trace consists of: blocks of columns, and the names that their numbers stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from soc_sim.kernel import Detail

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

SLICE_FIELDS = 7


class TrackInfo(NamedTuple):
    """A track of slices, or a counter (``detail`` is "counters", and it has a unit)."""

    name: str
    detail: Detail
    unit: str = ""

    @property
    def component(self) -> str:
        """The part of the SoC to which it belongs: the name's first word."""
        return self.name.partition(".")[0]


@dataclass
class Tables:
    """Names by number. Tracks and layers are complete when a trace is opened; names of slices grow with it."""

    tracks: list[TrackInfo] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slices:
    """Slices in the order of recording, which is not that of their starts. All columns have shape (n,)."""

    tracks: Integers
    """Indices into :attr:`Tables.tracks`."""
    names: Integers
    """Indices into :attr:`Tables.names`."""
    layers: Integers
    """Indices into :attr:`Tables.layers`; -1: none."""
    starts_ps: Integers
    ends_ps: Integers
    """Later than the start."""
    instructions: Integers
    """Index of the instruction, in order of the program and of inferences; -1: none."""
    waited_for: Integers
    """The instruction that it had to wait for last; -1: none."""

    @classmethod
    def of_rows(cls, rows: Integers) -> Slices:
        """From an array of shape (n, 7) with the columns in the order of the fields."""
        return cls(*(np.ascontiguousarray(column) for column in rows.T))

    @classmethod
    def joined(cls, blocks: list[Slices]) -> Slices:
        """Blocks one after another."""
        return cls.of_rows(np.concatenate([np.zeros((0, SLICE_FIELDS), np.int64), *(block.rows for block in blocks)]))

    @property
    def rows(self) -> Integers:
        """Shape (n, 7)."""
        return np.column_stack(self.columns)

    @property
    def columns(self) -> tuple[Integers, ...]:
        """The columns in the order of the fields."""
        return (
            self.tracks,
            self.names,
            self.layers,
            self.starts_ps,
            self.ends_ps,
            self.instructions,
            self.waited_for,
        )

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | Integers) -> Slices:
        return Slices(*(column[chosen] for column in self.columns))


@dataclass(frozen=True)
class Samples:
    """Values of counters, each from its time on. All columns have shape (n,)."""

    tracks: Integers
    """Indices into :attr:`Tables.tracks`."""
    times_ps: Integers
    """Ascending for each counter."""
    values: Numbers

    @classmethod
    def joined(cls, blocks: list[Samples]) -> Samples:
        """Blocks one after another."""
        return cls(
            np.concatenate([np.zeros(0, np.int64), *(block.tracks for block in blocks)]),
            np.concatenate([np.zeros(0, np.int64), *(block.times_ps for block in blocks)]),
            np.concatenate([np.zeros(0), *(block.values for block in blocks)]),
        )

    def __len__(self) -> int:
        return len(self.tracks)


Block = Slices | Samples


class Sink(Protocol):
    """Takes a trace block by block; what it has taken it need not keep."""

    def open(self, tables: Tables) -> None:
        """The trace begins. ``tables`` stays the same object, and its names grow."""

    def slices(self, block: Slices) -> None:
        """Take some slices."""

    def samples(self, block: Samples) -> None:
        """Take some samples."""

    def close(self, end_ps: int) -> None:
        """The trace is complete; the run has ended at ``end_ps``."""
