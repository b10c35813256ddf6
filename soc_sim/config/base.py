"""What all descriptions have in common: frozen, strict, no unknown keys, quantities with units.

A field holds the base unit and says so in its name (``capacity_bytes``); in YAML and in JSON schema it goes by the name
without the unit (``capacity: 256 KiB``), because there the value carries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from soc_sim import units

_SUFFIXES = ("_bytes_per_s", "_bytes", "_hz", "_ps", "_pj", "_mw", "_mm2", "_ma", "_v")


def _alias(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


class Description(BaseModel):
    """Base of every description; ``kind`` says which one a YAML file holds."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=_alias,
        validate_by_name=False,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Faults between fields that are fine one by one: (key path from here, what is wrong)."""
        return iter(())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = list(self.inconsistencies())
        if faults:
            lines = "; ".join(f"{path}: {text}" for path, text in faults)
            raise PydanticCustomError("inconsistent", "{lines}", {"lines": lines, "faults": faults})
        return self


def repeated(key: str, names: Sequence[object]) -> Iterator[tuple[str, str]]:
    """Faults for items of the list ``key`` that occur more than once."""
    for position, name in enumerate(names):
        if name in names[:position]:
            yield f"{key}[{position}]", f"'{name}' is given twice"


def no_multiple(key: str, value: int, of: str, unit: int) -> Iterator[tuple[str, str]]:
    """A fault if the size ``value`` at ``key`` is no whole multiple of ``unit``, the size at ``of``."""
    if value % unit:
        shown, step = units.format_quantity(value, "bytes"), units.format_quantity(unit, "bytes")
        yield key, f"{shown} is not a multiple of {of}, {step}"


@dataclass(frozen=True)
class FileOrName:
    """Annotation of text that is a name known elsewhere, or the path of a file with one of these suffixes."""

    suffix: str
    other: str | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """All of them."""
        return (self.suffix,) if self.other is None else (self.suffix, self.other)


@dataclass(frozen=True)
class Quantity:
    """Annotation of a field that is written with a unit and held as a number of base units."""

    dimension: str
    positive: bool = True
    """Zero is a mistake; otherwise it is allowed."""
    maximum: int = 2**63 - 1
    """Beyond any hardware; keeps absurd exponents out of the arithmetic."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Reads text, checks the bounds, writes text again."""
        whole = source is int

        def read(value: object) -> int | float:
            example = units.EXAMPLES[self.dimension]
            if not isinstance(value, str):
                raise ValueError(f"{value!r} has no unit; write it as in '{example}'")
            quantity = units.parse(value, self.dimension)
            if quantity < 0 or (self.positive and quantity == 0):
                raise ValueError(
                    f"'{value}' is out of range; allowed: {'more than' if self.positive else 'at least'} zero"
                )
            if quantity > self.maximum:
                raise ValueError(
                    f"'{value}' is out of range; allowed: up to {units.format_quantity(self.maximum, self.dimension)}"
                )
            if whole and self.positive and quantity < 1:
                raise ValueError(f"'{value}' is less than the smallest step, 1 {self.dimension}")
            return int(quantity.to_integral_value()) if whole else float(quantity)

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: units.format_quantity(value, self.dimension)
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A text with a unit, for editors."""
        return {"type": "string", "examples": [units.EXAMPLES[self.dimension]]}


# Positive quantities: zero or less is a mistake.
Bytes = Annotated[int, Quantity("bytes")]
Hertz = Annotated[int, Quantity("hz", maximum=10**12)]
BytesPerSecond = Annotated[int, Quantity("bytes_per_s")]
Picoseconds = Annotated[int, Quantity("ps")]
# Quantities that may be zero: a delay, an energy that is not spent.
Delay = Annotated[int, Quantity("ps", positive=False)]
Picojoules = Annotated[float, Quantity("pj", positive=False)]
Milliwatts = Annotated[float, Quantity("mw", positive=False)]
SquareMillimetres = Annotated[float, Quantity("mm2", positive=False)]
Milliamperes = Annotated[float, Quantity("ma", positive=False)]
Volts = Annotated[float, Quantity("v")]
