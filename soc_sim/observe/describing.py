"""What a value of the document means and in which unit it is, from the keys that lead to it."""

from __future__ import annotations

from soc_sim.observe.flat import UNITS, Path, split_unit
from soc_sim.observe.meanings import MEANINGS

_UNITS_WITHOUT_SUFFIX = {
    "area": "mm2",
    "bytes": "byte",
    "energy": "J",
    "fits": "0 or 1",
    "input_bytes_skipped": "byte",
    "regret": "ratio",
    "reorder_gain": "ratio",
    "share": "ratio",
    "sparsity": "ratio",
    "utilisation": "ratio",
}


def description(path: Path) -> str:
    """The meaning of the innermost key that has one; below it, which part of the whole this is.

    >>> description(("dram", "read_bytes")), description(("energy", "host"))
    ('read from the memory', 'energy of a component: host')
    """
    position = _known(path)
    meaning = MEANINGS.get(path[position], path[position].replace("_", " "))
    return ": ".join((meaning, *path[position + 1 :]))


def unit(path: Path) -> str:
    """The unit that the key's suffix names; numbers of things are a count.

    >>> unit(("dram", "read_bytes")), unit(("macs",))
    ('byte', 'count')
    """
    key = path[_known(path)]
    suffix = split_unit(key)[1]
    return UNITS[suffix] if suffix else _UNITS_WITHOUT_SUFFIX.get(key, "count")


def _known(path: Path) -> int:
    """Where in the path the innermost key stands that has a meaning of its own."""
    return max((position for position, part in enumerate(path) if part in MEANINGS), default=len(path) - 1)
