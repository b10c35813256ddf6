"""``--set PATH=VALUE``: changes single places of a description after its references are resolved.

PATH is dotted; items of lists go by index or, where they have one, by name (``network.input_shapes[image].shape``).
Brackets also hold keys with dots in them (``mapping.dataflow[layer1.0.conv1]``). VALUE is YAML and may be a reference,
relative to the working directory. What does not exist yet may be added where the description allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from soc_sim.config.marks import Fault, KeyPath, Mark, Node, parse_path
from soc_sim.config.places import Place
from soc_sim.config.references import resolve
from soc_sim.config.yaml_reader import parse
from soc_sim.errors import suggestion

_PATH = re.compile(r"(?:(?:^|\.)[^.\[\]=]+|\[[^\]]+\])+(?==)")


class Setting(NamedTuple):
    """An override that another option than ``--set`` asks for."""

    path: str
    value: object
    option: str
    """As the user wrote it, for faults."""


Override = str | Setting


class _NoSuchPlaceError(Exception):
    """The path leads nowhere; carries how far it went and what is wrong there."""

    def __init__(self, path: KeyPath, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text


def apply(root: Node, place: Place, overrides: Iterable[Override]) -> None:
    """Change the nodes below ``root`` in place, in order; faults are added to the root."""
    for override in overrides:
        if isinstance(override, Setting):
            text, mark = f"{override.path}={override.value}", Mark(f"{override.option} {override.value}")
        else:
            text, mark = override, Mark(f"--set {override}")
        match = _PATH.match(text)
        if match is None:
            root.faults.append(Fault(mark, (), "write it as PATH=VALUE, as in 'soc.array.rows=32'"))
            continue
        keys = [str(key) for key in parse_path(match.group())]
        value = parse(text[match.end() + 1 :], mark.source, lines=False)
        try:
            _put(root, place, keys, value, mark)
        except _NoSuchPlaceError as error:
            root.faults.append(Fault(mark, error.path, error.text))


def _put(node: Node, place: Place, keys: list[str], value: Node, mark: Mark) -> None:
    path: KeyPath = ()
    for position, text in enumerate(keys):
        if node.broken:
            return  # why is reported where it broke
        kind = node.get("kind")
        place = place.narrowed(kind.plain if kind else None)
        key = _key(node, text, path)
        path = (*path, key)
        inner = place.child(key)
        if inner is None:
            raise _NoSuchPlaceError(
                path, f"unknown key; allowed: {', '.join(place.keys)}{suggestion(text, place.keys)}"
            )
        if position == len(keys) - 1:
            value.key_mark = mark
            node.replace_child(key, resolve(value, inner, Path()))
            return
        child = node.get(key)
        if child is None or (child.value is None and not child.broken):
            child = Node({}, mark, mark)
            node.replace_child(key, child)
        node, place = child, inner


def _key(node: Node, text: str, path: KeyPath) -> str | int:
    if isinstance(node.value, dict):
        return text
    if not isinstance(node.value, list):
        raise _NoSuchPlaceError(path, f"'{node.value}' has no parts; set it as a whole")
    names = [name.value if (name := item.get("name")) else None for item in node.value]
    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    known = [name for name in names if isinstance(name, str)]
    allowed = ", ".join([*known, *([f"0 to {len(names) - 1}"] if names else ["none, the list is empty"])])
    raise _NoSuchPlaceError(
        (*path, int(text) if text.isdecimal() else text), f"no such item; allowed: {allowed}{suggestion(text, known)}"
    )
