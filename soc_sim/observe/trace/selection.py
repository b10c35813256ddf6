"""Which part of a run is traced: by detail, by component, by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from soc_sim.config.trace import Trace
from soc_sim.errors import InputError, suggestion
from soc_sim.kernel import DETAILS, Detail


@dataclass(frozen=True)
class Window:
    """From a time, inclusive, to another, exclusive."""

    from_ps: int
    to_ps: int


@dataclass(frozen=True)
class Selection:
    """What is wanted of a trace.

    A pattern with ``*``, ``?`` and ``[...]`` selects the tracks whose name it matches, and all below such a name:
    ``core0`` and ``core*`` select ``core0.array.stalls``.
    """

    details: frozenset[Detail] = frozenset(DETAILS)
    components: tuple[str, ...] = ("*",)
    window: Window | None = None
    """Slices that overlap it are kept whole, and counters with the value they have when it begins."""

    def wants(self, name: str, detail: Detail) -> bool:
        """Whether a track is selected."""
        return detail in self.details and any(_matches(name, pattern) for pattern in self.components)

    def check(self, offered: Sequence[str]) -> None:
        """Every pattern matches one of the names that there are, of whatever detail.

        Raises:
            InputError: some match nothing.
        """
        components = list(dict.fromkeys(part for name in offered for part in _prefixes(name)[:2]))
        faults = [
            f"trace: no component matches '{pattern}'; there are: {', '.join(sorted(components))}"
            f"{suggestion(pattern, components)}"
            for pattern in self.components
            if pattern != "*" and not any(_matches(name, pattern) for name in offered)
        ]
        if faults:
            raise InputError(*faults)


EVERYTHING = Selection()


def selected(trace: Trace) -> Selection:
    """What a description of a trace selects."""
    window = Window(trace.window.from_ps, trace.window.to_ps) if trace.window else None
    return Selection(frozenset(trace.detail), trace.components, window)


DEFAULT = selected(Trace())
"""What viewers show well: no counters, no commands."""


def _prefixes(name: str) -> list[str]:
    """The name's first word, its first two, and so on.

    >>> _prefixes("core0.array.stalls")
    ['core0', 'core0.array', 'core0.array.stalls']
    """
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words) + 1)]


def _matches(name: str, pattern: str) -> bool:
    return any(fnmatchcase(prefix, pattern) for prefix in _prefixes(name))
