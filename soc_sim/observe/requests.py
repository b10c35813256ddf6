"""Writes down what an initiator asks of memory, or what arrives at one, so that it can be replayed by itself.

The file is CSV with the header ``arrival_ps,address,size_bytes,kind``, which ``soc-sim dram --trace`` replays on one
memory and ``background: [{trace: FILE}]`` beside a network. A transfer of several lines is a request for each line;
contiguous lines are one. Arrivals are those of a run in which requests waited for one another: a replay keeps times and
order, not the dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from soc_sim.components.memory.dram.trace import HEADER
from soc_sim.errors import InputError, suggestion
from soc_sim.kernel import Detail, Transfer


class RequestRecorder:
    """A :class:`soc_sim.kernel.Recorder` of requests alone."""

    def __init__(self, files: Mapping[str, TextIO]) -> None:
        """``files``: name of an initiator or memory → where to write its requests."""
        self._files = files
        self._offered: list[str] = []

    def requests(self, name: str) -> RequestWriter | None:
        """Where to tell the requests of an initiator, or those to a memory."""
        self._offered.append(name)
        file = self._files.get(name)
        return None if file is None else RequestWriter(file)

    def track(self, name: str, detail: Detail) -> None:
        """Tracks are not wanted."""

    def counter(self, name: str, unit: str) -> None:
        """Counters are not wanted."""

    def begin(self, layers: Sequence[str]) -> None:  # noqa: ARG002 # part of the contract
        """Whether all names are known.

        Raises:
            InputError: some are not.
        """
        faults = [
            f"requests: '{name}' is unknown; allowed: {', '.join(self._offered)}{suggestion(name, self._offered)}"
            for name in self._files
            if name not in self._offered
        ]
        if faults:
            raise InputError(*faults)

    def end(self, makespan_ps: int) -> None:
        """All has been written."""


class RequestWriter:
    """Writes the requests of one name."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        file.write(f"{','.join(HEADER)}\n")

    def add(self, time_ps: int, transfer: Transfer) -> None:
        """A transfer arrives."""
        kind, lines, line_bytes = "W" if transfer.write else "R", transfer.lines, transfer.line_bytes
        if transfer.pitch_bytes == line_bytes:
            lines, line_bytes = 1, lines * line_bytes
        for line in range(lines):
            self._file.write(f"{time_ps},{transfer.address + line * transfer.pitch_bytes},{line_bytes},{kind}\n")
