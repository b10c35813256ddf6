"""Figures as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping

_PREFIXES = {-5: "f", -4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P"}


def si(value: float | None, unit: str) -> str:
    """Four digits with a decimal prefix; None is a quantity that is not modelled.

    >>> si(0.012345, "s"), si(25_557_032, "B"), si(0, "J"), si(None, "J")
    ('12.35 ms', '25.56 MB', '0 J', 'unknown')
    """
    if value is None:
        return "unknown"
    power = math.floor(math.log10(abs(value)) / 3) if value else 0
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return f"{value / 10 ** (3 * power):.4g} {_PREFIXES[power]}{unit}"


def percent(part: float, whole: float) -> str:
    """Share in percent, empty where there is no whole.

    >>> percent(1, 8), percent(0, 0)
    ('12.5', '')
    """
    return f"{100 * part / whole:.1f}" if whole else ""


def shares(parts: Mapping[str, float | None], unit: str) -> str:
    """The parts that are not zero, the largest first.

    >>> shares({"array": 0.001, "host": 0.0, "dram": 0.002, "weight_memory": None}, "J")
    'dram 2 mJ, array 1 mJ, weight_memory unknown'
    """
    ranked = sorted(parts.items(), key=lambda item: (item[1] is None, -(item[1] or 0)))
    return ", ".join(f"{name} {si(value, unit)}" for name, value in ranked if value != 0)


def printable(text: str) -> str:
    r"""A name from a file, with whatever could steer a terminal escaped.

    >>> printable("conv1"), printable("a\x1b[2J")
    ('conv1', 'a\\x1b[2J')
    """
    return text if text.isprintable() else repr(text)[1:-1]
