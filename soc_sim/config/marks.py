"""Values together with the place where somebody wrote them, so that a fault found late still names file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

Scalar = str | int | float | bool | None
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; ``line`` 0 means the source as a whole (a file that cannot be read, a ``--set``)."""

    source: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and at which path of the description."""

    mark: Mark
    path: KeyPath
    text: str

    def __str__(self) -> str:
        line = ": ".join(part for part in (str(self.mark), format_path(self.path), self.text) if part)
        return " ".join(line.split("\n"))


@dataclass(slots=True)
class Node:
    """A value, a mapping or a list of nodes, with its mark, its key's mark and the faults found while reading it."""

    value: Scalar | dict[str, Node] | list[Node]
    mark: Mark = Mark()
    key_mark: Mark | None = None
    faults: list[Fault] = field(default_factory=list)
    """Paths of these are relative to this node: they vanish with it when ``--set`` replaces it."""
    broken: bool = False
    """The value could not be had (a missing file, malformed YAML); there is no point in looking at it."""

    @property
    def plain(self) -> object:
        """The value as dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain for child in self.value]
        return self.value

    def get(self, key: str | int) -> Node | None:
        """The part with this key or index."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """Keys (or indices) and parts, in order."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def replace_child(self, key: str | int, child: Node) -> None:
        """Put ``child`` in the place of the part with this key, or add it."""
        if isinstance(self.value, dict):
            self.value[str(key)] = child
        elif isinstance(self.value, list) and isinstance(key, int):
            self.value[key] = child

    def follow(self, path: KeyPath) -> list[Node]:
        """The nodes on the way along ``path``, this one first, as far as it leads."""
        way = [self]
        for key in path:
            child = way[-1].get(key)
            if child is None:
                break
            way.append(child)
        return way

    def all_faults(self, path: KeyPath = ()) -> Iterator[Fault]:
        """Faults of this node and of all its parts, with paths from here."""
        for fault in self.faults:
            yield replace(fault, path=path + fault.path)
        for key, child in self.children():
            yield from child.all_faults((*path, key))

    @classmethod
    def unreadable(cls, mark: Mark, text: str) -> Node:
        """A node that stands for something that could not be had."""
        return cls(None, mark, faults=[Fault(mark, (), text)], broken=True)


def from_plain(value: object, mark: Mark = Mark()) -> Node:
    """Nodes for data that comes from Python instead of a file."""
    if isinstance(value, Mapping):
        return Node({str(key): from_plain(part, mark) for key, part in value.items()}, mark)
    if isinstance(value, (list, tuple)):
        return Node([from_plain(part, mark) for part in value], mark)
    return Node(str(value) if isinstance(value, Path) else value, mark)  # type: ignore[arg-type]


def format_path(path: KeyPath) -> str:
    """A path as users write it in ``--set``.

    >>> format_path(("mapping", "dataflow", "layer1.0", "x", 2))
    'mapping.dataflow[layer1.0].x[2]'
    """
    text = ""
    for key in path:
        if isinstance(key, int) or not re.fullmatch(r"\w+", key):
            text += f"[{key}]"
        else:
            text += f".{key}" if text else key
    return text


def parse_path(text: str) -> KeyPath:
    """The reverse of :func:`format_path`; a number in brackets is an index.

    >>> parse_path("mapping.dataflow[layer1.0].x[2]")
    ('mapping', 'dataflow', 'layer1.0', 'x', 2)
    """
    keys = re.findall(r"\[([^\]]+)\]|([^.\[\]]+)", text)
    return tuple(plain or (int(inner) if inner.isdecimal() else inner) for inner, plain in keys)


def display(path: Path) -> str:
    """A path as it is shown: relative when it lies under the working directory."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)
