"""Descriptions from files, from Python mappings and back to YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from pydantic import ValidationError

from soc_sim.config import overrides as settings
from soc_sim.config.base import Description
from soc_sim.config.kinds import KINDS
from soc_sim.config.marks import Fault, Mark, Node, from_plain, parse_path
from soc_sim.config.places import Place
from soc_sim.config.references import file_fault, find, is_bare, open_file, resolve
from soc_sim.config.wording import faults
from soc_sim.config.yaml_reader import CoreLoader
from soc_sim.errors import ConfigurationError

D = TypeVar("D", bound=Description)
Source = str | Path | Mapping[str, object]


@dataclass(frozen=True)
class Document(Generic[D]):
    """A description, and where each of its values was written."""

    model: D
    root: Node

    def fault(self, path: str, text: str) -> Fault:
        """A fault that a later stage found at ``path``, with the place in the file."""
        keys = parse_path(path)
        node = self.root.follow(keys)[-1]
        return Fault(node.mark, keys, text)


def load(source: Source, expected: type[D], overrides: Iterable[str] = ()) -> D:
    """A description of the expected kind.

    Args:
        source: Path of a YAML file (relative to the working directory), ``package://NAME/path``, the bare name of a
            shipped file, or a mapping with the keys that such a file has.
        expected: For example ``Run`` or ``Soc``.
        overrides: ``PATH=VALUE`` texts, applied in order after references are resolved.

    Raises:
        ConfigurationError: all faults, one line each.
    """
    return read_document(source, (expected,), overrides).model


def load_any(source: Source, overrides: Iterable[str] = ()) -> Description:
    """A description of whatever kind the source says; a run if it says none. Otherwise as :func:`load`."""
    return read_document(source, tuple(KINDS.values()), overrides).model


def read_document(source: Source, expected: tuple[type[D], ...], overrides: Iterable[str] = ()) -> Document[D]:
    """As :func:`load`, for one of several kinds, with the places where the values were written."""
    place = Place.of(*expected)
    root = _open(source, place)
    if not root.broken:
        settings.apply(root, place, overrides)
    found = list(root.all_faults())
    model = None
    if not root.broken:
        kind = root.get("kind")
        chosen = place.narrowed(kind.value if kind else "run")
        try:
            model = chosen.models[0].model_validate(root.plain)
        except ValidationError as error:
            found += faults(error, root, chosen)
    if found or model is None:
        raise ConfigurationError(*(str(fault) for fault in sorted(found, key=lambda fault: fault.mark)))
    return Document(model, root)  # type: ignore[arg-type]  # one of `expected`, chosen by its kind


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
