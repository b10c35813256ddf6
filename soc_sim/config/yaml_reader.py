"""Reads YAML so that nothing is changed in silence and every value knows its line.

Scalars follow the core schema of YAML 1.2 rather than PyYAML's YAML 1.1: ``no`` and ``12:30`` are text, not False and
750; ``010`` is text, not 8; ``1e9`` is the number. Keys are always text. Duplicate keys are refused. Anchors and merge
keys (``<<``) work; a document that they blow up, or that contains itself, is refused. Tags other than the core
schema's are refused, so no Python object can be made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml

from soc_sim.config.marks import Fault, Mark, Node, Scalar

MAX_VALUES: Final = 100_000
"""More values than any description has; beyond, aliases have been nested to blow the document up."""

_TAG: Final = "tag:yaml.org,2002:"
_RESOLVERS: Final = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})\Z"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]{0,99})(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z|[-+]?\.inf\Z|\.nan\Z"
        ),
        list("-+.0123456789"),
    ),
    ("merge", re.compile(r"<<\Z"), ["<"]),
)


class CoreLoader(yaml.SafeLoader):
    """Composes nodes with the tags of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 — PyYAML's own interface


for _name, _pattern, _first in _RESOLVERS:
    CoreLoader.add_implicit_resolver(_TAG + _name, _pattern, _first)


class _UnreadableError(Exception):
    """The text is no document; carries where and why."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(line, text)
        self.line = line
        self.text = text


def read(path: Path, source: str) -> Node:
    """The nodes of a file; one that cannot be read gives a broken node with the reason.

    Args:
        path: The file.
        source: How messages name it.
    """
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        return Node.unreadable(Mark(source), "is a directory; allowed: a YAML file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Node.unreadable(Mark(source), f"cannot be read: {reason[0].lower()}{reason[1:]}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Node.unreadable(Mark(source, line), "is not UTF-8 text; allowed: a YAML file in UTF-8")
    node = parse(text, source)
    if not node.broken and not isinstance(node.value, dict):
        what = "the file is empty" if node.value is None else "the file holds no keys"
        return Node.unreadable(node.mark, f"{what}; allowed: a mapping, as in 'kind: run'")
    return node


def parse(text: str, source: str, *, lines: bool = True) -> Node:
    """The nodes of a YAML text; malformed text gives a broken node with the reason.

    Args:
        text: The YAML document.
        source: How messages name it.
        lines: Whether the text has lines worth naming (a file has, a value of ``--set`` has not).
    """
    try:
        return _Builder(source, lines).document(text)
    except _UnreadableError as error:
        return Node.unreadable(Mark(source, error.line if lines else 0), error.text)


class _Builder:
    """Turns PyYAML's nodes into marked ones."""

    def __init__(self, source: str, lines: bool) -> None:
        self.source = source
        self.lines = lines
        self.values = 0
        self.open: set[int] = set()

    def document(self, text: str) -> Node:
        try:
            root = yaml.compose(text, Loader=CoreLoader)
            return Node(None, self._mark(1, 1)) if root is None else self._node(root)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            code = error.character if isinstance(error.character, int) else ord(error.character)
            raise _UnreadableError(line, f"not valid YAML: the character U+{code:04X} is not allowed") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise _UnreadableError(mark.line + 1 if mark else 1, f"not valid YAML: {_reason(error)}") from None
        except RecursionError:
            raise _UnreadableError(1, "nested too deeply") from None

    def _mark(self, line: int, column: int) -> Mark:
        return Mark(self.source, line, column) if self.lines else Mark(self.source)

    def _start(self, node: yaml.Node) -> Mark:
        return self._mark(node.start_mark.line + 1, node.start_mark.column + 1)

    def _node(self, node: yaml.Node, key_mark: Mark | None = None) -> Node:
        line = node.start_mark.line + 1
        self.values += 1
        if self.values > MAX_VALUES:
            raise _UnreadableError(line, f"more than {MAX_VALUES} values, anchors included")
        if id(node) in self.open:
            raise _UnreadableError(line, "an anchor contains itself")
        self.open.add(id(node))
        result = Node(None, self._start(node), key_mark)
        tag = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and tag == "map":
            result.value = self._mapping(node, result)
        elif isinstance(node, yaml.SequenceNode) and tag == "seq":
            result.value = [self._node(item) for item in node.value]
        elif isinstance(node, yaml.ScalarNode) and tag in _SCALARS:
            try:
                result.value = _SCALARS[tag](node.value)
            except ValueError:
                raise _UnreadableError(line, f"'{node.value}' does not fit the tag !!{tag}") from None
        else:
            raise _UnreadableError(line, f"the tag '{node.tag.replace(_TAG, '!!')}' is not allowed here; leave it out")
        self.open.remove(id(node))
        return result

    def _mapping(self, node: yaml.MappingNode, owner: Node) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            mark = self._start(key)
            if not isinstance(key, yaml.ScalarNode):
                raise _UnreadableError(key.start_mark.line + 1, "a list or mapping cannot be a key")
            if key.tag == f"{_TAG}merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    parts = self._node(source).value
                    if not isinstance(parts, dict):
                        raise _UnreadableError(mark.line, "'<<' takes a mapping or a list of mappings")
                    merged = parts | merged
            elif key.value in own:
                first = own[key.value].key_mark
                where = f" (first on line {first.line})" if first and first.line else ""
                owner.faults.append(Fault(mark, (key.value,), f"the key is given twice{where}"))
            else:
                own[key.value] = self._node(value, mark)
        return merged | own


def _integer(text: str) -> Scalar:
    return int(text)


def _real(text: str) -> Scalar:
    value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    # 1e9 is how one writes a large whole number; 1000.0 stays a real number.
    return int(value) if "e" in text.lower() and abs(value) < 2**53 and value.is_integer() else value


def _boolean(text: str) -> Scalar:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_SCALARS: Final[dict[str, Callable[[str], Scalar]]] = {
    "str": str, "null": lambda _: None, "bool": _boolean, "int": _integer, "float": _real, "merge": str,
}  # fmt: skip


def _reason(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "malformed"
    if r"'\t'" in problem:
        return "a tab; indent with spaces"
    if "expected a single document" in (error.context or ""):
        return "more than one document ('---')"
    return f"{error.context}, {problem}" if error.context else problem
