"""The JSON schema accepts what the loader accepts and names every key."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from soc_sim.config import shipped
from soc_sim.config.kinds import KINDS
from soc_sim.config.schema import json_schema

SCHEMA = json_schema()
FILES = sorted(shipped.root().rglob("*.yaml"))


def accepts(schema: dict[str, Any], value: object) -> bool:
    """The part of JSON schema (draft 2020-12) that this schema uses."""
    if "$ref" in schema and not accepts(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], value):
        return False
    if "anyOf" in schema and not any(accepts(one, value) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(accepts(one, value) for one in schema["oneOf"]) != 1:
        return False
    if not all(accepts(one, value) for one in schema.get("allOf", ())):
        return False
    if "not" in schema and accepts(schema["not"], value):
        return False
    if "if" in schema and accepts(schema["if"], value) and not accepts(schema["then"], value):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}  # fmt: skip  # noqa: E501
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            return False
        if value <= schema.get("exclusiveMinimum", value - 1):
            return False
    if isinstance(value, list):
        return all(accepts(schema.get("items", {}), item) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", {})
        return set(schema.get("required", ())) <= set(value) and all(
            accepts(known[key], part) if key in known else more is not False and accepts(more, part)
            for key, part in value.items()
        )
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(shipped.root()).as_posix())
def test_every_shipped_file_fits(path: Any) -> None:
    assert accepts(SCHEMA, yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "nonsense"},
        {"kind": "soc"},
        {"workload": {"network": "resnet8"}},
        {"soc": "x", "workload": {"network": "resnet8"}, "extra": 1},
        {"soc": 3, "workload": {"network": "resnet8"}},
        {"kind": "array", "rows": 0, "cols": 1, "clock": "1 GHz"},
        {"kind": "array", "rows": 1, "cols": 1, "clock": 5},
    ],
)
def test_what_the_loader_refuses_does_not_fit(value: object) -> None:
    assert not accepts(SCHEMA, value)


def test_a_part_may_be_text_wherever_a_file_may_stand() -> None:
    assert accepts(SCHEMA, {"soc": "edge_16x16", "workload": {"network": "x.onnx"}})
    assert {"type": "string"}.items() <= SCHEMA["$defs"]["Soc"]["properties"]["dram"]["anyOf"][1].items()


def test_every_kind_has_a_rule() -> None:
    named = {
        kind for rule in SCHEMA["allOf"] for kind in rule["if"].get("properties", {}).get("kind", {}).get("enum", ())
    }
    assert named == set(KINDS)


def test_docstrings_of_fields_become_descriptions() -> None:
    assert SCHEMA["$defs"]["Array"]["properties"]["rows"]["description"] == "PE rows R, 1 to 4096."


@pytest.mark.parametrize(
    "part", ["Array", "Controller", "Dma", "EnergyTable", "Host", "Interconnect", "MacPoint", "Scratchpad", "SramPoint"]
)
def test_every_quantity_of_a_part_is_explained(part: str) -> None:
    """An editor shows the description beside the key; a key with one allowed value needs none."""
    properties = SCHEMA["$defs"][part]["properties"]
    explained = {name for name, field in properties.items() if "description" in field or "const" in field}
    assert explained | {"decompression"} >= set(properties)
