"""Which statistics of two results differ, and by how much. A layer is compared with the one of its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soc_sim.observe.columns import Document
from soc_sim.observe.describing import description, unit
from soc_sim.observe.flat import Path

_APART = ("config", "schema", "warnings")
_OF_THE_MACHINE = (("simulation", "wall_s"), ("simulation", "closed_form_share"))
"""Differs between any two runs, or with what is installed."""
_MISSING = object()


@dataclass(frozen=True)
class Difference:
    """One value that differs."""

    path: Path
    """Keys that lead to it; of layers the name stands in place of the index."""
    a: Any
    b: Any
    """None: unknown, or not there."""

    @property
    def name(self) -> str:
        """The keys, joined by dots; the name of a layer, which may have some itself, in brackets."""
        return "".join(f"[{part[1:]}]" if part.startswith("\0") else f".{part}" for part in self.path).lstrip(".")

    @property
    def keys(self) -> Path:
        """The keys without the names of layers."""
        return tuple(part for part in self.path if not part.startswith("\0"))

    @property
    def change(self) -> float | None:
        """B minus A; None where one is no number."""
        return self.b - self.a if _is_number(self.a) and _is_number(self.b) else None

    @property
    def relative(self) -> float | None:
        """The change over A; None where there is none, or A is zero."""
        return self.change / self.a if self.change is not None and self.a else None

    def to_json(self) -> dict[str, Any]:
        """As the document of ``diff --json`` has it."""
        return {
            "name": self.name,
            "a": self.a,
            "b": self.b,
            "change": self.change,
            "relative": self.relative,
            "unit": unit(self.keys),
            "description": description(self.keys),
        }


@dataclass(frozen=True)
class Comparison:
    """Two results side by side."""

    settings: tuple[Difference, ...]
    """Of the configuration."""
    statistics: tuple[Difference, ...]
    """Of what was simulated, those of layers last."""
    warnings: tuple[tuple[str, ...], tuple[str, ...]]
    """Those that only A, only B has."""


def compare(a: Document, b: Document, tolerance: float = 0.0) -> Comparison:
    """The values that differ; numbers by more than ``tolerance`` relative to A.

    The time that the simulations took is not among them.
    """

    def differing(one: Any, other: Any) -> tuple[Difference, ...]:
        mine, others = dict(_flat(one)), dict(_flat(other))
        found = (
            Difference(path, _plain(mine.get(path, _MISSING)), _plain(others.get(path, _MISSING)))
            for path in dict.fromkeys((*mine, *others))
            if path not in _OF_THE_MACHINE and _differ(mine.get(path, _MISSING), others.get(path, _MISSING), tolerance)
        )
        return tuple(sorted(found, key=lambda difference: difference.path[0] == "layers"))

    only = tuple(
        tuple(text for text in one.get("warnings", ()) if text not in other.get("warnings", ()))
        for one, other in ((a, b), (b, a))
    )
    results = [{key: value for key, value in one.items() if key not in _APART} for one in (a, b)]
    return Comparison(differing(a.get("config", {}), b.get("config", {})), differing(*results), (only[0], only[1]))


def _flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Plain values with the keys that lead to them; things with a name go by it, and equal names by number."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flat(member, (*path, str(key)))
    elif isinstance(value, list | tuple):
        seen: dict[str, int] = {}
        for index, member in enumerate(value):
            name = member.get("name", index) if isinstance(member, Mapping) else index
            seen[str(name)] = count = seen.get(str(name), 0) + 1
            inner = {key: part for key, part in member.items() if key != "name"} if name != index else member
            yield from _flat(inner, (*path, f"\0{name}" if count == 1 else f"\0{name} ({count})"))
    else:
        yield path, value


def _differ(a: Any, b: Any, tolerance: float) -> bool:
    if _is_number(a) and _is_number(b):
        return bool(abs(b - a) > tolerance * abs(a))
    return bool(a != b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return None if value is _MISSING else value
