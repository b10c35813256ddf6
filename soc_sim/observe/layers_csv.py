"""``layers.csv``: one line per layer, every key of the document, the unit at the end of each column's name."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any, TextIO

from soc_sim.observe.columns import Document
from soc_sim.observe.flat import split_unit


def write_layers(file: TextIO, document: Document) -> None:
    """Write the layers; numbers have all their digits, so that they read back equal, and null is an empty field."""
    lines = layer_lines(document)
    titles = list(dict.fromkeys(title for line in lines for title in line))
    writer = csv.DictWriter(file, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)


def layer_lines(document: Document) -> list[dict[str, Any]]:
    """Column → value of each layer; ``stall_s: {wait_weights: …}`` becomes ``stall_wait_weights_s``.

    A list, and what is nested deeper, are JSON.
    """
    layers = document["layers"]
    divided = {key for layer in layers for key, value in layer.items() if isinstance(value, Mapping)}
    # Where such a key has no value, the fields of its parts stay empty.
    return [
        _fields({key: value for key, value in layer.items() if value is not None or key not in divided})
        for layer in layers
    ]


def _fields(layer: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in layer.items():
        if isinstance(value, Mapping):
            stem, suffix = split_unit(key)
            fields |= {"_".join(filter(None, (stem, part, suffix))): _plain(member) for part, member in value.items()}
        else:
            fields[key] = _plain(value)
    return fields


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | Mapping) else value
