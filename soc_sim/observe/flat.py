"""The document of a run as pairs of a path and a plain value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]

UNITS = {
    "bytes_per_s": "byte/s",
    "bytes": "byte",
    "cycles": "cycle",
    "ps": "ps",
    "s": "s",
    "w": "W",
    "hz": "Hz",
    "v": "V",
    "j": "J",
    "mm2": "mm2",
}
"""Suffix of a key → unit. A longer suffix stands before one that it ends with."""


def split_unit(key: str) -> tuple[str, str]:
    """The key without and the suffix with its unit (empty: none).

    >>> split_unit("bandwidth_bytes_per_s"), split_unit("macs")
    (('bandwidth', 'bytes_per_s'), ('macs', ''))
    """
    for suffix in UNITS:
        if key.endswith(f"_{suffix}"):
            return key.removesuffix(f"_{suffix}"), suffix
    return key, ""


def flatten(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither a mapping nor a sequence, with the keys and indices that lead to it.

    >>> list(flatten({"dram": {"read_bytes": 3}, "warnings": ["a"]}))
    [(('dram', 'read_bytes'), 3), (('warnings', '0'), 'a')]
    """
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from flatten(member, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from flatten(member, (*path, str(index)))
    else:
        yield path, value
