"""What may stand at a place of a description, read off the pydantic models' annotations.

References, ``--set``, the wording of faults and the JSON schema all need to know it: which descriptions, which choices,
which keys. There is one source, the models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from soc_sim import units
from soc_sim.config.base import Description, FileOrName, Quantity

Arm = tuple[Any, tuple[object, ...]]
"""One member of a union: a type and the metadata of its ``Annotated``."""


@dataclass(frozen=True)
class Place:
    """The alternatives an annotation allows; None (an absent optional part) is not among them."""

    arms: tuple[Arm, ...]

    @classmethod
    def of(cls, *annotations: Any) -> Place:
        """The place of a field with one of these annotations."""
        return cls(tuple(arm for annotation in annotations for arm in _arms(annotation, ())))

    @property
    def models(self) -> tuple[type[Description], ...]:
        """Descriptions that may stand here."""
        return tuple(arm for arm, _ in self.arms if isinstance(arm, type) and issubclass(arm, Description))

    @property
    def kinds(self) -> dict[str, type[Description]]:
        """Value of ``kind`` → description; only these can lie in a file of their own."""
        return {kind: model for model in self.models for kind in kinds(model)}

    @property
    def choices(self) -> tuple[str, ...]:
        """Fixed values, as written in YAML."""
        values = (value for arm, _ in self.arms if _origin(arm) is Literal for value in get_args(arm))
        return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)

    @property
    def takes_text(self) -> bool:
        """Whether any text is good."""
        return any(arm is str for arm, _ in self.arms)

    @property
    def takes_mapping(self) -> bool:
        """Whether a mapping is one of the alternatives."""
        return any(_origin(arm) is dict for arm, _ in self.arms) or bool(self.models)

    @property
    def file_suffixes(self) -> tuple[str, ...]:
        """Suffixes of the files a text may name (see FileOrName); none: it names no file."""
        return next((mark.suffixes for _, marks in self.arms for mark in marks if isinstance(mark, FileOrName)), ())

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the descriptions that may stand here."""
        return tuple(dict.fromkeys(key for model in self.models for key in fields(model)))

    def narrowed(self, kind: object) -> Place:
        """The place when ``kind`` is written in the mapping that stands there."""
        model = self.kinds.get(kind) if isinstance(kind, str) else None
        return Place(((model, ()),)) if model else self

    def child(self, key: str | int) -> Place | None:
        """The place of a part; None if no alternative has such a part."""
        arms: list[Arm] = []
        for arm, _ in self.arms:
            if isinstance(arm, type) and issubclass(arm, Description):
                place = fields(arm).get(str(key))
                arms += place.arms if place else ()
            elif _origin(arm) is dict and isinstance(key, str):
                arms += Place.of(get_args(arm)[1]).arms
            elif _origin(arm) is tuple and isinstance(key, int):
                arms += Place.of(get_args(arm)[0]).arms
        return Place(tuple(arms)) if arms else None

    def allowed(self) -> str:
        """In words, what may stand here."""
        texts = [", ".join(self.choices)] if self.choices else []
        if self.models:
            known = list(self.kinds)
            texts.append(f"a mapping of kind {_either(known)}, or the name of its file" if known else "a mapping")
        for arm, marks in self.arms:
            if _origin(arm) is not Literal and arm not in self.models:
                texts.append(_words(arm, marks))
        return ", or ".join(dict.fromkeys(texts))


def kinds(model: type[Description]) -> tuple[str, ...]:
    """Values of ``kind`` a description allows; none if it can stand only inside another."""
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind else ()


@cache
def fields(model: type[Description]) -> dict[str, Place]:
    """Key → place, in the order of the model."""
    return {
        field.alias or name: Place(tuple(_arms(field.annotation, tuple(field.metadata))))
        for name, field in model.model_fields.items()
    }


def descriptions(*roots: type[Description]) -> tuple[type[Description], ...]:
    """These descriptions and all that can stand inside them, each once."""
    found = dict.fromkeys(roots)
    waiting = list(roots)
    while waiting:
        for place in fields(waiting.pop()).values():
            inner = [model for part in _within(place) for model in part.models if model not in found]
            found |= dict.fromkeys(inner)
            waiting += inner
    return tuple(found)


def _within(place: Place) -> Iterator[Place]:
    yield place
    for item in ("", 0):
        inner = None if place.models else place.child(item)
        if inner:
            yield from _within(inner)


def _origin(annotation: Any) -> Any:
    return get_origin(annotation)


def _arms(annotation: Any, metadata: tuple[object, ...]) -> Iterator[Arm]:
    origin = _origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        flat = [part for mark in marks for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
        yield from _arms(inner, (*metadata, *flat))
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _arms(member, metadata)
    elif annotation is not NoneType:
        yield annotation, metadata


def _words(arm: Any, marks: tuple[object, ...]) -> str:
    for mark in marks:
        if isinstance(mark, Quantity):
            return f"a quantity, as in '{units.EXAMPLES[mark.dimension]}'"
        if isinstance(mark, FileOrName):
            return f"a name, or the path of an {' or '.join(mark.suffixes)} file"
    if arm in (int, float):
        return ("a whole number" if arm is int else "a number") + _range(marks, whole=arm is int)
    if arm is bool:
        return "true or false"
    if arm is str:
        return "text"
    return "a list" if _origin(arm) is tuple else "a mapping"


def _range(marks: tuple[object, ...], *, whole: bool) -> str:
    low = next((mark.ge for mark in marks if isinstance(mark, Ge)), None)
    high = next((mark.le for mark in marks if isinstance(mark, Le)), None)
    for mark in marks:
        if isinstance(mark, Gt):
            if not whole:
                below = "".join(f" and less than {other.lt}" for other in marks if isinstance(other, Lt))
                return f", more than {mark.gt}{below}" + ("" if high is None else f", up to {high}")
            low = 1  # PositiveInt is the one exclusive bound of whole numbers in use
    if low is None:
        return "" if high is None else f", up to {high}"
    return f", {low} or more" if high is None else f", {low} to {high}"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
