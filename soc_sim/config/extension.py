"""Descriptions that users add: a memory of a kind of their own stands wherever a shipped one does."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Optional, get_args

from pydantic import Field

from soc_sim.config import places
from soc_sim.config.kinds import KINDS
from soc_sim.config.memory import SimpleMemory
from soc_sim.config.run import Run
from soc_sim.config.scenario import Scenario
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError


def add_memory(description: type[SimpleMemory]) -> str:
    """Accept ``description`` as `soc.dram` and `soc.weight_memory`; returns its kind.

    It extends SimpleMemory, whose latency and bandwidth the compiler's estimates use, and sets ``kind`` to a literal of
    its own.

    Raises:
        ConfigurationError: the kind is taken, or is not one literal.
    """
    found = places.kinds(description)
    if len(found) != 1 or not isinstance(found[0], str):
        raise ConfigurationError(f"{description.__name__}: kind must be one Literal text, as in kind: Literal['fram']")
    kind = found[0]
    if kind in KINDS:
        raise ConfigurationError(f"{description.__name__}: kind '{kind}' is taken; allowed: any but {', '.join(KINDS)}")
    # Pydantic builds validators from the fields' annotations; a wider union needs them built again.
    for name, optional in (("dram", False), ("weight_memory", True)):
        field: Any = Soc.model_fields[name]
        union: Any = reduce(or_, (*_members(field.annotation), description))
        field.annotation = Optional[Annotated[union, Field(discriminator="kind")]] if optional else union  # noqa: UP045
    for model in (Soc, Run, Scenario):
        model.model_rebuild(force=True)
    places.fields.cache_clear()
    KINDS[kind] = description
    return kind


def _members(annotation: Any) -> tuple[type, ...]:
    """Descriptions in a union, however it is nested and annotated."""
    if isinstance(annotation, type):
        return () if annotation is type(None) else (annotation,)
    return tuple(member for part in get_args(annotation) for member in _members(part))
