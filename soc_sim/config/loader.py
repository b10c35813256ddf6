"""Descriptions from files, from Python mappings and back to YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from soc_sim.config import overrides as settings
from soc_sim.config.base import Description
from soc_sim.config.kinds import KINDS
from soc_sim.config.marks import Fault, Mark, Node, from_plain
from soc_sim.config.overrides import Override
from soc_sim.config.places import Place
from soc_sim.config.references import file_fault, find, is_bare, open_file, resolve
from soc_sim.config.wording import faults
from soc_sim.config.yaml_reader import CoreLoader
from soc_sim.errors import ConfigurationError

D = TypeVar("D", bound=Description)
Source = str | Path | Mapping[str, object]
Check = Callable[[Node], Iterable[Fault]]
"""A check by a part of the program that this one may not know; it sees the resolved nodes, valid or not."""


def load(source: Source, expected: type[D], overrides: Iterable[Override] = (), checks: Iterable[Check] = ()) -> D:
    """A description of the expected kind.

    Args:
        source: Path of a YAML file (relative to the working directory), ``package://NAME/path``, the bare name of a
            shipped file, or a mapping with the keys that such a file has.
        expected: For example ``Run`` or ``Soc``.
        overrides: ``PATH=VALUE`` texts, applied in order after references are resolved.
        checks: What else to look at.

    Raises:
        ConfigurationError: all faults, one line each, sorted by file and line.
    """
    return _load(source, (expected,), overrides, checks)


def load_any(source: Source, overrides: Iterable[Override] = (), checks: Iterable[Check] = ()) -> Description:
    """A description of whatever kind the source says; a run if it says none. Otherwise as :func:`load`."""
    return _load(source, tuple(KINDS.values()), overrides, checks)


def _load(source: Source, expected: tuple[type[D], ...], overrides: Iterable[Override], checks: Iterable[Check]) -> D:
    place = Place.of(*expected)
    root = _open(source, place)
    if root.broken:
        raise ConfigurationError(*(str(fault) for fault in root.all_faults()))
    settings.apply(root, place, overrides)
    kind = root.get("kind")
    place = place.narrowed(kind.value if kind else "run")
    found = [*root.all_faults(), *(fault for check in checks for fault in check(root))]
    try:
        model = place.models[0].model_validate(root.plain)
    except ValidationError as error:
        found += faults(error, root, place)
    if found:
        raise ConfigurationError(*(str(fault) for fault in sorted(found, key=lambda fault: fault.mark)))
    return model  # type: ignore[return-value]  # one of `expected`, chosen by its kind


def dump(model: Description) -> str:
    """The description as YAML, defaults included; loading it gives an equal one."""
    return yaml.dump(model.model_dump(mode="json", exclude_none=True), Dumper=_CoreDumper, sort_keys=False, width=120)


class _CoreDumper(yaml.SafeDumper):
    """Quotes every text that our reader, or one that follows YAML 1.1, would not read as text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 — PyYAML's own interface
        first: [
            *CoreLoader.yaml_implicit_resolvers.get(first, []),
            *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        ]
        for first in {**CoreLoader.yaml_implicit_resolvers, **yaml.SafeDumper.yaml_implicit_resolvers}
    }


def _open(source: Source, place: Place) -> Node:
    if isinstance(source, Mapping):
        return resolve(from_plain(source), place, Path())
    text = str(source)
    found: tuple[Path, str] | str
    if is_bare(text) and Path(text).exists():
        found = file_fault(Path(text), text) or (Path(text), text)
    else:
        found = find(text, place, Path())
    return Node.unreadable(Mark(), found) if isinstance(found, str) else open_file(*found, place, Mark())
