"""Turns pydantic's errors into one plain line per fault, with the place where the value was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from soc_sim.config.marks import Fault, KeyPath, Node, parse_path
from soc_sim.config.places import Place
from soc_sim.errors import suggestion

_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")
_WRONG_TYPE = ("string_type", "literal_error")


def faults(error: ValidationError, root: Node, place: Place) -> Iterator[Fault]:
    """All faults of a validation, each once.

    A union reports the errors of every member; here they give the same line, so that one remains. Faults of or below
    a node that could not be read are left out.

    Args:
        error: What pydantic found.
        root: The nodes whose plain form was validated.
        place: What was expected at the root.
    """
    seen: dict[tuple[KeyPath, str], Fault] = {}
    for detail in error.errors(include_url=False):
        path, expected, tagged = _follow(detail["loc"], place)
        way = root.follow(path)
        if any(node.broken for node in way):
            continue
        if detail["type"] == "too_short" and way[-1].value:
            continue  # the items are there, but wrong, which is said of each
        if tagged and isinstance(way[-1].value, dict) and expected.takes_mapping and detail["type"] in _WRONG_TYPE:
            continue  # from members of the union that take no mapping; those that do say what is wrong inside
        for fault in _one(detail, path, expected, way):
            seen.setdefault((fault.path, fault.text), fault)
    yield from seen.values()


def _follow(loc: tuple[str | int, ...], place: Place) -> tuple[KeyPath, Place, bool]:
    """Path without pydantic's union tags, the place there, and whether a tag came last."""
    path: list[str | int] = []
    items = iter(loc)
    tagged = False
    for item in items:
        path.append(item)
        child = place.child(item)
        if child is None:
            return tuple(path), place, False  # an unknown key
        place, tagged = child, False
        if len(place.arms) > 1 and (tag := next(items, None)) is not None:
            place, tagged = place.narrowed(tag), True
    return tuple(path), place, tagged


def _one(detail: Any, path: KeyPath, expected: Place, way: list[Node]) -> Iterator[Fault]:
    kind, context = detail["type"], detail.get("ctx", {})
    node = way[-1]
    outer = node.key_mark or node.mark
    if kind == "missing":
        yield Fault(outer, path, f"is missing; allowed: {expected.allowed()}")
    elif kind == "extra_forbidden":
        key = str(path[-1])
        yield Fault(outer, path, f"unknown key; allowed: {', '.join(expected.keys)}{suggestion(key, expected.keys)}")
    elif kind == "union_tag_not_found":
        yield Fault(outer, (*path, "kind"), f"is missing; allowed: {', '.join(expected.kinds)}")
    elif kind == "union_tag_invalid":
        written = node.get("kind") or node
        words = _unknown(str(written.plain), tuple(expected.kinds))
        yield Fault(written.mark, (*path, "kind"), words)
    elif kind == "inconsistent":
        for inner, text in context["faults"]:
            below = parse_path(inner)
            last = node.follow(below)[-1]
            yield Fault(last.key_mark or last.mark, path + below, text)
    elif kind == "value_error" and isinstance(node.value, str | int | float) and not isinstance(node.value, bool):
        yield Fault(node.mark, path, str(context["error"]))
    else:
        yield Fault(node.mark, path, _misfit(kind, node, expected))


def _misfit(kind: str, node: Node, expected: Place) -> str:
    value, choices = node.value, expected.choices
    if isinstance(value, str) and choices and value not in choices:
        return _unknown(value, choices)
    if kind in _OUT_OF_RANGE:
        what = f"{value} is out of range"
    elif isinstance(value, str):
        what = f"'{value}' is text"
    elif isinstance(value, bool):
        what = f"{str(value).lower()} is not among the choices" if choices else f"{str(value).lower()} is a truth value"
    elif isinstance(value, int | float):
        what = f"{value} is {'not a whole number' if kind.startswith('int') else 'a number'}"
        what = f"{value} is not among the choices" if choices else what
    elif isinstance(value, list):
        what = "a list is given" if value else "the list is empty"
    else:
        what = "nothing is given" if value is None else "a mapping is given"
    return f"{what}; allowed: {expected.allowed()}"


def _unknown(value: str, choices: tuple[str, ...]) -> str:
    return f"'{value}' is unknown; allowed: {', '.join(choices)}{suggestion(value, choices)}"
