"""The outcome of a run in Python: the JSON document by attribute, and the files and pictures made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soc_sim.kernel import Recorder
from soc_sim.observe.html import to_html
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import DEFAULT, EVERYTHING, Selection
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.system import RunRecord


class Fields:
    """Keys of a JSON object as attributes (``layer.stall_s``); ``document`` is the object itself."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.document:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; there are: {', '.join(self.document)}")
        return self.document[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.document]


class LayerResult(Fields):
    """One layer; its attributes are the keys of ``layers`` in the JSON document."""

    def __repr__(self) -> str:
        return f"<{self.name}: {self.end_s - self.start_s:.3e} s>"


class Result(Fields):
    """One simulation; its attributes are the keys of the JSON document.

    Args:
        document: What ``run --json`` prints.
        replay: Runs the same simulation again with a recorder. Traces cost nothing unless they are asked for; as runs
            are deterministic, they can be made afterwards.
    """

    def __init__(self, document: dict[str, Any], replay: Callable[[Recorder], RunRecord]) -> None:
        super().__init__(document)
        self._replay = replay
        self.layers = tuple(LayerResult(layer) for layer in document["layers"])

    def __repr__(self) -> str:
        return f"<{self.network}: {self.latency_s:.6g} s, {self.utilisation:.1%} of the array's MACs>"

    def to_json(self) -> str:
        """The document of ``run --json``."""
        return json.dumps(self.document, indent=2, ensure_ascii=False, allow_nan=False)

    def timeline(self, selection: Selection = EVERYTHING) -> Timeline:
        """What was busy when, and every counter: simulates again, with a recorder."""
        timeline = Timeline()
        self._replay(TraceRecorder(timeline, selection=selection))
        return timeline

    def write_trace(self, path: str | Path, selection: Selection = DEFAULT) -> None:
        """Write a trace with tracks for every component; the suffix of ``path`` says in which format.

        Raises:
            InputError: the suffix stands for no format, or the file cannot be written.
        """
        with writing(Path(path)) as sink:
            self._replay(TraceRecorder(sink, selection=selection))

    def _repr_html_(self) -> str:
        return to_html(self.document)
