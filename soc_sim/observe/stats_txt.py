"""``stats.txt``: one statistic a line, as gem5 writes them: dotted name, value, ``# description (unit)``.

The names are the paths of the JSON document. Only numbers stand here; what is not modelled is ``nan``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

from soc_sim.observe.columns import Document
from soc_sim.observe.flat import UNITS, Path, flatten, split_unit
from soc_sim.observe.meanings import MEANINGS

_NAME_WIDTH, _VALUE_WIDTH = 48, 22
_NO_STATISTICS = ("config", "schema", "seed", "energy_actions")
"""What is no statistic, or a table of its own."""


def write_stats(file: TextIO, document: Document) -> None:
    """Write all numbers of the document."""
    file.write("---------- Begin Simulation Statistics ----------\n")
    file.writelines(f"{line}\n" for line in _lines(document))
    file.write("---------- End Simulation Statistics   ----------\n")


def _lines(document: Document) -> Iterator[str]:
    layers = document["layers"]
    for path, value in flatten({key: value for key, value in document.items() if key not in _NO_STATISTICS}):
        if isinstance(value, str) or path[-1] == "dataflow" or path[:2] == ("power", "samples"):
            continue
        described = f"{_description(path)} ({_unit(path)})"
        if path[0] == "layers":
            described = f"layer {json.dumps(layers[int(path[1])]['name'])}: {described}"
        number = "nan" if value is None else repr(int(value) if isinstance(value, bool) else value)
        name = ".".join(re.sub(r"[^\w.:-]", "_", part, flags=re.ASCII) for part in path)
        yield f"{name:<{_NAME_WIDTH}} {number:>{_VALUE_WIDTH}} # {described}"


def _known(path: Path) -> int:
    """Where in the path the innermost key stands that has a meaning of its own."""
    return max((position for position, part in enumerate(path) if part in MEANINGS), default=len(path) - 1)


def _description(path: Path) -> str:
    """The meaning of the key; below it, which part of the whole this is."""
    position = _known(path)
    meaning = MEANINGS.get(path[position], path[position].replace("_", " "))
    return ": ".join((meaning, *path[position + 1 :]))


def _unit(path: Path) -> str:
    position = _known(path)
    suffix = split_unit(path[position])[1]
    return UNITS[suffix] if suffix else _UNITS_WITHOUT_SUFFIX.get(path[position], "count")


_UNITS_WITHOUT_SUFFIX = {
    "energy": "J",
    "area": "mm2",
    "bytes": "byte",
    "utilisation": "ratio",
    "sparsity": "ratio",
    "fits": "0 or 1",
}
