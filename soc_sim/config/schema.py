"""The JSON schema of all kinds of files, for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from soc_sim.config.kinds import KINDS
from soc_sim.config.places import kinds

_FILE = {
    "type": "string",
    "description": "Path of a file that holds this part, package://NAME/path, or the name of a shipped file",
}


def json_schema() -> dict[str, Any]:
    """A schema (draft 2020-12) that accepts every file the loader accepts, as far as a schema can tell.

    A file is told apart by its ``kind``; without one it is a run. Where a part may lie in
    another file, text is allowed.
    """
    models = tuple(dict.fromkeys(KINDS.values()))
    names, schema = models_json_schema([(model, "validation") for model in models])
    definitions = schema["$defs"]
    references = {names[model, "validation"]["$ref"] for model in models}
    for definition in definitions.values():
        for key, part in definition.get("properties", {}).items():
            if _refers(part, references):
                definition["properties"][key] = {"anyOf": [part, _FILE]}
    rules = [
        {
            "if": {"properties": {"kind": {"enum": list(kinds(model))}}, "required": ["kind"]},
            "then": names[model, "validation"],
        }
        for model in models
    ]
    run = names[KINDS["run"], "validation"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "soc_sim configuration",
        "type": "object",
        "properties": {"kind": {"enum": list(KINDS), "default": "run"}},
        "allOf": [*rules, {"if": {"not": {"required": ["kind"]}}, "then": run}],
        "$defs": definitions,
    }


def _refers(part: dict[str, Any], references: set[str]) -> bool:
    alternatives = (*part.get("anyOf", ()), *part.get("oneOf", ()))
    return part.get("$ref") in references or any(_refers(one, references) for one in alternatives)
