"""The outcome of a run in Python: the JSON document by attribute, and the files and pictures made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soc_sim.errors import MissingExtraError
from soc_sim.kernel import Recorder
from soc_sim.observe.figures.pack import SHOWN, pack
from soc_sim.observe.html import to_html
from soc_sim.observe.layers_csv import layer_lines
from soc_sim.observe.plot.plots import Plots
from soc_sim.observe.report.page import write_report
from soc_sim.observe.report.sources import StoredRun
from soc_sim.observe.trace.formats import writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.selection import DEFAULT, EVERYTHING, Selection
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.system import RunRecord

if TYPE_CHECKING:
    import pandas as pd


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
        self._timeline: dict[str, Any] | None = None
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

    def write_report(self, path: str | Path) -> None:
        """Write a page of HTML about the run, with its timeline.

        Raises:
            InputError: ``path`` cannot be written.
            MissingExtraError: jinja2 is not installed.
        """
        write_report(Path(path), [StoredRun(self.network, self.document, self._packed())])

    @property
    def plot(self) -> Plots:
        """Plots: ``result.plot.layers()`` in a notebook, ``result.plot.timeline().save("t.svg")`` in a script."""
        return Plots(self.document, self._packed)

    def to_pandas(self) -> pd.DataFrame:
        """A row for each layer, with the columns of ``layers.csv``; null is ``None`` or NaN.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("tables of pandas need the extra pandas: pip install 'soc_sim[pandas]'") from None
        return pd.DataFrame.from_records(layer_lines(self.document))

    def _packed(self) -> dict[str, Any]:
        """The timeline in the form of pages and plots, recorded once."""
        if self._timeline is None:
            self._timeline = pack(self.timeline(SHOWN))
        return self._timeline

    def _repr_html_(self) -> str:
        return to_html(self.document)
