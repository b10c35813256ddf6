"""What a dumped trace says about itself: tracks, busy or not, with their units; layers; the end of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass

import soc_sim
from soc_sim.observe.trace.columns import Tables, TrackInfo

FORMAT_VERSION = 1
"""Version of the columns and of the head; it grows when they change."""


@dataclass(frozen=True)
class Head:
    """Of a trace."""

    tracks: tuple[TrackInfo, ...]
    layers: tuple[str, ...]
    end_ps: int
    generator: str = ""

    def to_json(self) -> str:
        """As one line of JSON."""
        return json.dumps(
            {
                "format": FORMAT_VERSION,
                "generator": self.generator or f"soc_sim {soc_sim.__version__}",
                "clock": "simulated, in ps",
                "end_ps": self.end_ps,
                "tracks": [list(track) for track in self.tracks],
                "layers": list(self.layers),
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Head:
        """Read it back.

        Raises:
            ValueError: it is none, or of a later version.
        """
        content = json.loads(text)
        try:
            if content["format"] > FORMAT_VERSION:
                raise ValueError(f"format {content['format']} is newer than {FORMAT_VERSION}")
            tracks = tuple(TrackInfo(*track) for track in content["tracks"])
            return cls(tracks, tuple(content["layers"]), content["end_ps"], content["generator"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"is no head of a trace: {error!r}") from None


def head_of(tables: Tables, end_ps: int) -> Head:
    """The head of a trace with these names."""
    return Head(tuple(tables.tracks), tables.layers, end_ps)
