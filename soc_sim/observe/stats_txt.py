"""``stats.txt``: one statistic a line, as gem5 writes them: dotted name, value, ``# description (unit)``.

The names are the paths of the JSON document. Only numbers stand here; what is not modelled is ``nan``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from soc_sim.observe.columns import Document
from soc_sim.observe.describing import description, unit
from soc_sim.observe.flat import flatten

_NAME_WIDTH, _VALUE_WIDTH = 48, 22
_NO_STATISTICS = ("config", "schema", "seed", "energy_actions", "memory_map")
"""What is no statistic, or a table of its own."""
_PARTS = (("weight_memory",),)
"""What is null because the SoC has no such part."""


def write_stats(file: TextIO, document: Document) -> None:
    """Write all numbers of the document."""
    file.write("---------- Begin Simulation Statistics ----------\n")
    file.writelines(f"{line}\n" for line in _lines(document))
    file.write("---------- End Simulation Statistics   ----------\n")


def _lines(document: Document) -> Iterator[str]:
    layers = document["layers"]
    # Null in one layer where others have a text or parts is no quantity that is not modelled.
    no_numbers = {key for layer in layers for key, value in layer.items() if isinstance(value, str | Mapping)}
    for path, value in flatten({key: value for key, value in document.items() if key not in _NO_STATISTICS}):
        if isinstance(value, str) or path[:2] == ("power", "samples"):
            continue
        if value is None and (path[-1] in no_numbers or path in _PARTS):
            continue
        described = f"{description(path)} ({unit(path)})"
        if path[0] == "layers":
            described = f"layer {json.dumps(layers[int(path[1])]['name'])}: {described}"
        name = ".".join(re.sub(r"[^\w.:-]", "_", part, flags=re.ASCII) for part in path)
        yield f"{name:<{_NAME_WIDTH}} {_number(value):>{_VALUE_WIDTH}} # {described}"


def _number(value: float | None) -> str:
    """All digits of a number (numpy's own text of one is none)."""
    if value is None:
        return "nan"
    return float.__repr__(value) if isinstance(value, float) else str(int(value))
