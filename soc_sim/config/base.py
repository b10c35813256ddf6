"""What all descriptions have in common: frozen, strict, no unknown keys, quantities with units.

A field holds the base unit and says so in its name (``capacity_bytes``); in YAML and in JSON schema it goes by the name
without the unit (``capacity: 256 KiB``), because there the value carries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

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


@dataclass(frozen=True)
class Quantity:
    """Annotation of a field that is written with a unit and held as a number of base units."""

    dimension: str
    positive: bool = True
    """Zero is a mistake; otherwise it is allowed."""
    maximum: int | None = None

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
            if self.maximum is not None and quantity > self.maximum:
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
