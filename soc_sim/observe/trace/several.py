"""Several recorders as one, where two consumers of a run want different parts of it."""

from __future__ import annotations

from collections.abc import Sequence

from soc_sim.kernel import Counter, Detail, Recorder, Requests, Track


class Several:
    """Tells all recorders; those that do not want a track are not bothered with it."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def track(self, name: str, detail: Detail) -> Track | None:
        """A track that tells those who want it."""
        wanted = [track for recorder in self._recorders if (track := recorder.track(name, detail)) is not None]
        return _Tracks(wanted) if len(wanted) > 1 else wanted[0] if wanted else None

    def counter(self, name: str, unit: str) -> Counter | None:
        """A counter that tells those who want it."""
        wanted = [counter for recorder in self._recorders if (counter := recorder.counter(name, unit)) is not None]
        return _Counters(wanted) if len(wanted) > 1 else wanted[0] if wanted else None

    def requests(self, name: str) -> Requests | None:
        """The first that wants them."""
        return next((one for recorder in self._recorders if (one := recorder.requests(name)) is not None), None)

    def begin(self, layers: Sequence[str]) -> None:
        """Begin all."""
        for recorder in self._recorders:
            recorder.begin(layers)

    def end(self, makespan_ps: int) -> None:
        """End all."""
        for recorder in self._recorders:
            recorder.end(makespan_ps)


class _Tracks:
    def __init__(self, tracks: list[Track]) -> None:
        self._tracks = tracks

    def slice(
        self, name: str, start_ps: int, end_ps: int, layer: int, instruction: int = -1, waited_for: int = -1
    ) -> None:
        for track in self._tracks:
            track.slice(name, start_ps, end_ps, layer, instruction, waited_for)


class _Counters:
    def __init__(self, counters: list[Counter]) -> None:
        self._counters = counters

    def set(self, time_ps: int, value: float) -> None:
        for counter in self._counters:
            counter.set(time_ps, value)
