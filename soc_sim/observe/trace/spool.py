"""Rows of integers on disk, for formats that need them in another order than they come: memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile

import numpy as np

from soc_sim.observe.trace.columns import Integers


class Spool:
    """A temporary file of rows; it goes with the object, or with :meth:`close`."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._file = TemporaryFile(prefix="soc_sim-trace-")  # noqa: SIM115 # lives as long as the object
        self._blocks: list[int] = []

    def __len__(self) -> int:
        return sum(self._blocks)

    def append(self, *columns: Integers) -> None:
        """Append rows; each column has shape (n,)."""
        np.column_stack(columns).tofile(self._file)
        self._blocks.append(len(columns[0]))

    def blocks(self) -> Iterator[tuple[Integers, ...]]:
        """The columns of one block after another, as they were appended."""
        self._file.seek(0)
        for rows in self._blocks:
            values = np.fromfile(self._file, np.int64, rows * self._columns)
            yield tuple(values.reshape(rows, self._columns).T)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
